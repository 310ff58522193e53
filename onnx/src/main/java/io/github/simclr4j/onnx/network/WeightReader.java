package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.Tensors;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the weights of a residual network out of an ONNX file, so that they can be trained further. Layers are found by the
 * graph's structure, never by the names in it, which exporters make up: the convolutions on the way from the image to the last
 * sum, and which of the two ways around a block each is on. Files of ours, and of PyTorch with batch norm folded or not, in
 * single or half precision or with quantised weights, are read alike.
 *
 * <p>A batch norm that was folded into its convolution comes back as one that changes nothing but the bias: gamma 1, beta the
 * convolution's bias, mean 0, variance 1 - {@link ResNet#EPSILON}. One with another epsilon, or behind a convolution with a
 * bias, is given the variance and mean that make it the same function.
 */
public final class WeightReader {
    /** Operators that hand their first input on, as far as weights are concerned. */
    private static final Set<String> THROUGH =
            Set.of("Identity", "Cast", "QuantizeLinear", "DequantizeLinear", "Dropout");
    /** What may stand between the image and the first convolution. */
    private static final Set<String> BEFORE = Set.of("Transpose", "Mul", "Add", "Sub", "Div", "Clip");
    private static final int[] DEPTHS = {18, 34, 50, 101, 152};

    private final GraphProto graph;
    private final Path folder;
    private final String file;
    private final Map<String, List<NodeProto>> consumers = new HashMap<>();
    private final Map<String, NodeProto> producers = new HashMap<>();
    private final Map<String, TensorProto> constants = new HashMap<>();
    private final Set<String> used = new HashSet<>();
    private final Map<String, Unit> units = new LinkedHashMap<>();
    private final List<Integer> stages = new ArrayList<>();
    private boolean pooled;
    private String stopped = "";

    /**
     * What was read.
     *
     * @param network the architecture that the weights are for
     * @param weights values by name, see {@link ResNet}; row-major
     * @param missing what the architecture needs and the file has not got, each with the reason; empty if all was found
     * @param leftOver the file's tensors that were not used, such as a classifier's, with their shapes
     */
    public record Loaded(ResNet network, Map<String, float[]> weights, List<String> missing, List<String> leftOver) {}

    /** A convolution of the file with its batch norm, if that is apart. */
    private record Unit(NodeProto conv, long[] shape, NodeProto norm, String end) {}

    private WeightReader(GraphProto graph, Path folder, String file) {
        this.graph = graph;
        this.folder = folder;
        this.file = file;
    }

    /**
     * Finds out the architecture and reads its weights.
     *
     * @throws InvalidEncoderException if the file is damaged, or holds none of the architectures of {@link ResNet}
     * @throws IOException if it can't be read
     */
    public static Loaded read(Path file) throws IOException {
        return read(ModelFile.bytes(file), file.toString(), file.toAbsolutePath().getParent(), null);
    }

    /**
     * Reads what fits an architecture.
     *
     * @param file the file
     * @param network the architecture; a layer of it that the file lacks, or has in another shape, is listed as missing
     * @throws InvalidEncoderException if the file is damaged, or has nothing that fits
     * @throws IOException if it can't be read
     */
    public static Loaded read(Path file, ResNet network) throws IOException {
        return read(ModelFile.bytes(file), file.toString(), file.toAbsolutePath().getParent(), network);
    }

    static Loaded read(byte[] bytes, String name, Path folder, ResNet network) throws InvalidEncoderException {
        WeightReader r = new WeightReader(ModelFile.check(bytes, name, folder).model().getGraph(), folder, name);
        r.index();
        r.walk();
        return network == null ? r.detect() : r.load(network);
    }

    private void index() {
        graph.getInitializerList().forEach(t -> constants.put(t.getName(), t));
        for (NodeProto node : graph.getNodeList()) {
            node.getOutputList().stream().filter(o -> !o.isEmpty()).forEach(o -> producers.put(o, node));
            new HashSet<>(node.getInputList()).forEach(i -> consumers.computeIfAbsent(i, k -> new ArrayList<>()).add(node));
            TensorProto constant = TensorValues.constant(node);
            if (constant != null) {
                constants.put(node.getOutput(0), constant);
            }
        }
    }

    /** The nodes that use a value, not just its shape, seen through those that only hand it on. */
    private List<NodeProto> next(String value) {
        List<NodeProto> found = new ArrayList<>();
        // A chain of them may be longer than the stack.
        Deque<String> names = new ArrayDeque<>(List.of(value));
        while (!names.isEmpty()) {
            String x = names.poll();
            for (NodeProto n : consumers.getOrDefault(x, List.of())) {
                if (THROUGH.contains(n.getOpType()) && n.getInput(0).equals(x)) {
                    names.add(n.getOutput(0));
                } else if (!n.getOpType().equals("Shape")) {
                    found.add(n);
                }
            }
        }
        return found;
    }

