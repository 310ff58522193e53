// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.util.cuda.CudaUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.MemoryUsage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The adapter to DJL's PyTorch engine: library, devices, threads, gradient mode and calls of scripts.
 *
 * @since 0.1.0
 */
public final class Torch {
    private static volatile Engine engine;
    /** libtorch's default number of CPU threads of one operation; written before {@link #engine}. */
    private static int defaultThreads;

    private Torch() {}

    /**
     * The loaded native library.
     *
     * @param version version of libtorch
     * @param folder folder of libtorch
     * @param cuda whether it can use GPUs
     */
    public record Library(String version, Path folder, boolean cuda) {}

    /** Returns DJL's PyTorch engine; the first call loads libtorch. */
    public static Engine engine() {
        if (engine == null) {
            synchronized (Torch.class) {
                if (engine == null) {
                    Engine loaded = LibraryCache.ofDjl().load(() -> Engine.getEngine("PyTorch"));
                    defaultThreads = JniUtils.getNumThreads();
                    engine = loaded;
                }
            }
        }
        return engine;
    }

    /** Loads the engine and returns the loaded library. */
    public static Library library() {
        Engine engine = engine();
        return new Library(engine.getVersion(), Path.of(LibUtils.getLibtorchPath()), engine.hasCapability("CUDA"));
    }

    /**
     * Tests a GPU by adding a few numbers on it.
     *
     * <p>Counting GPUs is not enough. DJL counts them through a CUDA runtime that need not be installed, the library may have no code
     * for a GPU, and the user may lack the permission to use it.
     *
     * @param gpu index of the GPU
     * @return null on success, else the error
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
     * Returns the free memory of a GPU in bytes.
     *
     * <p>DJL reads it through the CUDA runtime. In the rare case that the engine runs without it, the method returns
     * {@link Long#MAX_VALUE}.
     */
    public static long freeMemory(Device gpu) {
        try {
            MemoryUsage usage = CudaUtils.getGpuMemory(gpu);
            return usage.getMax() - usage.getUsed();
        } catch (IllegalStateException e) {
            return Long.MAX_VALUE;
        }
    }

    /** Gives GPU memory that libtorch caches without using it back to the device. */
    public static void releaseMemory(Device device) {
        if (device.isGpu()) {
            JniUtils.emptyCudaCache();
        }
    }

    /** Sets the number of CPU threads of one operation; 0 sets libtorch's {@linkplain #defaultThreads default}. */
    public static void threads(int threads) {
        JniUtils.setNumThreads(threads > 0 ? threads : defaultThreads());
    }

    /** Returns libtorch's default number of CPU threads of one operation, whatever {@link #threads(int)} has set since. */
    public static int defaultThreads() {
        engine();
        return defaultThreads;
    }

    /** Returns the number of CPU threads of one operation that this thread calls. */
    public static int threads() {
        engine();
        return JniUtils.getNumThreads();
    }

    /** Turns gradients off on this thread; by default they are on for every thread except the one that loaded the engine. */
    public static void noGradient() {
        engine();
        JniUtils.setGradMode(false);
    }

    /** Runs work while this thread records operations, so that {@link Gradients} can differentiate them. */
    public static <T> T recording(Supplier<T> work) {
        return withGradients(true, work);
    }

    /** Runs work with a gradient mode on this thread, and restores the previous mode. */
    private static <T> T withGradients(boolean on, Supplier<T> work) {
        engine();
        boolean before = JniUtils.isGradMode();
        JniUtils.setGradMode(on);
        try {
            return work.get();
        } finally {
            JniUtils.setGradMode(before);
        }
    }

    /**
     * Returns an alias of a tensor that belongs to another manager; gradients pass through.
     *
     * <p>Results of an operation belong to the manager of the first operand. With an alias as the operand, the results are freed with
     * the other manager while the tensor stays.
     */
    public static NDArray alias(NDArray x, NDManager manager) {
        NDArray alias = x.reshape(x.getShape());
        alias.attach(manager);
        return alias;
    }

    /**
     * Returns the values of a tensor on the device of a manager, which owns the result. Gradients do not pass through. On the tensor's
     * own device the result shares its memory.
     */
    public static NDArray onDeviceOf(NDManager manager, NDArray x) {
        NDArray there =
                x.getDevice().equals(manager.getDevice()) ? x.stopGradient() : x.toDevice(manager.getDevice(), false);
        there.attach(manager);
        return there;
    }

    /**
     * Replaces a tensor by the result of a change, and frees intermediate tensors and, unless it is the caller's, the tensor itself. The
     * graph keeps what a backward pass needs.
     *
     * @param x the tensor
     * @param callers a tensor that is not to be closed
     * @param change computes the result; it may return its argument
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

    /** Clears the gradient that a weight has accumulated; {@link Gradients} does not accumulate any. */
    public static void zeroGradient(NDArray weight) {
        JniUtils.zeroGrad((PtNDArray) weight);
    }

    /** Compiles an archive; the manager owns the module. */
    static PtSymbolBlock load(NDManager manager, byte[] archive) {
        try {
            return JniUtils.loadModule((PtNDManager) manager, new ByteArrayInputStream(archive), false, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Calls a method; the names of the inputs map them to the arguments.
     *
     * <p>DJL's training flag is always set. Without it the native side computes in libtorch's inference mode, and no later graph can
     * use the results.
     */
    static NDList call(PtSymbolBlock module, String method, boolean gradients, NDList inputs) {
        withoutProfiling();
        NDList all = new NDList(inputs);
        try (NDArray name = inputs.get(0).getManager().zeros(new Shape())) {
            name.setName("module_method:" + method);
            all.add(name);
            return withGradients(gradients, () -> IValueUtils.forward(module, all, true));
        }
    }

    /** Calls a method that writes into its arguments, in inference mode, and returns its number. */
    static double update(PtSymbolBlock module, String method, Object... arguments) {
        withoutProfiling();
        List<IValue> values = new ArrayList<>(arguments.length + 1);
        try {
            for (Object argument : arguments) {
                values.add(value(argument));
            }
            IValue result = IValueUtils.runMethod(module, method, values.toArray(IValue[]::new));
            values.add(result);
            if (result.isDouble()) {
                return result.toDouble();
            }
            return result.isBoolean() ? (result.toBoolean() ? 1 : 0) : result.toLong();
        } finally {
            values.forEach(IValue::close);
        }
    }

    private static IValue value(Object argument) {
        if (argument instanceof NDArray a) {
            return IValue.from((PtNDArray) a);
        } else if (argument instanceof Double number) {
            return IValue.from(number.doubleValue());
        } else if (argument instanceof Integer number) {
            return IValue.from(number.longValue());
        } else if (argument instanceof Boolean truth) {
            return IValue.from(truth.booleanValue());
        } else if (argument instanceof Collection<?> list) {
            return IValue.listFrom(list.stream().map(PtNDArray.class::cast).toArray(PtNDArray[]::new));
        } else if (argument instanceof Map<?, ?> map) {
            Map<String, PtNDArray> entries = new LinkedHashMap<>();
            map.forEach((key, a) -> entries.put((String) key, (PtNDArray) a));
            return IValue.stringMapFrom(entries);
        }
        throw new IllegalArgumentException(
                "Expected a tensor, a list or map of tensors, a number or a boolean, found " + argument);
    }

    /**
     * Chooses the executor that interprets a script as written. libtorch's default executor profiles the first calls and compiles; on
     * encoders it was a fifth slower and took a third more memory. The setting belongs to the thread and costs nothing.
     */
    private static void withoutProfiling() {
        JniUtils.setGraphExecutorOptimize(false);
    }
}
