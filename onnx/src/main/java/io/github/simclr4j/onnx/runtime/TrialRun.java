package io.github.simclr4j.onnx.runtime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.OneLine;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * What a first run on images of zeros shows of a graph.
 *
 * @param output how the embedding is read
 * @param fixedBatch the batch that the graph needs, 0 for any
 * @param pooling how tokens or places become an embedding if that was chosen here, else null
 */
record TrialRun(EmbeddingOutput output, int fixedBatch, Value pooling) {
    /** What the buffers of a batch may take, in bytes, where the file says how large it is. */
    static final long MAX_BUFFER = 1L << 29;

    /**
     * Runs the graph once.
     *
     * @throws InvalidEncoderException if it can't be run, or gives no embedding
     * @throws OrtException if a tensor can't be made
     */
    static TrialRun of(OrtSession session, GraphBinding binding, ImageInput input, String name)
            throws OrtException, InvalidEncoderException {
        // Two images show whether a batch that the file calls free is so; some graphs have a 1 inside.
        int[] tries = binding.batch() > 0 ? new int[] {binding.batch()} : new int[] {2, 1};
        InvalidEncoderException first = null;
        for (int n : tries) {
            long bytes = (long) n * input.bytes();
            if (bytes > MAX_BUFFER) {
                throw new InvalidEncoderException(name + " takes " + bytes + " bytes at once, expected at most " + MAX_BUFFER);
            }
            try (OnnxTensor in = input.tensor(input.buffer(n), n);
                    OrtSession.Result out = session.run(Map.of(binding.input(), in), Set.of(binding.output()))) {
                OnnxValue value = out.get(0);
                if (!(value.getInfo() instanceof TensorInfo info)) {
                    throw new InvalidEncoderException(
                            name + " is no image encoder: its output " + binding.output() + " is no tensor");
                }
                if (info.type != OnnxJavaType.FLOAT && info.type != OnnxJavaType.FLOAT16) {
                    throw new InvalidEncoderException(name + " is no image encoder: expected an output of type float32 or"
                            + " float16, found " + binding.output() + " of type " + info.type);
                }
                long[] shape = info.getShape();
                if (shape.length < 2 || shape[0] != n) {
                    throw new InvalidEncoderException(name + " is no image encoder: expected an output [" + n
                            + ", dimension] for " + n + " images, found " + binding.output() + " " + Arrays.toString(shape));
                }
                EmbeddingOutput.Choice choice = EmbeddingOutput.of(shape, info.type == OnnxJavaType.FLOAT16, binding, name);
                return new TrialRun(choice.output(), binding.batch() == 0 && n == 2 ? 0 : n, choice.pooling());
            } catch (OrtException e) {
                first = first != null ? first
                        : new InvalidEncoderException(name + ": ONNX Runtime can't run it: " + OneLine.of(e.getMessage()), e);
            } catch (InvalidEncoderException e) {
                first = first != null ? first : e;
            }
        }
        throw first;
    }
}