    private NodeProto only(String value, String op) {
        List<NodeProto> n = next(value);
        return n.size() == 1 && n.get(0).getOpType().equals(op) ? n.get(0) : null;
    }

    /** Finds the convolutions and names them by their place. */
    private void walk() throws InvalidEncoderException {
        NodeProto stem = stem();
        Unit first = unit(stem);
        units.put("conv1", first);
        NodeProto relu = only(first.end(), "Relu");
        if (relu == null) {
            stopped = "the first convolution has no ReLU behind it";
            return;
        }
        String x = relu.getOutput(0);
        NodeProto pool = only(x, "MaxPool");
        if (pool != null) {
            pooled = true;
            x = pool.getOutput(0);
            if (!Arrays.equals(ints(pool, "kernel_shape", 0), new long[] {3, 3})
                    || !Arrays.equals(ints(pool, "strides", 1), new long[] {2, 2})
                    || !Arrays.equals(ints(pool, "pads", 0), new long[] {1, 1, 1, 1})) {
                stopped = "its pooling is not 3x3 of stride 2";
                return;
            }
        }
        long channels = 0;
        while (x != null) {
            List<NodeProto> uses = next(x);
            List<List<Unit>> ways = new ArrayList<>();
            NodeProto sum = null;
            for (NodeProto n : uses) {
                if (n.getOpType().equals("Conv")) {
                    ways.add(chain(n));
                } else if (n.getOpType().equals("Add")) {
                    sum = n;
                }
            }
            if (ways.isEmpty()) {
                return;
            }
            ways.sort((a, b) -> b.size() - a.size());
            List<Unit> branch = ways.get(0);
            List<NodeProto> ends = new ArrayList<>();
            for (List<Unit> way : ways) {
                ends.add(only(way.get(way.size() - 1).end(), "Add"));
            }
            boolean shortcut = ways.size() == 2 && sum == null && ways.get(1).size() == 1;
            boolean identity = ways.size() == 1 && sum != null;
            NodeProto add = ends.get(0);
            if (add == null || uses.size() != 2 || !shortcut && !identity || shortcut && ends.get(1) != add
                    || identity && sum != add) {
                stopped = "after " + units.size() + " convolutions there is no residual block";
                return;
            }
            long out = branch.get(branch.size() - 1).shape()[0];
            if (out != channels) {
                stages.add(0);
                channels = out;
            }
            int stage = stages.size();
            int index = stages.set(stage - 1, stages.get(stage - 1) + 1);
            String prefix = "layer" + stage + "." + index + ".";
            for (int i = 0; i < branch.size(); i++) {
                units.put(prefix + "conv" + (i + 1), branch.get(i));
            }
            if (shortcut) {
                units.put(prefix + "downsample.0", ways.get(1).get(0));
            }
            NodeProto after = only(add.getOutput(0), "Relu");
            if (after == null) {
                stopped = "the block " + prefix + " has no ReLU behind it";
                return;
            }
            x = after.getOutput(0);
        }
    }

    private NodeProto stem() throws InvalidEncoderException {
        for (ValueInfoProto in : graph.getInputList()) {
            String x = constants.containsKey(in.getName()) ? null : in.getName();
            while (x != null) {
                List<NodeProto> uses = next(x);
                NodeProto n = uses.size() == 1 ? uses.get(0) : null;
                if (n != null && n.getOpType().equals("Conv")) {
                    return n;
                }
                x = n != null && BEFORE.contains(n.getOpType()) ? n.getOutput(0) : null;
            }
        }
        throw new InvalidEncoderException(file + " is no residual network: its image does not go into a convolution");
    }

    /** Convolutions with ReLUs between them. */
    private List<Unit> chain(NodeProto first) throws InvalidEncoderException {
        List<Unit> chain = new ArrayList<>();
        for (NodeProto conv = first; conv != null;) {
            Unit u = unit(conv);
            chain.add(u);
            NodeProto relu = only(u.end(), "Relu");
            conv = relu == null ? null : only(relu.getOutput(0), "Conv");
        }
        return chain;
    }

