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
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * The result of a first run of a graph on black images.
 *
 * @param outputs the outputs that make up the embedding
 * @param fixedBatch the batch size that the graph requires, or 0 if it is free
 */
record TrialRun(EmbeddingOutputs outputs, int fixedBatch) {
    /** Maximum size in bytes of the buffers of a batch whose size the file fixes. */
    static final long MAX_BUFFER = 1L << 29;

    /**
     * Runs the graph once.
     *
     * @throws InvalidEncoderException if the graph can't be run, or its outputs are not embeddings
     * @throws OrtException if a tensor can't be created
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
                        name + " is not an image encoder: its output " + output + " is not a tensor");
            }
            if (info.type != OnnxJavaType.FLOAT && info.type != OnnxJavaType.FLOAT16) {
                throw new InvalidEncoderException(
                        name + " is not an image encoder: expected an output of type float32 or" + " float16, found "
                                + output + " of type " + info.type);
            }
            long[] shape = info.getShape();
            if (shape.length < 2 || shape[0] != n) {
                throw new InvalidEncoderException(name + " is not an image encoder: expected an output [" + n
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
     * Returns the settings that are used. A {@code pooling} of the caller must have an effect. One from another source is left out where
     * the output is a vector, so that the caller may pass the result to {@code open} again.
     *
     * @param binding the binding of the graph
     * @param given settings of the caller
     * @param name the encoder's name in messages
     * @throws InvalidEncoderException if the caller's pooling has no effect
     */
    EncoderSettings settings(GraphBinding binding, EncoderSettings given, String name) throws InvalidEncoderException {
        PoolingRules rules = binding.pooling();
        if (given.values().containsKey("pooling")) {
            refuseIdle(rules, name);
            return binding.settings();
        }
        Map<String, Value> used = new LinkedHashMap<>(binding.settings().values());
        Value pooling = outputs.pooling();
        if (pooling == null) {
            used.remove("pooling");
        } else if (rules == null) {
            used.put("pooling", pooling);
        } else if (rules.areSeparate()) {
            used.put("pooling", new Value(pooling.text(), used.get("pooling").source()));
        }
        return new EncoderSettings(used);
    }

    /**
     * Rejects a setting {@code pooling} that would have no effect.
     *
     * @throws InvalidEncoderException if all outputs are vectors, or a vector has its own entry
     */
    private void refuseIdle(PoolingRules given, String name) throws InvalidEncoderException {
        for (int k = 0; k < outputs.outputs().size(); k++) {
            EmbeddingOutput output = outputs.outputs().get(k);
            boolean vector = output.shape().length == 1 && !given.of(k).equals(List.of(Pooling.NONE));
            if (vector && (given.areSeparate() || outputs.areVectors())) {
                throw new InvalidEncoderException(name + " has an output " + output.name() + " [N, D], which has"
                        + " nothing to pool: " + (given.areSeparate() ? "use none for it in" : "remove")
                        + " the setting pooling,"
                        + " or choose an output with tokens or a feature map by the setting output");
            }
        }
    }
}
