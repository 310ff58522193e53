package io.github.simclr4j.onnx.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.providers.CoreMLFlags;
import io.github.simclr4j.onnx.internal.NativeRuntime;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What ONNX Runtime computes with. The published library has the CPU; the others need a build that has them. */
public enum Provider {
    /** Every machine. */
    CPU(OrtProvider.CPU, ""),
    /** NVIDIA GPUs. */
    CUDA(OrtProvider.CUDA, "onnxruntime_gpu"),
    /** NVIDIA GPUs, compiled by TensorRT; what it can't compile goes to CUDA. */
    TENSORRT(OrtProvider.TENSOR_RT, "onnxruntime_gpu"),
    /** Apple's machines. */
    COREML(OrtProvider.CORE_ML, "onnxruntime on macOS"),
    /** GPUs under Windows. */
    DIRECTML(OrtProvider.DIRECT_ML, "a build with DirectML"),
    /** Intel's CPUs, GPUs and NPUs. */
    OPENVINO(OrtProvider.OPEN_VINO, "a build with OpenVINO"),
    /** Arm and x86 CPUs, by XNNPACK's kernels. */
    XNNPACK(OrtProvider.XNNPACK, "a build with XNNPACK");

    private final OrtProvider provider;
    private final String where;

    Provider(OrtProvider provider, String where) {
        this.provider = provider;
        this.where = where;
    }

    /** Those that ONNX Runtime on this class path has. */
    public static Set<Provider> available() {
        NativeRuntime.load();
        Set<OrtProvider> built = OrtEnvironment.getAvailableProviders();
        return List.of(values()).stream().filter(p -> built.contains(p.provider))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Provider.class)));
    }

    /**
     * The provider of a name such as {@code cuda} or {@code cuda:1}.
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    public static Provider of(String name) {
        try {
            return valueOf(name.split(":", 2)[0].toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("Unknown execution provider, expected " + names(Set.of(values()))
                    + ", a device may follow as in cuda:1, found " + name, e);
        }
    }

    private static String names(Set<Provider> providers) {
        return providers.stream().sorted().map(p -> p.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "));
    }

    /**
     * Adds the provider of a name to some options.
     *
     * @throws IllegalStateException if this ONNX Runtime or this machine lacks it; the message says what it has
     */
    static void add(String name, SessionOptions options) {
        Provider p = of(name);
        Set<Provider> available = available();
        if (!available.contains(p)) {
            throw new IllegalStateException("This ONNX Runtime has no execution provider " + name + ", it has "
                    + names(available) + ": put " + p.where + " of the same version on the class path instead");
        }
        String device = name.contains(":") ? name.substring(name.indexOf(':') + 1) : "";
        try {
            int number = device.isEmpty() || p == OPENVINO ? 0 : Integer.parseInt(device);
            switch (p) {
                case CPU -> { }
                case CUDA -> options.addCUDA(number);
                case TENSORRT -> {
                    options.addTensorrt(number);
                    options.addCUDA(number);
                }
                case COREML -> options.addCoreML(EnumSet.noneOf(CoreMLFlags.class));
                case DIRECTML -> {
                    // The provider's own conditions.
                    options.setMemoryPatternOptimization(false);
                    options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
                    options.addDirectML(number);
                }
                case OPENVINO -> options.addOpenVINO(device.isEmpty() ? "CPU" : device);
                case XNNPACK -> options.addXnnpack(Map.of());
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("Expected the number of a device, found " + name, e);
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime has the execution provider " + name
                    + ", but it does not start here: " + e.getMessage(), e);
        }
    }
}
