package io.github.simclr4j.train.device;

import ai.djl.Device;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where and how a training computes.
 *
 * @param computation device, precision and memory layout
 * @param others devices that share each step with that of {@code computation}; none for a training on one device
 * @param threads that make views, at least 1
 */
public record Compute(Computation computation, List<Device> others, int threads) {
    /** Copies the list. */
    public Compute {
        others = List.copyOf(others);
    }

    /** Computes on one device. */
    public Compute(Computation computation, int threads) {
        this(computation, List.of(), threads);
    }

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
        return choose(List.of(device), precision, threads, progress);
    }

    /**
     * Chooses devices that share each step, and a precision, as for one device. Replicas on the CPU share its threads: each has an
     * equal part of them, at least one.
     *
     * @param devices names as for one device; several are GPUs, each named once, or all {@code cpu}
     * @param precision the precision, or null for bfloat16 where all devices compute with it natively, else float32
     * @throws IllegalArgumentException as for one device, and if these devices can't share steps
     * @throws IllegalStateException if a GPU is asked for and is not there
     */
    public static Compute choose(List<String> devices, Precision precision, int threads, Progress progress) {
        return choose(devices, precision, threads, progress, Devices.here(), NativeBfloat16.here());
    }

    static Compute choose(List<String> names, Precision precision, int threads, Progress progress, Devices devices,
            NativeBfloat16 natively) {
        if (threads < 0 || threads > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException("Threads must be at least 0 (libtorch's own choice), at most "
                    + RuntimeSettings.maxThreads() + " on this machine, found " + threads);
        }
        Devices.check(names);
        if (precision == Precision.FLOAT16 && names.contains("cpu")) {
            throw onCpu();
        }
        String first = devices.choose(names.get(0), progress);
        boolean cpu = first.equals("cpu");
        if (precision == Precision.FLOAT16 && cpu) {
            throw onCpu();
        }
        List<String> chosen = new ArrayList<>(List.of(first));
        for (String name : names.subList(1, names.size())) {
            chosen.add(cpu ? first : devices.choose(name, progress));
        }
        Precision used = precision;
        if (used == null) {
            List<String> why = chosen.stream().map(d -> cpu ? natively.cpu() : natively.gpu(devices, Devices.index(d))).toList();
            boolean all = why.stream().noneMatch(Objects::isNull);
            used = all ? Precision.BFLOAT16 : Precision.FLOAT32;
            progress.line("precision " + used.text() + (all ? " (" + why.get(0) + ")"
                    : " (no native bfloat16 on " + (names.size() == 1 ? "this device)" : "all devices)")));
        }
        if (names.size() > 1) {
            progress.line("each step is shared by " + names.size() + (cpu ? " replicas on the CPU" : " GPUs"));
        }
        shareThreads(threads, cpu ? names.size() : 1);
        List<Device> where = chosen.stream().map(d -> cpu ? Device.cpu() : Device.gpu(Devices.index(d))).toList();
        return new Compute(new Computation(where.get(0), used, MemoryLayout.CHANNELS_LAST), where.subList(1, where.size()),
                threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
    }

    /** Threads that are started later have the number that is set here, too. */
    private static void shareThreads(int threads, int replicas) {
        if (replicas == 1) {
            Torch.threads(threads);
        } else {
            int all = threads == 0 ? Torch.threads() : threads;
            Torch.threads(Math.max(1, all / replicas));
        }
    }

    private static IllegalArgumentException onCpu() {
        return new IllegalArgumentException("float16 needs a GPU, and this run is on the CPU: choose bfloat16 or float32");
    }

    /** Returns the device as it is named, {@code cpu} or {@code gpu:N}; several with commas between them. */
    public String device() {
        return Stream.concat(Stream.of(computation.device()), others.stream()).map(d -> d.isGpu() ? "gpu:" + d.getDeviceId() : "cpu")
                .collect(Collectors.joining(","));
    }

    /** Returns how many devices share each step. */
    public int devices() {
        return 1 + others.size();
    }

    /** Returns the same devices and threads with another way to compute. */
    public Compute with(Precision precision, MemoryLayout layout) {
        return new Compute(new Computation(computation.device(), precision, layout), others, threads);
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
