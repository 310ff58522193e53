package io.github.simclr4j.train.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.util.cuda.CudaUtils;
import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.train.device.Environment;
import io.github.simclr4j.util.Progress;
import java.lang.management.MemoryUsage;
import java.nio.file.Path;
import java.util.Collection;
import java.util.function.UnaryOperator;

/** The one adapter to DJL's PyTorch engine: library, device, threads and gradient mode. */
public final class Torch {
    private static final ThreadLocal<Boolean> RECORDING = ThreadLocal.withInitial(() -> false);

    private Torch() {}

    public static Engine engine() {
        return Engine.getEngine("PyTorch");
    }

    /**
     * Chooses the device; what was chosen and why goes to the log.
     *
     * @param name {@code auto} (the first GPU, or the CPU where there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @throws IllegalArgumentException if the name is none of these
     * @throws IllegalStateException if a GPU is asked for and there is none; it never falls back
     */
    public static Device device(String name) {
        return device(name, Devices.LOG);
    }

    /** The same, told to a listener. */
    public static Device device(String name, Progress progress) {
        String chosen = Devices.here().choose(name, progress);
        return chosen.equals("cpu") ? Device.cpu() : Device.gpu(Devices.index(chosen));
    }

    /** Loads the engine and says what it loaded. */
    public static Environment.Library library() {
        Engine engine = engine();
        return new Environment.Library(
                engine.getVersion(), Path.of(LibUtils.getLibtorchPath()), engine.hasCapability("CUDA"));
    }

    /**
     * Adds a few numbers on a GPU. Counting GPUs is not enough: DJL counts them through a CUDA runtime that need not be
     * installed, and a GPU may be there that the library has no code for, or that this user may not use.
     *
     * @return null, or what went wrong
     */
    public static String probe(int gpu) {
        try (NDManager manager = engine().newBaseManager(Device.gpu(gpu))) {
            float sum = manager.ones(new Shape(8)).sum().toFloatArray()[0];
            return sum == 8 ? null : "the sum of eight ones came out as " + sum;
        } catch (EngineException e) {
            return e.getMessage();
        }
    }

    /**
     * Bytes that are free on a GPU. Where the engine runs without the CUDA runtime that DJL asks for them, which is rare, there is
     * nothing to ask, and all is taken to be free.
     */
    public static long freeMemory(Device gpu) {
        try {
            MemoryUsage usage = CudaUtils.getGpuMemory(gpu);
            return usage.getMax() - usage.getUsed();
        } catch (IllegalStateException e) {
            return Long.MAX_VALUE;
        }
    }

    /** Whether all values of some float tensors are numbers. */
    public static boolean finite(Collection<NDArray> tensors) {
        for (NDArray a : tensors) {
            if (a.getDataType().isFloating()) {
                try (NDManager m = a.getManager().newSubManager()) {
                    // x - x is 0, or no number.
                    NDArray zero = alias(a, m);
                    if (!(zero.sub(zero).sum().toType(DataType.FLOAT64, true).toDoubleArray()[0] == 0)) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    /** Sets the threads of one operation on the CPU; 0 leaves libtorch's own choice. */
    public static void threads(int threads) {
        engine();
        if (threads > 0) {
            JniUtils.setNumThreads(threads);
        }
    }

    /** Turns gradients off on this thread: they are on by default on every thread but the one that loaded the engine. */
    public static void noGradient() {
        engine();
        JniUtils.setGradMode(false);
    }

    /**
     * The same tensor for another manager. What is computed belongs to the manager of the first operand: with an alias as the
     * operand the results go with that manager, the operand stays. Gradients pass through.
     */
    public static NDArray alias(NDArray x, NDManager manager) {
        NDArray alias = x.reshape(x.getShape());
        alias.attach(manager);
        return alias;
    }

    /**
     * Changes a tensor and frees what the change needed on its way, and the tensor unless it is the caller's. What a backward pass
     * needs of it the graph keeps itself.
     *
     * @param callers a tensor to leave open
     * @param change may give back what it was given
     * @return the result, owned by the manager of x
     */
    public static NDArray replace(NDArray x, NDArray callers, UnaryOperator<NDArray> change) {
        NDManager owner = x.getManager();
        NDArray result;
        try (NDManager scratch = owner.newSubManager()) {
            NDArray alias = alias(x, scratch);
            result = change.apply(alias);
            if (result == alias) {
                return x;
            }
            result.attach(owner);
        }
        if (x != callers) {
            x.close();
        }
        return result;
    }

    /** Clears a weight's gradient, which otherwise adds up. */
    public static void zeroGradient(NDArray weight) {
        JniUtils.zeroGrad((PtNDArray) weight);
    }

    static Object compile(String methods, NDManager manager) {
        try {
            JniUtils.setGraphExecutorOptimize(false);
            return JniUtils.loadModule((ai.djl.pytorch.engine.PtNDManager) manager,
                    new java.io.ByteArrayInputStream(TmpArchive.of("class Net(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n" + methods)), false, false);
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static ai.djl.ndarray.NDList run(Object block, String method, boolean gradients, ai.djl.ndarray.NDList inputs) {
        JniUtils.setGraphExecutorOptimize(false);
        if (!gradients) { JniUtils.setGradMode(false); } else { JniUtils.setGradMode(true); }
        ai.djl.ndarray.NDList in = new ai.djl.ndarray.NDList(inputs);
        try (NDArray m = inputs.get(0).getManager().zeros(new Shape(1))) {
            m.setName("module_method:" + method);
            in.add(m);
            return ai.djl.pytorch.jni.IValueUtils.forward((ai.djl.pytorch.engine.PtSymbolBlock) block, in, true);
        } finally {
            JniUtils.setGradMode(RECORDING.get());
        }
    }

    /** Records what some work computes on this thread, so that gradients can be taken through it. */
    public static <T> T recording(java.util.function.Supplier<T> work) {
        JniUtils.setGradMode(true);
        RECORDING.set(true);
        try {
            return work.get();
        } finally {
            RECORDING.set(false);
            JniUtils.setGradMode(false);
        }
    }
}
