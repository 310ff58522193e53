package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Layout;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Pooling;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Where an embedding lies in an output: the sum over {@code count} tokens from {@code first}, divided by count, of the
 * values {@code token * tokenStep + d * step}.
 *
 * @param shape of an image's output
 * @param half whether the values are float16
 * @param dimension values of an embedding
 * @param first the first token
 * @param count how many tokens are averaged
 * @param tokenStep values from one token to the next
 * @param step values from one dimension to the next
 * @param size values of an image's output
 */
record EmbeddingOutput(long[] shape, boolean half, int dimension, int first, int count, int tokenStep, int step, int size) {
    private static final int MAX_DIMENSION = 1 << 20;

    /**
     * What was chosen for an output.
     *
     * @param output how the embedding is read
     * @param pooling how tokens or places become an embedding if nothing said it, else null
     */
    record Choice(EmbeddingOutput output, Value pooling) {}

    /**
     * Says how an embedding is read from an output of some shape.
     *
     * @param shape of the output, the batch first
     * @param half whether the values are float16
     * @throws InvalidEncoderException if no embedding can be read from it
     */
    static Choice of(long[] shape, boolean half, GraphBinding binding, String name) throws InvalidEncoderException {
        double all = 1;
        for (int i = 1; i < shape.length; i++) {
            all *= shape[i];
        }
        if (all < 1 || all > 1 << 24 || 4 * all * binding.batch() > TrialRun.MAX_BUFFER) {
            throw new InvalidEncoderException(name + " is no image encoder: its output is " + Arrays.toString(shape));
        }
        int size = (int) all;
        int real = 0;
        for (int i = 1; i < shape.length; i++) {
            real += shape[i] > 1 ? 1 : 0;
        }
        long[] rest = Arrays.copyOfRange(shape, 1, shape.length);
        Pooling pooling = binding.pooling();
        Value chosen = null;
        EmbeddingOutput r;
        if (real <= 1) {
            r = new EmbeddingOutput(rest, half, size, 0, 1, 0, 1, size);
        } else if (rest.length == 2) {
            int tokens = (int) rest[0];
            int d = (int) rest[1];
            if (pooling == null) {
                long side = Math.round(Math.sqrt(tokens));
                long without = Math.round(Math.sqrt(tokens - 1));
                if (without * without == tokens - 1) {
                    pooling = Pooling.CLASS;
                } else if (side * side == tokens) {
                    pooling = Pooling.MEAN;
                } else {
                    throw new InvalidEncoderException(name + " has an output of " + tokens + " tokens, " + Arrays.toString(shape)
                            + ": give the setting pooling, which says what becomes of them: class, mean or mean-patches");
                }
                chosen = new Value(pooling.name().toLowerCase(java.util.Locale.ROOT), "graph");
            }
            r = switch (pooling) {
                case CLASS -> new EmbeddingOutput(rest, half, d, 0, 1, d, 1, size);
                case MEAN -> new EmbeddingOutput(rest, half, d, 0, tokens, d, 1, size);
                case MEAN_PATCHES -> new EmbeddingOutput(rest, half, d, 1, tokens - 1, d, 1, size);
            };
        } else if (rest.length == 3 && (pooling == null || pooling == Pooling.MEAN)) {
            // A map of places: the channels are where the two others are alike, else where the input has them.
            boolean last = rest[0] == rest[1] && rest[1] != rest[2]
                    || !(rest[1] == rest[2] && rest[0] != rest[1]) && binding.layout() == Layout.NHWC;
            int d = (int) (last ? rest[2] : rest[0]);
            int places = size / d;
            r = new EmbeddingOutput(rest, half, d, 0, places, last ? d : 1, last ? 1 : places, size);
            chosen = pooling == null ? new Value("mean", "graph") : null;
        } else {
            throw new InvalidEncoderException(name + " is no image encoder: expected an output [N, D], [N, T, D] or"
                    + " [N, D, H, W], found " + binding.output() + " " + Arrays.toString(shape)
                    + (pooling == null ? "" : " and pooling " + pooling));
        }
        if (r.dimension() < 1 || r.dimension() > MAX_DIMENSION) {
            throw new InvalidEncoderException(name + " is no image encoder: its embeddings would have " + r.dimension()
                    + " values, expected 1 to " + MAX_DIMENSION);
        }
        return new Choice(r, chosen);
    }

    /** Returns the bytes of an image's output. */
    int bytes() {
        return size * (half ? 2 : 4);
    }

    /** Reads the embedding of an image whose output begins at a byte of a buffer. */
    float[] read(ByteBuffer result, int at) {
        float[] v = new float[dimension()];
        if (!half() && count() == 1 && step() == 1) {
            result.slice(at + 4 * first() * tokenStep(), 4 * v.length).order(ByteOrder.nativeOrder())
                    .asFloatBuffer().get(v);
            return v;
        }
        for (int d = 0; d < v.length; d++) {
            double sum = 0;
            for (int t = first(); t < first() + count(); t++) {
                int i = t * tokenStep() + d * step();
                sum += half() ? TensorTypes.toFloat32(result.getShort(at + 2 * i)) : result.getFloat(at + 4 * i);
            }
            v[d] = (float) (sum / count());
        }
        return v;
    }
}
