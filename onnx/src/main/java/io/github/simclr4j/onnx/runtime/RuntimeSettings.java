// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The settings of ONNX Runtime for an encoder.
 *
 * @param threads threads per call, at most {@link #maxThreads()}; 0 lets ONNX Runtime choose
 * @param provider the execution provider, such as {@code cpu}, {@code cuda} or {@code cuda:1}, see {@link Provider}
 * @param batch maximum number of images per run of the graph, at most 65,536; 0 chooses a number that suits the machine (see
 *     {@link OnnxEncoder#batch()}). Ignored if the file fixes the batch size
 * @param winograd whether 3x3 convolutions may use Winograd's algorithm where that is faster: on x86-64 processors with the provider
 *     {@code cpu}, for float32 files, if the maximum heap is at least twelve times the file's size. Features differ by rounding errors
 *     of some millionths of their mean absolute value. {@link OnnxEncoder#usesWinograd()} tells whether it is used
 * @param options session options by ONNX Runtime's names for them, such as {@code session.intra_op.allow_spinning}. ONNX Runtime
 *     ignores unknown names
 * @param customiser sets further options of the session, or null
 * @since 0.1.0
 */
public record RuntimeSettings(
        int threads, String provider, int batch, boolean winograd, Map<String, String> options, Customiser customiser) {
    /** The option that disables graph optimizers, and the optimizer that casts float16 weights for float32 operators. */
    private static final String DISABLED = "optimization.disable_specified_optimizers";

    private static final String HALF_WEIGHTS = "FuseFp16InitializerToFp32NodeTransformer";

    /** The CPU, with the number of threads that ONNX Runtime chooses. */
    public static final RuntimeSettings DEFAULT = new RuntimeSettings(0, "cpu", 0, true, Map.of(), null);

    /** Sets further options of a session. */
    @FunctionalInterface
    public interface Customiser {
        /**
         * Called once per session, after all other settings were applied.
         *
         * @param options the options of the session, which must not be closed
         * @throws OrtException if ONNX Runtime rejects an option
         */
        void customise(SessionOptions options) throws OrtException;
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a value is out of range, or there is no such provider
     */
    public RuntimeSettings {
        if (threads < 0 || threads > maxThreads() || batch < 0 || batch > 65_536) {
            throw new IllegalArgumentException("Expected at least 0 threads, at most " + maxThreads()
                    + " on this machine, and a batch of 0 to 65536, found " + threads + " and " + batch);
        }
        Provider.of(provider);
        options.forEach((key, value) -> {
            if (key == null || key.isBlank() || value == null) {
                throw new IllegalArgumentException("Expected session options with a name and a value, such as"
                        + " session.intra_op.allow_spinning=0, found " + key + "=" + value);
            }
        });
        options = Collections.unmodifiableMap(new TreeMap<>(options));
    }

    /**
     * Returns the maximum number of threads per call: four per processor, but at least 64. The limit exists because ONNX Runtime hung
     * with 1,000 threads on two processors.
     */
    public static int maxThreads() {
        return Math.max(64, 4 * Runtime.getRuntime().availableProcessors());
    }

    /**
     * Returns these settings with another number of threads.
     *
     * @param count threads per call; 0 lets ONNX Runtime choose
     */
    public RuntimeSettings withThreads(int count) {
        return new RuntimeSettings(count, provider, batch, winograd, options, customiser);
    }

    /**
     * Returns these settings with another execution provider.
     *
     * @param name the provider, such as {@code cuda:1}
     */
    public RuntimeSettings withProvider(String name) {
        return new RuntimeSettings(threads, name, batch, winograd, options, customiser);
    }

    /**
     * Returns these settings with another batch size.
     *
     * @param images maximum number of images per run; 0 chooses a suitable number
     */
    public RuntimeSettings withBatch(int images) {
        return new RuntimeSettings(threads, provider, images, winograd, options, customiser);
    }

    /**
     * Returns these settings with Winograd's algorithm allowed or not.
     *
     * @param on whether it is allowed
     */
    public RuntimeSettings withWinograd(boolean on) {
        return new RuntimeSettings(threads, provider, batch, on, options, customiser);
    }

    /**
     * Returns these settings with another customiser.
     *
     * @param more sets further options of the session, or null
     */
    public RuntimeSettings withCustomiser(Customiser more) {
        return new RuntimeSettings(threads, provider, batch, winograd, options, more);
    }

    /**
     * Returns these settings with other session options.
     *
     * @param byName session options by ONNX Runtime's names for them
     */
    public RuntimeSettings withOptions(Map<String, String> byName) {
        return new RuntimeSettings(threads, provider, batch, winograd, byName, customiser);
    }

    /** Returns whether Winograd's algorithm is allowed and was measured to be faster on this kind of machine. */
    boolean fewerMultiplications() {
        return winograd
                && Provider.of(provider) == Provider.CPU
                && Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
    }

    /**
     * Returns whether a graph has float16 values and also matrix products or operators of other domains. In some of these graphs, such
     * as those with a product of a transposed value in a vision transformer, an optimizer of ONNX Runtime 1.28 to 1.30 crashes the
     * process with SIGSEGV. Without that optimizer float16 weights are cast to float32 in every run, so it stays enabled for
     * convolutional networks.
     */
    static boolean hasHalfProducts(ModelProto model) {
        Deque<NodeProto> nodes = new ArrayDeque<>();
        Deque<GraphProto> graphs = new ArrayDeque<>(List.of(model.getGraph()));
        model.getFunctionsList().forEach(f -> nodes.addAll(f.getNodeList()));
        boolean half = false;
        boolean products = false;
        while (!graphs.isEmpty() || !nodes.isEmpty()) {
            if (nodes.isEmpty()) {
                GraphProto graph = graphs.pop();
                nodes.addAll(graph.getNodeList());
                half |= graph.getInitializerList().stream().anyMatch(t -> isHalf(t.getDataType()))
                        || graph.getInputList().stream()
                                .anyMatch(
                                        v -> isHalf(v.getType().getTensorType().getElemType()));
                continue;
            }
            NodeProto node = nodes.pop();
            products |= node.getOpType().equals("MatMul")
                    || !node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx");
            for (AttributeProto a : node.getAttributeList()) {
                half |= isHalf(a.getT().getDataType()) || a.getName().equals("to") && isHalf((int) a.getI());
                if (a.hasG()) {
                    graphs.add(a.getG());
                }
                graphs.addAll(a.getGraphsList());
            }
        }
        return half && products;
    }

    private static boolean isHalf(int type) {
        return type == TensorProto.DataType.FLOAT16_VALUE;
    }

    /**
     * Applies all settings except the batch size to the options of a session.
     *
     * @param session the options of the session
     * @param model the model to be opened
     * @throws IllegalArgumentException if ONNX Runtime rejects a session option; the message names it
     * @throws IllegalStateException if the execution provider is not available
     * @throws OrtException if ONNX Runtime can't apply a setting
     */
    public void apply(SessionOptions session, ModelProto model) throws OrtException {
        // Exceptions report all errors.
        session.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
        if (threads > 0) {
            session.setIntraOpNumThreads(threads);
        }
        Map<String, String> all = new TreeMap<>(options);
        if (hasHalfProducts(model)) {
            all.merge(DISABLED, HALF_WEIGHTS, (theirs, ours) -> theirs + ";" + ours);
        }
        for (Map.Entry<String, String> e : all.entrySet()) {
            try {
                session.addConfigEntry(e.getKey(), e.getValue());
            } catch (OrtException refused) {
                throw new IllegalArgumentException(
                        "ONNX Runtime rejects the session option " + e.getKey() + "=" + e.getValue() + ": "
                                + refused.getMessage(),
                        refused);
            }
        }
        Provider.add(provider, session);
        if (customiser != null) {
            customiser.customise(session);
        }
    }
}
