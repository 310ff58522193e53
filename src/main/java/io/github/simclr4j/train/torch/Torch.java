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

/** The one adapter to DJL's PyTorch engine: library, devices, threads, gradient mode and the calls of scripts. */
public final class Torch {
    private static volatile Engine engine;

    private Torch() {}

    /**
     * What the engine loaded.
     *
     * @param version of libtorch
     * @param folder that holds it
     * @param cuda whether it can use GPUs
     */
    public record Library(String version, Path folder, boolean cuda) {}

    /** Returns DJL's PyTorch engine; the first call loads libtorch. */
    public static Engine engine() {
        if (engine == null) {
            synchronized (Torch.class) {
                if (engine == null) {
                    engine = LibraryCache.ofDjl().load(() -> Engine.getEngine("PyTorch"));
                }
            }
        }
        return engine;
    }

    /** Loads the engine and says what it loaded. */
    public static Library library() {
        Engine engine = engine();
        return new Library(engine.getVersion(), Path.of(LibUtils.getLibtorchPath()), engine.hasCapability("CUDA"));
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
     * Returns the bytes that are free on a GPU. Where the engine runs without the CUDA runtime that DJL asks for them, which is
     * rare, there is nothing to ask, and all is taken to be free.
     */
    public static long freeMemory(Device gpu) {
        try {
            MemoryUsage usage = CudaUtils.getGpuMemory(gpu);
            return usage.getMax() - usage.getUsed();
        } catch (IllegalStateException e) {
            return Long.MAX_VALUE;
        }
    }

    /** Gives the memory of a GPU back that libtorch keeps although no tensor has it any more. */
    public static void releaseMemory(Device device) {
        if (device.isGpu()) {
            JniUtils.emptyCudaCache();
        }
    }

    /** Sets the threads of one operation on the CPU; 0 leaves libtorch's own choice. */
    public static void threads(int threads) {
        engine();
        if (threads > 0) {
            JniUtils.setNumThreads(threads);
        }
    }

    /** Returns the threads of one operation on the CPU that is called by this thread. */
    public static int threads() {
        engine();
        return JniUtils.getNumThreads();
    }

    /** Turns gradients off on this thread: they are on by default on every thread but the one that loaded the engine. */
    public static void noGradient() {
        engine();
        JniUtils.setGradMode(false);
    }

    /** Does some work while this thread records operations, so that {@link Gradients} can be taken through them. */
    public static <T> T recording(Supplier<T> work) {
        return withGradients(true, work);
    }

    /** Sets this thread's gradient mode for some work, and back afterwards. */
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
     * Returns the same tensor for another manager. What is computed belongs to the manager of the first operand: with an alias as
     * the operand the results go with that manager, the operand stays. Gradients pass through.
     */
    public static NDArray alias(NDArray x, NDManager manager) {
        NDArray alias = x.reshape(x.getShape());
        alias.attach(manager);
        return alias;
    }

    /**
     * Returns a tensor's values on the device of a manager, which owns the result. Gradients don't pass through. On the tensor's own
     * device it is the same memory.
     */
    public static NDArray onDeviceOf(NDManager manager, NDArray x) {
        NDArray there = x.getDevice().equals(manager.getDevice()) ? x.stopGradient() : x.toDevice(manager.getDevice(), false);
        there.attach(manager);
        return there;
    }

    /**
     * Changes a tensor and frees what the change needed on its way, and the tensor unless it is the caller's. The graph keeps by
     * itself what a backward pass needs.
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

    /** Clears the gradient that a weight collected; {@link Gradients} collects none there. */
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
     * Calls a method; the names of the inputs say which arguments they make up.
     *
     * <p>DJL's flag for training is always set: without it the native side computes in libtorch's inference mode, and no later
     * graph can use the results.
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

    /** Calls a method that writes into its arguments, in inference mode, and returns the number that it returns. */
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
                "Expected a tensor, a list or map of tensors, a number or a truth value, found " + argument);
    }

    /**
     * Chooses the executor that runs a script as it is written. libtorch's default one watches the first calls and compiles; on
     * networks that was a fifth slower and took a third more memory. Every thread has a switch of its own, which costs nothing.
     */
    private static void withoutProfiling() {
        JniUtils.setGraphExecutorOptimize(false);
    }
}
