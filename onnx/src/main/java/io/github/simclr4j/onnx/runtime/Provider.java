// SPDX-License-Identifier: Apache-2.0
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

/**
 * The execution providers of ONNX Runtime. The published library contains the CPU provider; the others need a build of ONNX Runtime that
 * contains them.
 *
 * @since 0.1.0
 */
public enum Provider {
    /** CPUs of all kinds. */
    CPU(OrtProvider.CPU, ""),
    /** NVIDIA GPUs, by CUDA. */
    CUDA(OrtProvider.CUDA, "onnxruntime_gpu"),
    /** NVIDIA GPUs, by TensorRT, with CUDA as the fallback for operators that TensorRT can't compile. */
    TENSORRT(OrtProvider.TENSOR_RT, "onnxruntime_gpu"),
    /** Apple devices, by Core ML. */
    COREML(OrtProvider.CORE_ML, "onnxruntime on macOS"),
    /** GPUs on Windows, by DirectML. */
    DIRECTML(OrtProvider.DIRECT_ML, "a build with DirectML"),
    /** Intel CPUs, GPUs and NPUs, by OpenVINO. */
    OPENVINO(OrtProvider.OPEN_VINO, "a build with OpenVINO"),
    /** Arm and x86 CPUs, by XNNPACK. */
    XNNPACK(OrtProvider.XNNPACK, "a build with XNNPACK");

    private final OrtProvider provider;
    private final String where;

    Provider(OrtProvider provider, String where) {
        this.provider = provider;
        this.where = where;
    }

    /** Returns the providers of the ONNX Runtime on the class path. */
    public static Set<Provider> available() {
        NativeRuntime.load();
        Set<OrtProvider> built = OrtEnvironment.getAvailableProviders();
        return List.of(values()).stream()
                .filter(p -> built.contains(p.provider))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Provider.class)));
    }

    /**
     * Returns the provider with a name such as {@code cuda} or {@code cuda:1}.
     *
     * @param name the name in lower case; the number of a device may follow after a colon
     * @throws IllegalArgumentException if there is no such provider
     */
    public static Provider of(String name) {
        try {
            return valueOf(name.split(":", 2)[0].toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "Unknown execution provider, expected " + names(Set.of(values()))
                            + ", optionally with a device as in cuda:1, found " + name,
                    e);
        }
    }

    private static String names(Set<Provider> providers) {
        return providers.stream()
                .sorted()
                .map(p -> p.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
    }

    /**
     * Adds the provider with a name to session options.
     *
     * @throws IllegalStateException if this ONNX Runtime or this machine lacks the provider; the message lists the available ones
     */
    static void add(String name, SessionOptions options) {
        Provider p = of(name);
        Set<Provider> available = available();
        if (!available.contains(p)) {
            throw new IllegalStateException("This ONNX Runtime has no execution provider " + name + ", it has "
                    + names(available) + ": replace it on the class path by " + p.where + " of the same version");
        }
        String device = name.contains(":") ? name.substring(name.indexOf(':') + 1) : "";
        try {
            int number = device.isEmpty() || p == OPENVINO ? 0 : Integer.parseInt(device);
            switch (p) {
                case CPU -> {}
                case CUDA -> options.addCUDA(number);
                case TENSORRT -> {
                    options.addTensorrt(number);
                    options.addCUDA(number);
                }
                case COREML -> options.addCoreML(EnumSet.noneOf(CoreMLFlags.class));
                case DIRECTML -> {
                    // DirectML requires these settings.
                    options.setMemoryPatternOptimization(false);
                    options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
                    options.addDirectML(number);
                }
                case OPENVINO -> options.addOpenVINO(device.isEmpty() ? "CPU" : device);
                case XNNPACK -> options.addXnnpack(Map.of());
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("Expected a device number after the colon, found " + name, e);
        } catch (OrtException e) {
            throw new IllegalStateException(
                    "ONNX Runtime has the execution provider " + name
                            + ", but it can't be initialised on this machine: " + e.getMessage(),
                    e);
        }
    }
}