    private Unit unit(NodeProto conv) throws InvalidEncoderException {
        TensorProto w = conv.getInputCount() > 1 ? tensor(conv.getInput(1)) : null;
        if (w == null || w.getDimsCount() != 4) {
            throw new InvalidEncoderException(file + ": the weights of the convolution " + conv.getName() + " are no constant"
                    + " [out, in, height, width]");
        }
        long[] shape = w.getDimsList().stream().mapToLong(Long::longValue).toArray();
        NodeProto norm = only(conv.getOutput(0), "BatchNormalization");
        return new Unit(conv, shape, norm, norm == null ? conv.getOutput(0) : norm.getOutput(0));
    }

    /** A node's input, empty if it has not got it. */
    private static String input(NodeProto node, int i) {
        return i < node.getInputCount() ? node.getInput(i) : "";
    }

    /** The constant that a value is, whatever it was cast or scaled by on the way; null if it is none. */
    private TensorProto tensor(String value) {
        String x = value;
        while (!constants.containsKey(x)) {
            NodeProto p = producers.get(x);
            if (p == null || !THROUGH.contains(p.getOpType())) {
                return null;
            }
            x = input(p, 0);
        }
        return constants.get(x);
    }

    /** A constant's values; their number is checked before they are read. */
    private float[] values(String value, long count) throws InvalidEncoderException {
        TensorProto t = tensor(value);
        if (t == null) {
            throw new InvalidEncoderException(file + ": " + value + " is no constant");
        }
        if (TensorTypes.count(t) != count) {
            throw new InvalidEncoderException(
                    file + ": " + value + " has " + TensorTypes.count(t) + " values, expected " + count);
        }
        String x = value;
        while (!constants.containsKey(x) && !producers.get(x).getOpType().equals("DequantizeLinear")) {
            x = input(producers.get(x), 0);
        }
        float[] v;
        if (constants.containsKey(x)) {
            used.add(x);
            v = Tensors.floats(t, folder, file);
        } else {
            v = dequantised(producers.get(x));
        }
        for (float f : v) {
            if (!Float.isFinite(f)) {
                throw new InvalidEncoderException(file + ": " + value + " holds a number that is not finite");
            }
        }
        return v;
    }

    /** (q - zero) * scale, scale and zero one value or one along an axis (ONNX, DequantizeLinear). */
    private float[] dequantised(NodeProto node) throws InvalidEncoderException {
        TensorProto q = constants.get(input(node, 0));
        TensorProto s = constants.get(input(node, 1));
        TensorProto z = constants.get(input(node, 2));
        if (q == null || s == null || z == null && !input(node, 2).isEmpty()) {
            throw new InvalidEncoderException(file + ": " + node.getOutput(0) + " is quantised with what is no constant");
        }
        used.addAll(node.getInputList());
        int axis = (int) GraphIndex.integer(node, "axis", 1);
        axis += axis < 0 ? q.getDimsCount() : 0;
        long inner = 1;
        for (int i = axis + 1; i < q.getDimsCount(); i++) {
            inner *= q.getDims(i);
        }
        long along = axis >= 0 && axis < q.getDimsCount() ? q.getDims(axis) : 1;
        long scales = TensorTypes.count(s);
        if (z != null && TensorTypes.count(z) != scales || scales != 1 && scales != along) {
            throw new InvalidEncoderException(file + ": " + node.getInput(0) + " has " + scales + " scales, expected 1 or " + along);
        }
        float[] scale = Tensors.floats(s, folder, file);
        long[] zero = z == null ? new long[scale.length] : Tensors.whole(z, folder, file);
        long[] whole = Tensors.whole(q, folder, file);
        float[] v = new float[whole.length];
        for (int i = 0; i < v.length; i++) {
            int c = scale.length == 1 ? 0 : (int) (i / inner % along);
            v[i] = (whole[i] - zero[c]) * scale[c];
        }
        return v;
    }

    private static long[] ints(NodeProto node, String name, long otherwise) {
        long[] all = {otherwise, otherwise, otherwise, otherwise};
        for (AttributeProto a : node.getAttributeList()) {
            if (a.getName().equals(name)) {
                return a.getIntsList().stream().mapToLong(Long::longValue).toArray();
            }
        }
        return name.equals("pads") ? all : Arrays.copyOf(all, 2);
    }

    private Loaded detect() throws InvalidEncoderException {
        Unit first = units.get("conv1");
        double width = first.shape()[0] / 64.0;
        List<String> least = null;
        for (int depth : DEPTHS) {
            ResNet.Stem stem = pooled ? ResNet.Stem.IMAGENET : ResNet.Stem.CIFAR;
            if (!(width > 0 && width <= 8)) {
                break;
            }
            ResNet net = new ResNet(depth, width, stem);
            List<String> missing = new ArrayList<>();
            long known = 0;
            for (ResNet.Conv c : net.convolutions()) {
                String why = mismatch(units.get(c.name()), c);
                if (why != null) {
                    missing.add(c.name() + ": " + why);
                } else {
                    known++;
                }
            }
            if (missing.isEmpty() && known == units.size()) {
                return load(net);
            }
            least = least == null || missing.size() < least.size() ? missing : least;
        }
        throw new InvalidEncoderException(file + " is no residual network of a known depth (18, 34, 50, 101, 152): found "
                + units.size() + " convolutions, blocks " + stages + (stopped.isEmpty() ? "" : "; " + stopped)
                + (least == null || least.isEmpty() ? "" : "; " + least.get(0)));
    }

