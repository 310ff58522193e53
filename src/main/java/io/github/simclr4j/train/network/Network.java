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
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A {@link LayerGraph} with weights, run by libtorch as TorchScript. The network owns the native memory of its weights and scripts
 * until it is closed. Not thread-safe.
 */
public final class Network implements AutoCloseable {
    /** Share of the old value that a running statistic keeps at each step. */
    private static final double MOMENTUM = 0.9;
    /** Moves all running means and variances, which alternate in the list, and copies weights; stays loaded until the JVM ends. */
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
     * @param device where the weights are
     * @param precision of convolutions and tokens; with {@link Precision#FLOAT64} the weights are float64, too
     * @param layout of feature maps in memory
     */
    public record Computation(Device device, Precision precision, MemoryLayout layout) {
        /** Returns float32 on the CPU in the layout that is fastest there. */
        public static Computation cpu() {
            return new Computation(Device.cpu(), Precision.FLOAT32, MemoryLayout.CHANNELS_LAST);
        }

        /** Returns the type of the weights. */
        public DataType type() {
            return precision == Precision.FLOAT64 ? DataType.FLOAT64 : DataType.FLOAT32;
        }
    }

    /**
     * Makes a network with random weights.
     *
     * @param graph the layers, with the distributions that their weights start from
     * @param zeroGamma start the last batch norm of each residual branch at 0 (Goyal et al. 2017, section 5.1)
     * @param seed of the weights
     */
    public Network(LayerGraph graph, boolean zeroGamma, Computation computation, long seed) {
        this.graph = graph;
        this.computation = computation;
        manager = Torch.engine().newBaseManager(computation.device());
        Random random = new Random(seed);
        for (LayerGraph.Node node : graph.nodes()) {
            boolean zero = zeroGamma && node.layer() instanceof Layer.BatchNorm norm && norm.endsBranch();
            for (Weight w : node.layer().weights()) {
                boolean scale = w.kind() == Weight.Kind.SCALE;
                add(w, zero && scale ? new float[w.size()] : w.init().values(w.size(), random));
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
        // In a call of a script this becomes the entry of that name in the dictionary w.
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

    /** Returns where and how the network is computed. */
    public Computation computation() {
        return computation;
    }

    /** Returns the owner of the weights. */
    public NDManager manager() {
        return manager;
    }

    /** Returns the type of weights and results: float32, or float64 where gradients are checked. */
    public DataType type() {
        return computation.type();
    }

    /** Returns the weights that get gradients, by name, in the order of the layers. */
    public Map<String, NDArray> trained() {
        return trained;
    }

    /** Returns all tensors by name, the running statistics included: first those that are trained. */
    public Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>(trained);
        tensors.forEach(all::putIfAbsent);
        return all;
    }

    /**
     * Returns the values of a tensor, row-major.
     *
     * @throws IllegalArgumentException if there is no tensor of that name
     */
    public float[] values(String name) {
        NDArray a = tensors.get(name);
        if (a == null) {
            throw new IllegalArgumentException("The network has no tensor " + name);
        }
        return a.getDataType() == DataType.FLOAT32 ? a.toFloatArray() : floats(a);
    }

    private static float[] floats(NDArray a) {
        try (NDArray narrow = a.toType(DataType.FLOAT32, true)) {
            return narrow.toFloatArray();
        }
    }

    /**
     * Takes over values.
     *
     * @param values by name, row-major; a tensor that is not among them stays
     * @throws IllegalArgumentException if one has another size
     */
    public void load(Map<String, float[]> values) {
        Torch.noGradient();
        tensors.forEach((name, a) -> {
            float[] v = values.get(name);
            if (v == null) {
                return;
            }
            if (v.length != a.getShape().size()) {
                throw new IllegalArgumentException(name + ": expected " + a.getShape() + ", found " + v.length + " values");
            }
            try (NDArray source = manager.create(v, a.getShape())) {
                a.muli(0).addi(source);
            }
        });
    }

    /**
     * Takes over the values of another network, which may be on another device.
     *
     * @param other has all tensors of this one, and may have more
     */
    public void takeOver(Network other) {
        WEIGHTS.update("copy", tensors.values(), tensors.keySet().stream().map(other.tensors::get).toList());
    }

    /** Returns another network with the same values and computation, which the caller owns. */
    public Network copy() {
        return copy(graph, true);
    }

    /**
     * Returns another network that has the values of this one where the names are the same. The caller owns it.
     *
     * @param part a graph of some or all of these layers
     * @param gradients whether its weights get gradients
     */
    public Network copy(LayerGraph part, boolean gradients) {
        return copy(part, gradients, computation);
    }

    /**
     * Returns another network with the same layers and values on a device, computed in the same way. The caller owns it.
     *
     * @param gradients whether its weights get gradients
     */
    public Network copyTo(Device device, boolean gradients) {
        return copy(graph, gradients, new Computation(device, computation.precision(), computation.layout()));
    }

    private Network copy(LayerGraph part, boolean gradients, Computation where) {
        Network other = new Network(part, false, where, 0);
        other.takeOver(this);
        if (!gradients) {
            other.trained.values().forEach(w -> w.setRequiresGradient(false));
        }
        return other;
    }

    /**
     * How images go through the network.
     *
     * @param training true to normalise by the statistics of the images, false by the running ones
     * @param groups rows stand group by group, and each group has batch norm statistics of its own
     * @param gradients whether a graph for the backward pass is kept
     * @param seen collects the statistics, or null
     */
    public record Pass(boolean training, int groups, boolean gradients, BatchStatistics seen) {
        /** By the running statistics and without gradients. */
        public static final Pass EVALUATION = new Pass(false, 1, false, null);
    }

    /**
     * Runs the network.
     *
     * @param x images, float32 [n, 3, height, width] in [0, 1]
     * @param results which of the graph's results are wanted
     * @return the results in that order, of the type of the weights, owned by the manager of x
     */
    public NDList run(NDArray x, Pass pass, String... results) {
        ScriptWriter.Statistics statistics = pass.training() ? ScriptWriter.Statistics.BATCH
                : pass.seen() == null ? ScriptWriter.Statistics.RUNNING : ScriptWriter.Statistics.RUNNING_AND_MEASURED;
        LayerGraph part = graph.only(results);
        NDList out = script(new Form(List.of(results), statistics, pass.groups(), computation.precision(), computation.layout(),
                computation.device().isGpu())).run("forward", pass.gradients(), inputs(x, part, statistics));
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

    /** The tensors that a script reads: batch statistics stand in for the running ones. */
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

    /** The batch norms of a graph, in order. */
    private static List<Layer.BatchNorm> norms(LayerGraph part) {
        List<Layer.BatchNorm> all = new ArrayList<>();
        part.nodes().forEach(n -> {
            if (n.layer() instanceof Layer.BatchNorm b) {
                all.add(b);
            }
        });
        return all;
    }

    /** Moves the running statistics once, by the mean of what a step saw. */
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

    /**
     * Makes the encoder's batch norms fit some images without a change of what it computes in evaluation. The batch norms of a file
     * are folded into the convolutions: as read back they neither know the statistics of what comes to them nor scale it, so in
     * training, where every batch is normalised, the network would be another one. A network without batch norm stays as it is.
     *
     * @param x images as for {@link #run}
     */
    public void fitStatistics(NDArray x) {
        Torch.noGradient();
        BatchStatistics seen = new BatchStatistics(x.getManager());
        run(x, new Pass(false, 1, false, seen), LayerGraph.FEATURES);
        if (seen.norms().isEmpty()) {
            return;
        }
        Map<String, float[]> fitted = new HashMap<>();
        float[] means = floats(seen.means(x.getManager()));
        float[] variances = floats(seen.variances(x.getManager()));
        int from = 0;
        for (Layer.BatchNorm norm : seen.norms()) {
            String name = norm.name();
            float[] scale = values(name + ".weight");
            float[] shift = values(name + ".bias");
            float[] mean = Arrays.copyOfRange(means, from, from + scale.length);
            float[] variance = Arrays.copyOfRange(variances, from, from + scale.length);
            float[] oldMean = values(name + ".running_mean");
            float[] oldVariance = values(name + ".running_var");
            for (int i = 0; i < scale.length; i++) {
                double a = scale[i] / Math.sqrt(oldVariance[i] + norm.epsilon());
                shift[i] += (float) ((mean[i] - oldMean[i]) * a);
                scale[i] = (float) (a * Math.sqrt(variance[i] + norm.epsilon()));
            }
            fitted.putAll(Map.of(name + ".weight", scale, name + ".bias", shift, name + ".running_mean", mean,
                    name + ".running_var", variance));
            from += scale.length;
        }
        load(fitted);
    }

    /** Frees weights and scripts. */
    @Override
    public void close() {
        scripts.values().forEach(Script::close);
        manager.close();
    }
}
