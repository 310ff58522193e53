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
 * One output of a graph with its poolings, whose results are concatenated to features.
 *
 * @param name name of the output
 * @param shape shape of the output without the batch dimension
 * @param half whether the values are float16 instead of float32
 * @param pooling the poolings of tokens or of a feature map; only {@link Pooling#NONE} if the output is a vector
 * @param parts the values that each pooling reads
 */
record EmbeddingOutput(String name, long[] shape, boolean half, List<Pooling> pooling, List<Part> parts) {
    /** Maximum number of values per image. */
    static final int MAX_SIZE = 1 << 24;

    /**
     * The values that a pooling reads. Feature {@code d} is the mean, over {@code count} tokens from {@code first}, of the values at
     * {@code token * tokenStep + d * step}.
     *
     * @param dimension number of features
     * @param first index of the first token
     * @param count number of tokens that are averaged
     * @param tokenStep distance between two tokens, in values
     * @param step distance between two dimensions, in values
     */
    record Part(int dimension, int first, int count, int tokenStep, int step) {}

    /**
     * Chooses how features are read from an output.
     *
     * @param output the output's name
     * @param shape shape of the output, including the batch dimension
     * @param half whether the values are float16
     * @param given the poolings of the settings, or null
     * @param layout layout of a feature map if its shape does not show it
     * @param name the encoder's name in messages
     * @throws InvalidEncoderException if no features can be read from the output
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
            throw new InvalidEncoderException(
                    name + " is not an image encoder: its output has the shape " + Arrays.toString(shape));
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
                throw new InvalidEncoderException(
                        name + " is not an image encoder: expected an output [N, D], [N, T, D] or"
                                + " [N, D, H, W], found " + output + " " + Arrays.toString(shape)
                                + (given == null ? "" : " and pooling " + PoolingRules.name(pooling)));
            }
        }
        return new EmbeddingOutput(output, rest, half, poolings, parts);
    }

    /**
     * Returns the usual pooling for a number of tokens: the class token if the other tokens make up a square of patches, the mean if all
     * tokens do.
     */
    private static Pooling usual(int tokens, long[] shape, String name) throws InvalidEncoderException {
        long side = Math.round(Math.sqrt(tokens));
        long without = Math.round(Math.sqrt(tokens - 1));
        if (without * without == tokens - 1) {
            return Pooling.CLASS;
        } else if (side * side == tokens) {
            return Pooling.MEAN;
        }
        throw new InvalidEncoderException(name + " has an output of " + tokens + " tokens, " + Arrays.toString(shape)
                + ": choose class, mean or mean-patches by the setting pooling");
    }

    private static Part ofTokens(int tokens, int d, Pooling pooling) {
        return switch (pooling) {
            case CLASS -> new Part(d, 0, 1, d, 1);
            case MEAN -> new Part(d, 0, tokens, d, 1);
            default -> new Part(d, 1, tokens - 1, d, 1);
        };
    }

    /**
     * Returns the part of a feature map. The height and width are the two dimensions that are equal; if that is ambiguous, the map has the
     * input's layout.
     */
    private static Part ofMap(long[] rest, int size, Layout layout) {
        boolean last = rest[0] == rest[1] && rest[1] != rest[2]
                || !(rest[1] == rest[2] && rest[0] != rest[1]) && layout == Layout.NHWC;
        int d = (int) (last ? rest[2] : rest[0]);
        int places = size / d;
        return new Part(d, 0, places, last ? d : 1, last ? 1 : places);
    }

    /** Returns whether the output is a vector, which needs no pooling. */
    boolean isVector() {
        return pooling.equals(List.of(Pooling.NONE));
    }

    /** Returns the number of features per image. */
    int dimension() {
        return parts.stream().mapToInt(Part::dimension).sum();
    }

    /** Returns the number of values per image. */
    int size() {
        return (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    /** Returns the number of bytes per image. */
    int bytes() {
        return size() * (half ? 2 : 4);
    }

    /**
     * Reads the features of an image.
     *
     * @param result the output for a batch
     * @param at offset of the image's values, in bytes
     * @param features the array to fill
     * @param from index of the first feature in {@code features}
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