    private Loaded load(ResNet net) throws InvalidEncoderException {
        Map<String, float[]> weights = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (ResNet.Conv c : net.convolutions()) {
            Unit u = units.get(c.name());
            String why = mismatch(u, c);
            if (why == null) {
                put(weights, c, u);
            } else {
                missing.add(c.name() + ": " + why);
            }
        }
        if (weights.isEmpty()) {
            throw new InvalidEncoderException(file + " has no layer that fits " + net.name() + " of width " + net.width()
                    + "; " + missing.get(0));
        }
        List<String> leftOver = new ArrayList<>();
        for (TensorProto t : graph.getInitializerList()) {
            // Single values scale, whole numbers are shapes.
            if (!used.contains(t.getName()) && TensorTypes.count(t) > 1
                    && t.getDataType() != TensorProto.DataType.INT64_VALUE) {
                leftOver.add(t.getName() + " " + t.getDimsList());
            }
        }
        return new Loaded(net, weights, List.copyOf(missing), List.copyOf(leftOver));
    }

    /** Why a convolution of the file is not the one wanted, null if it is. */
    private static String mismatch(Unit u, ResNet.Conv c) {
        if (u == null) {
            return "not in the file";
        }
        long[] shape = {c.out(), c.in(), c.kernel(), c.kernel()};
        if (!Arrays.equals(shape, u.shape())) {
            return "expected the shape " + Arrays.toString(shape) + ", found " + Arrays.toString(u.shape());
        }
        long[] strides = ints(u.conv(), "strides", 1);
        long[] pads = ints(u.conv(), "pads", 0);
        long p = c.padding();
        boolean automatic = u.conv().getAttributeList().stream().anyMatch(
                a -> a.getName().equals("auto_pad") && !a.getS().toStringUtf8().equals("NOTSET"));
        if (automatic || !Arrays.equals(strides, new long[] {c.stride(), c.stride()})
                || !Arrays.equals(pads, new long[] {p, p, p, p})
                || GraphIndex.integer(u.conv(), "group", 1) != 1
                || !Arrays.equals(ints(u.conv(), "dilations", 1), new long[] {1, 1})) {
            return "expected stride " + c.stride() + " and padding " + p + ", found " + Arrays.toString(strides) + " and "
                    + (automatic ? "automatic" : Arrays.toString(pads)) + ", or groups or dilations";
        }
        return null;
    }

    private void put(Map<String, float[]> weights, ResNet.Conv c, Unit u) throws InvalidEncoderException {
        weights.put(c.name() + ".weight", values(u.conv().getInput(1), (long) c.out() * c.in() * c.kernel() * c.kernel()));
        float[] bias = input(u.conv(), 2).isEmpty() ? new float[c.out()] : values(u.conv().getInput(2), c.out());
        float[] gamma = new float[c.out()];
        float[] beta = bias;
        float[] mean = new float[c.out()];
        float[] var = new float[c.out()];
        Arrays.fill(gamma, 1);
        Arrays.fill(var, 1 - ResNet.EPSILON);
        if (u.norm() != null) {
            gamma = values(input(u.norm(), 1), c.out());
            beta = values(input(u.norm(), 2), c.out());
            mean = values(input(u.norm(), 3), c.out()).clone();
            var = values(input(u.norm(), 4), c.out()).clone();
            float epsilon = u.norm().getAttributeList().stream().filter(a -> a.getName().equals("epsilon")).findFirst()
                    .map(AttributeProto::getF).orElse(ResNet.EPSILON);
            for (int i = 0; i < mean.length; i++) {
                mean[i] -= bias[i];
            }
            for (int i = 0; i < var.length && epsilon != ResNet.EPSILON; i++) {
                var[i] += epsilon - ResNet.EPSILON;
            }
        }
        Map<String, float[]> norm = Map.of("weight", gamma, "bias", beta, "running_mean", mean, "running_var", var);
        for (Map.Entry<String, float[]> e : norm.entrySet()) {
            weights.put(c.norm() + "." + e.getKey(), e.getValue());
        }
    }
}
