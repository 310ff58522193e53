// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.network.ScriptWriter.Form;
import io.github.simclr4j.train.torch.Script;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A {@link LayerGraph} with weights, run by libtorch as TorchScript.
 *
 * <p>The network owns the native memory of its weights and scripts until it is closed. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class Network implements AutoCloseable {
    /** Momentum of the running statistics of batch norm: the share of the old value that is kept. */
    private static final double MOMENTUM = 0.9;
    /** Updates all running means and variances, which alternate in the list, and copies weights; stays loaded until the JVM exits. */
    private static final Script WEIGHTS = Script.of("""
              def move(self: __torch__.Net, running: List[Tensor], means: Tensor, variances: Tensor, momentum: float) -> float:
                start = 0
                for i in range(torch.floordiv(torch.len(running), 2)):
                  mean = running[torch.mul(2, i)]
                  variance = running[torch.add(torch.mul(2, i), 1)]
                  end = torch.add(start, torch.size(mean, 0))
                  _0 = torch.lerp_(mean, torch.slice(means, 0, start, end, 1), torch.sub(1., momentum))
                  _1 = torch.lerp_(variance, torch.slice(variances, 0, start, end, 1), torch.sub(1., momentum))
                  start = end
                return 0.
              def copy(self: __torch__.Net, mine: List[Tensor], theirs: List[Tensor]) -> float:
                torch._foreach_copy_(mine, theirs)
                return 0.
            """);

    private final LayerGraph graph;
    private final Computation computation;
    private final NDManager manager;
    private final Map<String, NDArray> tensors = new LinkedHashMap<>();
    private final Map<String, NDArray> trained = new LinkedHashMap<>();
    private final Map<Form, Script> scripts = new HashMap<>();

    /**
     * Where and how networks are computed.
     *
     * @param device device of the weights
     * @param precision precision of convolutions and tokens; with {@link Precision#FLOAT64} the weights are float64, too
     * @param layout memory layout of feature maps
     */
    public record Computation(Device device, Precision precision, MemoryLayout layout) {
        /** Returns float32 on the CPU in the layout that is fastest there. */
        public static Computation cpu() {
            return new Computation(Device.cpu(), Precision.FLOAT32, MemoryLayout.CHANNELS_LAST);
        }

        /** Returns the data type of the weights. */
        public DataType type() {
            return precision == Precision.FLOAT64 ? DataType.FLOAT64 : DataType.FLOAT32;
        }
    }

    /**
     * Creates a network with random weights.
     *
     * @param graph the layers, with the distributions of their initial weights
     * @param zeroGamma whether the scale of the last batch norm of each residual block starts at 0
     *     (<a href="https://arxiv.org/abs/1706.02677">Goyal et al. 2017</a>, section 5.1)
     * @param computation device, precision and memory layout
     * @param seed seed of the weights
     * @throws IllegalArgumentException if a weight is too large for a checkpoint
     */
    public Network(LayerGraph graph, boolean zeroGamma, Computation computation, long seed) {
        check(graph);
        this.graph = graph;
        this.computation = computation;
        manager = Torch.engine().newBaseManager(computation.device());
        try {
            Random random = new Random(seed);
            for (LayerGraph.Node node : graph.nodes()) {
                boolean zero = zeroGamma && node.layer() instanceof Layer.BatchNorm norm && norm.endsBranch();
                for (Weight w : node.layer().weights()) {
                    boolean scale = w.kind() == Weight.Kind.SCALE;
                    add(w, zero && scale ? new float[w.size()] : w.init().values(w.size(), random));
                }
            }
        } catch (Throwable e) {
            manager.close();
            throw e;
        }
    }

    /**
     * Checks that each weight can be saved: a checkpoint stores the number of bytes of a tensor as an int.
     *
     * @throws IllegalArgumentException if a weight is too large
     */
    public static void check(LayerGraph graph) {
        for (Weight w : graph.weights()) {
            double bytes = Float.BYTES;
            for (long d : w.dimensions()) {
                bytes *= d;
            }
            if (bytes > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("A weight must take at most 2 GiB, but " + w.name()
                        + " has the shape " + w.shape() + ": choose a narrower encoder or head");
            }
        }
    }

    private void add(Weight w, float[] values) {
        NDArray a = manager.create(values, new Shape(w.dimensions()));
        if (computation.type() != DataType.FLOAT32) {
            NDArray narrow = a;
            a = narrow.toType(computation.type(), true);
            narrow.close();
        }
        // DJL passes an array with this name to a script as an entry of the dictionary w.
        a.setName("w." + w.name());
        tensors.put(w.name(), a);
        if (w.kind().isTrained()) {
            a.setRequiresGradient(true);
            trained.put(w.name(), a);
        }
    }

    /** Returns the layers. */
    public LayerGraph graph() {
        return graph;
    }

    /** Returns the device, precision and memory layout. */
    public Computation computation() {
        return computation;
    }

    /** Returns the manager that owns the weights. */
    public NDManager manager() {
        return manager;
    }

    /** Returns the data type of weights and results: float32, or float64 for checks of gradients. */
    public DataType type() {
        return computation.type();
    }

    /** Returns the trainable weights by name, in the order of the layers. */
    public Map<String, NDArray> trained() {
        return trained;
    }

    /** Returns all tensors by name, running statistics included; the trainable weights come first. */
    public Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>(trained);
        tensors.forEach(all::putIfAbsent);
        return all;
    }

    /**
     * Returns the values of a tensor in row-major order.
     *
     * @param name name of the tensor
     * @throws IllegalArgumentException if there is no tensor with this name
     */
    public float[] values(String name) {
        NDArray a = tensors.get(name);
        if (a == null) {
            throw new IllegalArgumentException("The network has no tensor named " + name);
        }
        return a.getDataType() == DataType.FLOAT32 ? a.toFloatArray() : floats(a);
    }

    private static float[] floats(NDArray a) {
        try (NDArray narrow = a.toType(DataType.FLOAT32, true)) {
            return narrow.toFloatArray();
        }
    }

    /**
     * Loads values into tensors.
     *
     * @param values values by name, in row-major order; tensors without values keep theirs
     * @throws IllegalArgumentException if a tensor has another size
     */
    public void load(Map<String, float[]> values) {
        Torch.noGradient();
        tensors.forEach((name, a) -> {
            float[] v = values.get(name);
            if (v == null) {
                return;
            }
            if (v.length != a.getShape().size()) {
                throw new IllegalArgumentException(
                        name + ": expected " + a.getShape() + ", found " + v.length + " values");
            }
            try (NDArray source = manager.create(v, a.getShape())) {
                a.muli(0).addi(source);
            }
        });
    }

    /**
     * Copies the values of another network, which may be on another device.
     *
     * @param other a network that has at least the tensors of this one
     */
    public void takeOver(Network other) {
        WEIGHTS.update(
                "copy",
                tensors.values(),
                tensors.keySet().stream().map(other.tensors::get).toList());
    }

    /** Returns a copy with the same values and computation, which the caller closes. */
    public Network copy() {
        return copy(graph, true);
    }

    /**
     * Returns a network with the values of this one, which the caller closes.
     *
     * @param part a graph with all or some of the layers of this network
     * @param gradients whether its weights get gradients
     */
    public Network copy(LayerGraph part, boolean gradients) {
        return copy(part, gradients, computation);
    }

    /**
     * Returns a copy on a device, with the same precision and memory layout, which the caller closes.
     *
     * @param device the device
     * @param gradients whether its weights get gradients
     */
    public Network copyTo(Device device, boolean gradients) {
        return copy(graph, gradients, new Computation(device, computation.precision(), computation.layout()));
    }

    private Network copy(LayerGraph part, boolean gradients, Computation where) {
        Network other = new Network(part, false, where, 0);
        try {
            other.takeOver(this);
            if (!gradients) {
                other.trained.values().forEach(w -> w.setRequiresGradient(false));
            }
            return other;
        } catch (Throwable e) {
            other.close();
            throw e;
        }
    }

    /**
     * How images go through the network.
     *
     * @param training {@code true} to normalise by batch statistics, {@code false} to use the running statistics
     * @param groups number of groups with their own batch statistics; the rows are ordered group by group
     * @param gradients whether to record a graph for the backward pass
     * @param seen collects the batch statistics, or null
     */
    public record Pass(boolean training, int groups, boolean gradients, BatchStatistics seen) {
        /** Running statistics and no gradients. */
        public static final Pass EVALUATION = new Pass(false, 1, false, null);
    }

    /**
     * Runs the network.
     *
     * @param x images, float32 [n, 3, height, width] in [0, 1]
     * @param pass how the images go through the network
     * @param results names of the wanted results of the graph
     * @return the results in that order, in the data type of the weights, owned by the manager of x
     */
    public NDList run(NDArray x, Pass pass, String... results) {
        ScriptWriter.Statistics statistics = pass.training()
                ? ScriptWriter.Statistics.BATCH
                : pass.seen() == null ? ScriptWriter.Statistics.RUNNING : ScriptWriter.Statistics.RUNNING_AND_MEASURED;
        LayerGraph part = graph.only(results);
        NDList out = script(new Form(
                        List.of(results),
                        statistics,
                        pass.groups(),
                        computation.precision(),
                        computation.layout(),
                        computation.device().isGpu()))
                .run("forward", pass.gradients(), inputs(x, part, statistics));
        int measured = out.size() - results.length;
        if (measured > 0) {
            if (pass.seen() != null) {
                pass.seen().add(norms(part), out.get(results.length), out.get(results.length + 1));
            }
            out.get(results.length).close();
            out.get(results.length + 1).close();
        }
        return new NDList(out.subList(0, results.length));
    }

    /** Returns the tensors that a script reads; running statistics are left out if batch statistics replace them. */
    private NDList inputs(NDArray x, LayerGraph part, ScriptWriter.Statistics statistics) {
        NDList all = new NDList(x);
        for (Weight w : part.weights()) {
            if (statistics != ScriptWriter.Statistics.BATCH || !w.name().contains(".running_")) {
                all.add(tensors.get(w.name()));
            }
        }
        return all;
    }

    private Script script(Form form) {
        return scripts.computeIfAbsent(form, f -> Script.of(ScriptWriter.method(graph, f), manager));
    }

    /** Returns the batch norms of a graph, in order. */
    private static List<Layer.BatchNorm> norms(LayerGraph part) {
        List<Layer.BatchNorm> all = new ArrayList<>();
        part.nodes().forEach(n -> {
            if (n.layer() instanceof Layer.BatchNorm b) {
                all.add(b);
            }
        });
        return all;
    }

    /** Updates the running statistics once, with the mean of a step's statistics. */
    public void move(BatchStatistics statistics) {
        if (statistics.norms().isEmpty()) {
            return;
        }
        List<NDArray> running = new ArrayList<>();
        for (Layer.BatchNorm norm : statistics.norms()) {
            running.add(tensors.get(norm.name() + ".running_mean"));
            running.add(tensors.get(norm.name() + ".running_var"));
        }
        try (NDManager m = manager.newSubManager()) {
            WEIGHTS.update("move", running, statistics.means(m), statistics.variances(m), MOMENTUM);
        }
    }

    /** Frees the weights and scripts. */
    @Override
    public void close() {
        scripts.values().forEach(Script::close);
        manager.close();
    }
}
