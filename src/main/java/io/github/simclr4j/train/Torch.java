package io.github.simclr4j.train;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one adapter to DJL's PyTorch engine: device, threads and gradient mode. */
final class Torch {
    private static final Pattern GPU = Pattern.compile("gpu(?::(\\d+))?");

    private Torch() {}

    static Engine engine() {
        return Engine.getEngine("PyTorch");
    }

    /**
     * Chooses the device.
     *
     * @param name {@code auto} (the first GPU, or the CPU where there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @throws IllegalArgumentException if the name is none of these
     * @throws IllegalStateException if a GPU is asked for and there is none; it never falls back
     */
    static Device device(String name) {
        if (name.equals("cpu")) {
            return Device.cpu();
        }
        boolean auto = name.equals("auto");
        Matcher m = GPU.matcher(name);
        if (!auto && !m.matches()) {
            throw new IllegalArgumentException("Unknown device, expected auto, cpu, gpu or gpu:N, found " + name);
        }
        int gpus = engine().hasCapability("CUDA") ? engine().getGpuCount() : 0;
        if (auto) {
            return gpus > 0 ? Device.gpu(0) : Device.cpu();
        }
        int index = m.group(1) == null ? 0 : Integer.parseInt(m.group(1));
        if (index >= gpus) {
            throw new IllegalStateException("No " + name + " here: " + gpus + " GPUs are usable with this libtorch; "
                    + "use --device cpu, or a libtorch with CUDA");
        }
        return Device.gpu(index);
    }

    /** Sets the threads of one operation on the CPU; 0 leaves libtorch's own choice. */
    static void threads(int threads) {
        engine();
        if (threads > 0) {
            JniUtils.setNumThreads(threads);
        }
    }

    /** Turns gradients off on this thread: they are on by default on every thread but the one that loaded the engine. */
    static void noGradient() {
        engine();
        JniUtils.setGradMode(false);
    }

    /** Clears a weight's gradient, which otherwise adds up. */
    static void zeroGradient(NDArray weight) {
        JniUtils.zeroGrad((PtNDArray) weight);
    }
}
