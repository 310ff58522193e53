package io.github.simclr4j.train.device;

import ai.djl.Device;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;

/**
 * Where and how a training computes.
 *
 * @param computation device, precision and memory layout
 * @param threads that make views, at least 1
 */
public record Compute(Computation computation, int threads) {

    /**
     * Chooses a device and a precision, says what was taken, and sets the threads of libtorch.
     *
     * @param device {@code auto} (the first GPU, or the CPU where there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param precision the precision, or null for bfloat16 where the device computes with it natively, else float32
     * @param threads on the CPU, 0 for libtorch's own choice
     * @param progress who is told of it
     * @throws IllegalArgumentException if the device's name is none of these, if the number of threads is negative or more than a
     *     machine like this can use, or for float16 on
     *     the CPU
     * @throws IllegalStateException if a GPU is asked for and there is none
     */
    public static Compute choose(String device, Precision precision, int threads, Progress progress) {
        return choose(device, precision, threads, progress, Devices.here(), NativeBfloat16.here());
    }

    static Compute choose(String device, Precision precision, int threads, Progress progress, Devices devices,
            NativeBfloat16 natively) {
        if (threads < 0 || threads > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException("Threads must be at least 0 (libtorch's own choice), at most "
                    + RuntimeSettings.maxThreads() + " on this machine, found " + threads);
        }
        if (precision == Precision.FLOAT16 && device.equals("cpu")) {
            throw onCpu();
        }
        String chosen = devices.choose(device, progress);
        boolean cpu = chosen.equals("cpu");
        if (precision == Precision.FLOAT16 && cpu) {
            throw onCpu();
        }
        Precision used = precision;
        if (used == null) {
            String why = cpu ? natively.cpu() : natively.gpu(devices, Devices.index(chosen));
            used = why == null ? Precision.FLOAT32 : Precision.BFLOAT16;
            progress.line("precision " + used.text() + (why == null ? " (no native bfloat16 on this device)" : " (" + why + ")"));
        }
        Torch.threads(threads);
        Device where = cpu ? Device.cpu() : Device.gpu(Devices.index(chosen));
        return new Compute(new Computation(where, used, MemoryLayout.CHANNELS_LAST),
                threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
    }

    private static IllegalArgumentException onCpu() {
        return new IllegalArgumentException("float16 needs a GPU, and this run is on the CPU: choose bfloat16 or float32");
    }

    /** Returns the device as it is named: {@code cpu} or {@code gpu:N}. */
    public String device() {
        Device d = computation.device();
        return d.isGpu() ? "gpu:" + d.getDeviceId() : "cpu";
    }

    /** Returns the same device and threads with another way to compute. */
    public Compute with(Precision precision, MemoryLayout layout) {
        return new Compute(new Computation(computation.device(), precision, layout), threads);
    }

    /** Gives memory of a GPU back that libtorch keeps although nothing needs it any more. */
    public void releaseMemory() {
        Torch.releaseMemory(computation.device());
    }

    /** Returns the memory layout of feature maps. */
    public MemoryLayout layout() {
        return computation.layout();
    }

    /** Returns the precision. */
    public Precision precision() {
        return computation.precision();
    }
}
