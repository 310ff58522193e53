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
 * How ONNX Runtime runs an encoder.
 *
 * @param threads threads of one call, 0 for as many as ONNX Runtime likes, at most {@link #maxThreads()}
 * @param provider the execution provider, such as {@code cpu}, {@code cuda} or {@code cuda:1}, see {@link Provider}
 * @param batch images that go through the graph at once, 0 for a number that suits the machine (see
 *     {@link OnnxEncoder#batch()}); a file with a fixed batch has its own
 * @param winograd whether 3x3 convolutions may be done with fewer multiplications, where that is faster: on x86-64 processors with
 *     the provider {@code cpu}, in float32 files, with a heap of twelve times the file; features differ by
 *     rounding, some millionths of their mean absolute value
 * @param options session options by the names that ONNX Runtime has for them, such as
 *     {@code session.intra_op.allow_spinning}; a name that it does not know has no effect
 * @param customiser what else is set on the session, null for nothing
 */
public record RuntimeSettings(int threads, String provider, int batch, boolean winograd,
        Map<String, String> options, Customiser customiser) {
    /** The option that names optimisers to leave out, and the one that puts float16 weights into float32 operators. */
    private static final String DISABLED = "optimization.disable_specified_optimizers";
    private static final String HALF_WEIGHTS = "FuseFp16InitializerToFp32NodeTransformer";

    /** The CPU, with as many threads as ONNX Runtime likes. */
    public static final RuntimeSettings DEFAULT = new RuntimeSettings(0, "cpu", 0, true, Map.of(), null);

    /** Sets what it likes on the options of a session. It must not close them. */
    @FunctionalInterface
    public interface Customiser {
        /** Called once, after everything that these settings say is set. */
        void customise(SessionOptions options) throws OrtException;
    }

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of range, or there is no such provider
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
     * Returns the most threads that one call may have: four per processor, or 64 if that is more. ONNX Runtime hung with 1,000
     * threads on two processors.
     */
    public static int maxThreads() {
        return Math.max(64, 4 * Runtime.getRuntime().availableProcessors());
    }

    /** The same with another number of threads. */
    public RuntimeSettings withThreads(int count) {
        return new RuntimeSettings(count, provider, batch, winograd, options, customiser);
    }

    /** The same with another provider. */
    public RuntimeSettings withProvider(String name) {
        return new RuntimeSettings(threads, name, batch, winograd, options, customiser);
    }

    /** The same with another batch. */
    public RuntimeSettings withBatch(int images) {
        return new RuntimeSettings(threads, provider, images, winograd, options, customiser);
    }

    /** The same with or without Winograd's convolutions. */
    public RuntimeSettings withWinograd(boolean on) {
        return new RuntimeSettings(threads, provider, batch, on, options, customiser);
    }

    /** The same with more session options. */
    public RuntimeSettings withCustomiser(Customiser more) {
        return new RuntimeSettings(threads, provider, batch, winograd, options, more);
    }

    /** The same with other session options by name. */
    public RuntimeSettings withOptions(Map<String, String> byName) {
        return new RuntimeSettings(threads, provider, batch, winograd, byName, customiser);
    }

    /** Whether Winograd's convolutions are allowed, and the machine is one on which they were found to be faster. */
    boolean fewerMultiplications() {
        return winograd && Provider.of(provider) == Provider.CPU
                && Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
    }

    /**
     * Whether a graph has float16 values and matrix products, or operators of other domains. In some of these (a product of a
     * transposed value, as in a vision transformer) an optimiser of ONNX Runtime 1.28, and of 1.30, ends the process with SIGSEGV.
     * Without it float16 weights are made float32 in every run, so that convolutional networks keep it.
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
                        || graph.getInputList().stream().anyMatch(v -> isHalf(v.getType().getTensorType().getElemType()));
                continue;
            }
            NodeProto node = nodes.pop();
            products |= node.getOpType().equals("MatMul") || !node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx");
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
     * Sets all of it but the batch on the options of a session.
     *
     * @param model what the session will be of
     * @throws IllegalArgumentException if ONNX Runtime refuses a session option; the message names it
     * @throws IllegalStateException if the execution provider is not there
     */
    public void apply(SessionOptions session, ModelProto model) throws OrtException {
        // What goes wrong is in the exception.
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
                throw new IllegalArgumentException("ONNX Runtime refuses the session option " + e.getKey() + "=" + e.getValue()
                        + ": " + refused.getMessage(), refused);
            }
        }
        Provider.add(provider, session);
        if (customiser != null) {
            customiser.customise(session);
        }
    }
}
