// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.OneLine;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Pooling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * What a first run on images of zeros shows of a graph.
 *
 * @param outputs how the embedding is read
 * @param fixedBatch the batch that the graph needs, 0 for any
 */
record TrialRun(EmbeddingOutputs outputs, int fixedBatch) {
    /** Maximum size in bytes of the buffers of a batch whose size the file fixes. */
    static final long MAX_BUFFER = 1L << 29;

    /**
     * Runs the graph once.
     *
     * @throws InvalidEncoderException if it can't be run, or gives no embedding
     * @throws OrtException if a tensor can't be made
     */
    static TrialRun of(OrtSession session, GraphBinding binding, ImageInput input, String name)
            throws OrtException, InvalidEncoderException {
        // Running two images shows whether the batch size is really free; some graphs contain a fixed 1.
        int[] tries = binding.batch() > 0 ? new int[] {binding.batch()} : new int[] {2, 1};
        InvalidEncoderException first = null;
        for (int n : tries) {
            long bytes = (long) n * input.bytes();
            if (bytes > MAX_BUFFER) {
                throw new InvalidEncoderException(
                        name + " takes " + bytes + " bytes at once, expected at most " + MAX_BUFFER);
            }
            try (OnnxTensor in = input.tensor(input.buffer(n), n);
                    OrtSession.Result out =
                            session.run(Map.of(binding.input(), in), new LinkedHashSet<>(binding.outputs()))) {
                return new TrialRun(outputs(out, n, binding, name), binding.batch() == 0 && n == 2 ? 0 : n);
            } catch (OrtException e) {
                first = first != null
                        ? first
                        : new InvalidEncoderException(
                                name + ": ONNX Runtime can't run it: " + OneLine.of(e.getMessage()), e);
            } catch (InvalidEncoderException e) {
                first = first != null ? first : e;
            }
        }
        throw first;
    }

    private static EmbeddingOutputs outputs(OrtSession.Result results, int n, GraphBinding binding, String name)
            throws InvalidEncoderException {
        List<EmbeddingOutput> outputs = new ArrayList<>();
        for (String output : binding.outputs()) {
            OnnxValue value = results.get(output).orElseThrow();
            if (!(value.getInfo() instanceof TensorInfo info)) {
                throw new InvalidEncoderException(
                        name + " is no image encoder: its output " + output + " is no tensor");
            }
            if (info.type != OnnxJavaType.FLOAT && info.type != OnnxJavaType.FLOAT16) {
                throw new InvalidEncoderException(name + " is no image encoder: expected an output of type float32 or"
                        + " float16, found " + output + " of type " + info.type);
            }
            long[] shape = info.getShape();
            if (shape.length < 2 || shape[0] != n) {
                throw new InvalidEncoderException(name + " is no image encoder: expected an output [" + n
                        + ", dimension] for " + n + " images, found " + output + " " + Arrays.toString(shape));
            }
            List<Pooling> pooling =
                    binding.pooling() == null ? null : binding.pooling().of(outputs.size());
            outputs.add(EmbeddingOutput.of(
                    output, shape, info.type == OnnxJavaType.FLOAT16, pooling, binding.layout(), name));
        }
        EmbeddingOutputs all = new EmbeddingOutputs(List.copyOf(outputs));
        all.check(binding.batch(), name);
        return all;
    }

    /**
     * Refuses a setting {@code pooling} that somebody gave and that has nothing to pool, which would be passed over without a word.
     *
     * @throws InvalidEncoderException if all outputs are vectors, or one is that has an entry of its own
     */
    void refuseIdle(PoolingRules given, String name) throws InvalidEncoderException {
        for (int k = 0; k < outputs.outputs().size(); k++) {
            EmbeddingOutput output = outputs.outputs().get(k);
            boolean vector = output.shape().length == 1 && !given.of(k).equals(List.of(Pooling.NONE));
            if (vector && (given.areSeparate() || outputs.areVectors())) {
                throw new InvalidEncoderException(
                        name + " has an output " + output.name() + " [N, D], in which there is"
                                + " nothing to pool: " + (given.areSeparate() ? "write none for it in" : "drop")
                                + " the setting pooling,"
                                + " or name an output of tokens or a map by the setting output");
            }
        }
    }
}
