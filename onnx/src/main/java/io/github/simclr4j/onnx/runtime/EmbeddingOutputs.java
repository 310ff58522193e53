// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The outputs of a graph whose features are concatenated, in order. The values of a batch share a buffer, one output behind the other.
 *
 * @param outputs one or more
 */
record EmbeddingOutputs(List<EmbeddingOutput> outputs) {
    private static final int MAX_DIMENSION = 1 << 20;
    /** Each output begins at a multiple of this, in bytes: for its type, and for the processor's caches. */
    private static final int ALIGNED = 64;

    /**
     * Checks sizes.
     *
     * @param batch the batch that the file fixes, 0 if it is free
     * @param name what errors call the encoder
     * @throws InvalidEncoderException if there are too many features or values
     */
    void check(int batch, String name) throws InvalidEncoderException {
        long dimension = outputs.stream().mapToLong(EmbeddingOutput::dimension).sum();
        if (dimension < 1 || dimension > MAX_DIMENSION) {
            throw new InvalidEncoderException(name + " is no image encoder: its embeddings would have " + dimension
                    + " values, expected 1 to " + MAX_DIMENSION);
        }
        long size = outputs.stream().mapToLong(EmbeddingOutput::size).sum();
        if (size > EmbeddingOutput.MAX_SIZE || 4 * size * batch > TrialRun.MAX_BUFFER) {
            throw new InvalidEncoderException(
                    name + " is no image encoder: its outputs have " + size + " values an image");
        }
    }

    /** Returns the number of features of an image. */
    int dimension() {
        return outputs.stream().mapToInt(EmbeddingOutput::dimension).sum();
    }

    /** Returns the number of values of an image. */
    int size() {
        return outputs.stream().mapToInt(EmbeddingOutput::size).sum();
    }

    /** Returns the bytes of an image's values, at most, when it is alone in a batch. */
    int bytes() {
        return Math.toIntExact(bytes(1));
    }

    /** Returns the bytes of the values of a batch. */
    long bytes(int images) {
        return outputs.stream()
                .mapToLong(o -> aligned((long) images * o.bytes()))
                .sum();
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
    }

    /** Whether all are vectors, in which there is nothing to pool. */
    boolean areVectors() {
        return outputs.stream().allMatch(o -> o.shape().length == 1);
    }

    /** Returns the setting {@code pooling} that would give the same, its source the graph; null if there is nothing to pool. */
    Value pooling() {
        String text = outputs.stream()
                .map(o -> o.pooling().stream().map(PoolingRules::name).collect(Collectors.joining("+")))
                .collect(Collectors.joining(","));
        return outputs.stream().allMatch(EmbeddingOutput::isVector) ? null : new Value(text, "graph");
    }

    /** The tensors of a batch, which share a buffer. */
    static final class Batch implements AutoCloseable {
        private final EmbeddingOutputs of;
        private final ByteBuffer[] buffers;
        private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();

        private Batch(EmbeddingOutputs of, ByteBuffer buffer, int images) throws OrtException {
            this.of = of;
            buffers = new ByteBuffer[of.outputs.size()];
            try {
                int at = 0;
                for (int k = 0; k < buffers.length; k++) {
                    EmbeddingOutput output = of.outputs.get(k);
                    int bytes = images * output.bytes();
                    buffers[k] = buffer.slice(at, bytes).order(ByteOrder.nativeOrder());
                    at += (int) aligned(bytes);
                    long[] shape = new long[output.shape().length + 1];
                    shape[0] = images;
                    System.arraycopy(output.shape(), 0, shape, 1, shape.length - 1);
                    tensors.put(
                            output.name(),
                            OnnxTensor.createTensor(
                                    OrtEnvironment.getEnvironment(),
                                    buffers[k],
                                    shape,
                                    output.half() ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT));
                }
            } catch (OrtException | RuntimeException e) {
                close();
                throw e;
            }
        }

        /** Returns the tensors by the names of their outputs. */
        Map<String, OnnxTensor> tensors() {
            return tensors;
        }

        /** Reads the features of an image, by its number in the batch. */
        float[] read(int image) {
            float[] features = new float[of.dimension()];
            int from = 0;
            for (int k = 0; k < buffers.length; k++) {
                EmbeddingOutput output = of.outputs.get(k);
                output.read(buffers[k], image * output.bytes(), features, from);
                from += output.dimension();
            }
            return features;
        }

        @Override
        public void close() {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    /**
     * Makes the tensors of a batch.
     *
     * @param buffer direct, of {@link #bytes(int)} or more
     */
    Batch batch(ByteBuffer buffer, int images) throws OrtException {
        return new Batch(this, buffer, images);
    }
}
