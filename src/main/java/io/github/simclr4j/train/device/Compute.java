// SPDX-License-Identifier: Apache-2.0
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
 * The devices, precision, memory layout and threads of a training.
 *
 * @param computation device, precision and memory layout
 * @param others further devices that share each step; empty for a training on one device
 * @param threads number of threads that render views, at least 1
 * @since 0.1.0
 */
public record Compute(Computation computation, List<Device> others, int threads) {
    /** Copies the list. */
    public Compute {
        others = List.copyOf(others);
    }

    /** Describes a training on one device. */
    public Compute(Computation computation, int threads) {
        this(computation, List.of(), threads);
    }

    /**
     * Chooses a device and a precision, reports the choice, and sets the number of threads of libtorch.
     *
     * @param device {@code auto} (the first GPU, or the CPU if there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param precision the precision, or null for bfloat16 if the device supports it natively, else float32
     * @param threads CPU threads, 0 for libtorch's default
     * @param progress receives the choice
     * @throws IllegalArgumentException if the device's name is unknown, if the number of threads is negative or exceeds what this machine
     *     can use, or for float16 on the CPU
     * @throws IllegalStateException if a GPU is requested and there is none
     */
    public static Compute choose(String device, Precision precision, int threads, Progress progress) {
        return choose(List.of(device), precision, threads, progress);
    }

    /**
     * Chooses devices that share each step, and a precision. Replicas on the CPU share its threads equally, with at least one thread each.
     *
     * @param devices names as for one device; several devices must be different GPUs, or all {@code cpu}
     * @param precision the precision, or null for bfloat16 if all devices support it natively, else float32
     * @param threads CPU threads, 0 for libtorch's default
     * @param progress receives the choice
     * @throws IllegalArgumentException as for one device, and if these devices cannot share steps
     * @throws IllegalStateException if a requested GPU is not available
     */
    public static Compute choose(List<String> devices, Precision precision, int threads, Progress progress) {
        return choose(devices, precision, threads, progress, Devices.here(), NativeBfloat16.here());
    }

    static Compute choose(
            List<String> names,
            Precision precision,
            int threads,
            Progress progress,
            Devices devices,
            NativeBfloat16 natively) {
        if (threads < 0 || threads > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException("Threads must be at least 0 (libtorch's default) and at most "
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
            List<String> why = chosen.stream()
                    .map(d -> cpu ? natively.cpu() : natively.gpu(devices, Devices.index(d)))
                    .toList();
            boolean all = why.stream().noneMatch(Objects::isNull);
            used = all ? Precision.BFLOAT16 : Precision.FLOAT32;
            progress.line("precision " + used.text()
                    + (all
                            ? " (" + why.get(0) + ")"
                            : " (no native bfloat16 on " + (names.size() == 1 ? "this device)" : "all devices)")));
        }
        if (names.size() > 1) {
            progress.line("each step is shared by " + names.size() + (cpu ? " replicas on the CPU" : " GPUs"));
        }
        shareThreads(threads, cpu ? names.size() : 1);
        List<Device> where = chosen.stream()
                .map(d -> cpu ? Device.cpu() : Device.gpu(Devices.index(d)))
                .toList();
        return new Compute(
                new Computation(where.get(0), used, MemoryLayout.CHANNELS_LAST),
                where.subList(1, where.size()),
                threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
    }

    /** Divides the threads among replicas; threads that are started later use the same number. */
    private static void shareThreads(int threads, int replicas) {
        if (replicas == 1) {
            Torch.threads(threads);
        } else {
            int all = threads == 0 ? Torch.defaultThreads() : threads;
            Torch.threads(Math.max(1, all / replicas));
        }
    }

    private static IllegalArgumentException onCpu() {
        return new IllegalArgumentException(
                "float16 needs a GPU, but this run is on the CPU: choose bfloat16 or float32");
    }

    /** Returns the name of the device, {@code cpu} or {@code gpu:N}; names of several devices are separated by commas. */
    public String device() {
        return Stream.concat(Stream.of(computation.device()), others.stream())
                .map(d -> d.isGpu() ? "gpu:" + d.getDeviceId() : "cpu")
                .collect(Collectors.joining(","));
    }

    /** Returns the number of devices that share each step. */
    public int devices() {
        return 1 + others.size();
    }

    /** Returns the same devices and threads with another precision and memory layout. */
    public Compute with(Precision precision, MemoryLayout layout) {
        return new Compute(new Computation(computation.device(), precision, layout), others, threads);
    }

    /** Gives GPU memory that libtorch caches without using it back to the device. */
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
