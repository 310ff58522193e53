// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Layout;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Pooling;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How features are read from one output of a graph: the results of its poolings, one behind the other.
 *
 * @param name of the output
 * @param shape of an image's values, without the batch
 * @param half whether the values are float16
 * @param pooling what is done to tokens or places; {@link Pooling#NONE} alone if the output is a vector
 * @param parts what each pooling reads
 */
record EmbeddingOutput(String name, long[] shape, boolean half, List<Pooling> pooling, List<Part> parts) {
    /** The most values that an image's output may have. */
    static final int MAX_SIZE = 1 << 24;

    /**
     * Where the result of a pooling lies: the sum over {@code count} tokens from {@code first}, divided by count, of the values
     * {@code token * tokenStep + d * step}.
     *
     * @param dimension values of the result
     * @param first the first token
     * @param count how many tokens are averaged
     * @param tokenStep values from one token to the next
     * @param step values from one dimension to the next
     */
    record Part(int dimension, int first, int count, int tokenStep, int step) {}

    /**
     * Says how features are read from an output of some shape.
     *
     * @param output the output's name
     * @param shape of the output, the batch first
     * @param half whether the values are float16
     * @param given the poolings that a setting names, null if none does
     * @param layout where a map has its channels if its shape does not show it
     * @param name what errors call the encoder
     * @throws InvalidEncoderException if no features can be read from it
     */
    static EmbeddingOutput of(
            String output, long[] shape, boolean half, List<Pooling> given, Layout layout, String name)
            throws InvalidEncoderException {
        double all = 1;
        int real = 0;
        for (int i = 1; i < shape.length; i++) {
            all *= shape[i];
            real += shape[i] > 1 ? 1 : 0;
        }
        if (all < 1 || all > MAX_SIZE) {
            throw new InvalidEncoderException(name + " is no image encoder: its output is " + Arrays.toString(shape));
        }
        int size = (int) all;
        long[] rest = Arrays.copyOfRange(shape, 1, shape.length);
        if (real <= 1) {
            return new EmbeddingOutput(output, rest, half, List.of(Pooling.NONE), List.of(new Part(size, 0, 1, 0, 1)));
        }
        boolean tokens = rest.length == 2;
        List<Pooling> poolings =
                given != null ? given : tokens ? List.of(usual((int) rest[0], shape, name)) : List.of(Pooling.MEAN);
        List<Part> parts = new ArrayList<>();
        for (Pooling pooling : poolings) {
            if (tokens && pooling != Pooling.NONE) {
                parts.add(ofTokens((int) rest[0], (int) rest[1], pooling));
            } else if (rest.length == 3 && pooling == Pooling.MEAN) {
                parts.add(ofMap(rest, size, layout));
            } else {
                throw new InvalidEncoderException(name + " is no image encoder: expected an output [N, D], [N, T, D] or"
                        + " [N, D, H, W], found " + output + " " + Arrays.toString(shape)
                        + (given == null ? "" : " and pooling " + PoolingRules.name(pooling)));
            }
        }
        return new EmbeddingOutput(output, rest, half, poolings, parts);
    }

    /** What is usually done to so many tokens. */
    private static Pooling usual(int tokens, long[] shape, String name) throws InvalidEncoderException {
        long side = Math.round(Math.sqrt(tokens));
        long without = Math.round(Math.sqrt(tokens - 1));
        if (without * without == tokens - 1) {
            return Pooling.CLASS;
        } else if (side * side == tokens) {
            return Pooling.MEAN;
        }
        throw new InvalidEncoderException(name + " has an output of " + tokens + " tokens, " + Arrays.toString(shape)
                + ": give the setting pooling, which says what becomes of them: class, mean or mean-patches");
    }

    private static Part ofTokens(int tokens, int d, Pooling pooling) {
        return switch (pooling) {
            case CLASS -> new Part(d, 0, 1, d, 1);
            case MEAN -> new Part(d, 0, tokens, d, 1);
            default -> new Part(d, 1, tokens - 1, d, 1);
        };
    }

    /** A map of places: the channels are where the two others are alike, else where the input has them. */
    private static Part ofMap(long[] rest, int size, Layout layout) {
        boolean last = rest[0] == rest[1] && rest[1] != rest[2]
                || !(rest[1] == rest[2] && rest[0] != rest[1]) && layout == Layout.NHWC;
        int d = (int) (last ? rest[2] : rest[0]);
        int places = size / d;
        return new Part(d, 0, places, last ? d : 1, last ? 1 : places);
    }

    /** Whether the output has neither tokens nor places. */
    boolean isVector() {
        return pooling.equals(List.of(Pooling.NONE));
    }

    /** Returns the number of features that are read from the output. */
    int dimension() {
        return parts.stream().mapToInt(Part::dimension).sum();
    }

    /** Returns the values of an image's output. */
    int size() {
        return (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    /** Returns the bytes of an image's output. */
    int bytes() {
        return size() * (half ? 2 : 4);
    }

    /**
     * Reads the features of an image.
     *
     * @param result the output of a batch
     * @param at the byte at which the image's values begin
     * @param features gets them
     * @param from the index of the first
     */
    void read(ByteBuffer result, int at, float[] features, int from) {
        int next = from;
        for (Part part : parts) {
            read(part, result, at, features, next);
            next += part.dimension();
        }
    }

    private void read(Part part, ByteBuffer result, int at, float[] features, int from) {
        if (!half && part.count() == 1 && part.step() == 1) {
            result.slice(at + 4 * part.first() * part.tokenStep(), 4 * part.dimension())
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer()
                    .get(features, from, part.dimension());
            return;
        }
        for (int d = 0; d < part.dimension(); d++) {
            double sum = 0;
            for (int t = part.first(); t < part.first() + part.count(); t++) {
                int i = t * part.tokenStep() + d * part.step();
                sum += half ? TensorTypes.toFloat32(result.getShort(at + 2 * i)) : result.getFloat(at + 4 * i);
            }
            features[from + d] = (float) (sum / part.count());
        }
    }
}
