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
 * The outputs of a graph whose features are concatenated in this order. The outputs for a batch share a buffer.
 *
 * @param outputs at least one output
 */
record EmbeddingOutputs(List<EmbeddingOutput> outputs) {
    private static final int MAX_DIMENSION = 1 << 20;
    /** Alignment of the outputs in the buffer, in bytes: a cache line. */
    private static final int ALIGNED = 64;

    /**
     * Checks the sizes of the outputs.
     *
     * @param batch the batch size that the file fixes, or 0 if it is free
     * @param name the encoder's name in messages
     * @throws InvalidEncoderException if there are too many features or values
     */
    void check(int batch, String name) throws InvalidEncoderException {
        long dimension = outputs.stream().mapToLong(EmbeddingOutput::dimension).sum();
        if (dimension < 1 || dimension > MAX_DIMENSION) {
            throw new InvalidEncoderException(name + " is not an image encoder: its embeddings would have " + dimension
                    + " values, expected 1 to " + MAX_DIMENSION);
        }
        long size = outputs.stream().mapToLong(EmbeddingOutput::size).sum();
        if (size > EmbeddingOutput.MAX_SIZE || 4 * size * batch > TrialRun.MAX_BUFFER) {
            throw new InvalidEncoderException(
                    name + " is not an image encoder: its outputs have " + size + " values per image");
        }
    }

    /** Returns the number of features per image. */
    int dimension() {
        return outputs.stream().mapToInt(EmbeddingOutput::dimension).sum();
    }

    /** Returns the number of values per image. */
    int size() {
        return outputs.stream().mapToInt(EmbeddingOutput::size).sum();
    }

    /** Returns the number of bytes for a batch of one image, which is the maximum per image. */
    int bytes() {
        return Math.toIntExact(bytes(1));
    }

    /** Returns the number of bytes for a batch, including the alignment. */
    long bytes(int images) {
        return outputs.stream()
                .mapToLong(o -> aligned((long) images * o.bytes()))
                .sum();
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNED - 1) / ALIGNED * ALIGNED;
    }

    /** Returns whether all outputs have the shape [N, D], which needs no pooling. */
    boolean areVectors() {
        return outputs.stream().allMatch(o -> o.shape().length == 1);
    }

    /** Returns the equivalent setting {@code pooling} with the graph as its source, or null if no output needs pooling. */
    Value pooling() {
        String text = outputs.stream()
                .map(o -> o.pooling().stream().map(PoolingRules::name).collect(Collectors.joining("+")))
                .collect(Collectors.joining(","));
        return outputs.stream().allMatch(EmbeddingOutput::isVector) ? null : new Value(text, "graph");
    }

    /** The output tensors for a batch, which share a buffer. */
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

        /** Returns the tensors by output name. */
        Map<String, OnnxTensor> tensors() {
            return tensors;
        }

        /** Returns the features of the image with this index in the batch. */
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
     * Creates the output tensors for a batch; the caller closes them.
     *
     * @param buffer a direct buffer of at least {@link #bytes(int)} bytes
     * @param images the number of images
     */
    Batch batch(ByteBuffer buffer, int images) throws OrtException {
        return new Batch(this, buffer, images);
    }
}
