// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.network.WeightReader.Loaded;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the weights of a residual network. The architecture and the place of each layer follow from the convolutions between the image
 * and the last sum, and from whether each is on the residual branch or the shortcut of a block.
 */
final class ResNetReader {
    /** Operators that may precede the first convolution. */
    private static final Set<String> BEFORE = Set.of("Transpose", "Mul", "Add", "Sub", "Div", "Clip");

    private static final int[] DEPTHS = {18, 34, 50, 101, 152};

    private final FileGraph graph;
    private final String file;
    private final Map<String, Unit> units = new LinkedHashMap<>();
    private final List<Integer> stages = new ArrayList<>();
    private boolean pooled;
    private String stopped = "";

    /** A convolution of the file, with its batch norm if that is not folded. */
    private record Unit(NodeProto conv, long[] shape, NodeProto norm, String end) {}

    /**
     * Finds the convolutions.
     *
     * @throws InvalidEncoderException if the image is not the input of a convolution with constant weights
     */
    ResNetReader(FileGraph graph) throws InvalidEncoderException {
        this.graph = graph;
        this.file = graph.file;
        walk();
    }

    /** Finds the convolutions, and names them by their place. */
    private void walk() throws InvalidEncoderException {
        NodeProto stem = stem();
        Unit first = unit(stem);
        units.put("conv1", first);
        NodeProto relu = graph.only(first.end(), "Relu");
        if (relu == null) {
            stopped = "no ReLU follows the first convolution";
            return;
        }
        String x = relu.getOutput(0);
        NodeProto pool = graph.only(x, "MaxPool");
        if (pool != null) {
            pooled = true;
            x = pool.getOutput(0);
            if (!Arrays.equals(FileGraph.ints(pool, "kernel_shape", 0), new long[] {3, 3})
                    || !Arrays.equals(FileGraph.ints(pool, "strides", 1), new long[] {2, 2})
                    || !Arrays.equals(FileGraph.ints(pool, "pads", 0), new long[] {1, 1, 1, 1})) {
                stopped = "its pooling is not 3x3 of stride 2";
                return;
            }
        }
        long channels = 0;
        while (x != null) {
            List<NodeProto> uses = graph.next(x);
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
                ends.add(graph.only(way.get(way.size() - 1).end(), "Add"));
            }
            boolean shortcut = ways.size() == 2 && sum == null && ways.get(1).size() == 1;
            boolean identity = ways.size() == 1 && sum != null;
            NodeProto add = ends.get(0);
            if (add == null
                    || uses.size() != 2
                    || !shortcut && !identity
                    || shortcut && ends.get(1) != add
                    || identity && sum != add) {
                stopped = "no residual block follows the first " + units.size() + " convolutions";
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
            NodeProto after = graph.only(add.getOutput(0), "Relu");
            if (after == null) {
                stopped = "no ReLU follows the block " + prefix;
                return;
            }
            x = after.getOutput(0);
        }
    }

    private NodeProto stem() throws InvalidEncoderException {
        for (ValueInfoProto in : graph.graph.getInputList()) {
            String x = graph.isConstant(in.getName()) ? null : in.getName();
            while (x != null) {
                List<NodeProto> uses = graph.next(x);
                NodeProto n = uses.size() == 1 ? uses.get(0) : null;
                if (n != null && n.getOpType().equals("Conv")) {
                    return n;
                }
                x = n != null && BEFORE.contains(n.getOpType()) ? n.getOutput(0) : null;
            }
        }
        throw new InvalidEncoderException(
                file + " is not a residual network: its image is not the input of a convolution");
    }

    /** Returns a chain of convolutions with ReLUs between them. */
    private List<Unit> chain(NodeProto first) throws InvalidEncoderException {
        List<Unit> chain = new ArrayList<>();
        for (NodeProto conv = first; conv != null; ) {
            Unit u = unit(conv);
            chain.add(u);
            NodeProto relu = graph.only(u.end(), "Relu");
            conv = relu == null ? null : graph.only(relu.getOutput(0), "Conv");
        }
        return chain;
    }

    private Unit unit(NodeProto conv) throws InvalidEncoderException {
        TensorProto w = conv.getInputCount() > 1 ? graph.tensor(conv.getInput(1)) : null;
        if (w == null || w.getDimsCount() != 4) {
            throw new InvalidEncoderException(file + ": the weights of the convolution " + conv.getName()
                    + " are not a constant" + " [out, in, height, width]");
        }
        long[] shape = w.getDimsList().stream().mapToLong(Long::longValue).toArray();
        NodeProto norm = graph.only(conv.getOutput(0), "BatchNormalization");
        return new Unit(conv, shape, norm, norm == null ? conv.getOutput(0) : norm.getOutput(0));
    }

    /**
     * Detects the depth, width and stem, and reads the weights.
     *
     * @throws InvalidEncoderException if the file is not a residual network of a known depth
     */
    Loaded detect() throws InvalidEncoderException {
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
        throw new InvalidEncoderException(
                file + " is not a residual network of a known depth (18, 34, 50, 101, 152): found "
                        + units.size() + " convolutions, blocks " + stages + (stopped.isEmpty() ? "" : "; " + stopped)
                        + (least == null || least.isEmpty() ? "" : "; " + least.get(0)));
    }

    /**
     * Reads the weights of all matching layers.
     *
     * @throws InvalidEncoderException if no layer matches
     */
    Loaded load(ResNet net) throws InvalidEncoderException {
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
            throw new InvalidEncoderException(file + " has no layer that matches " + net.name() + " of width "
                    + net.width() + "; " + missing.get(0));
        }
        return new Loaded(net, weights, List.copyOf(missing), graph.leftOver(), differences(net));
    }

    /** Returns the file's convolutions and pooling that the architecture does not have. */
    private List<String> differences(ResNet net) {
        List<String> different = new ArrayList<>();
        boolean pools = net.stem() == ResNet.Stem.IMAGENET;
        if (pooled != pools) {
            different.add("it has " + (pooled ? "" : "no ") + "max pooling after the first convolution");
        }
        Set<String> additional = new LinkedHashSet<>(units.keySet());
        net.convolutions().forEach(c -> additional.remove(c.name()));
        if (!additional.isEmpty()) {
            different.add("it has " + additional.size() + " more convolutions, the first is "
                    + additional.iterator().next());
        }
        return List.copyOf(different);
    }

    /** Returns the reason why a convolution of the file does not match, or null if it does. */
    private static String mismatch(Unit u, ResNet.Conv c) {
        if (u == null) {
            return "not in the file";
        }
        long[] shape = {c.out(), c.in(), c.kernel(), c.kernel()};
        if (!Arrays.equals(shape, u.shape())) {
            return "expected the shape " + Arrays.toString(shape) + ", found " + Arrays.toString(u.shape());
        }
        long[] strides = FileGraph.ints(u.conv(), "strides", 1);
        long[] pads = FileGraph.ints(u.conv(), "pads", 0);
        long p = c.padding();
        boolean automatic = u.conv().getAttributeList().stream()
                .anyMatch(a -> a.getName().equals("auto_pad")
                        && !a.getS().toStringUtf8().equals("NOTSET"));
        if (automatic
                || !Arrays.equals(strides, new long[] {c.stride(), c.stride()})
                || !Arrays.equals(pads, new long[] {p, p, p, p})
                || GraphIndex.integer(u.conv(), "group", 1) != 1
                || !Arrays.equals(FileGraph.ints(u.conv(), "dilations", 1), new long[] {1, 1})) {
            return "expected stride " + c.stride() + " and padding " + p + ", found " + Arrays.toString(strides)
                    + " and " + (automatic ? "automatic" : Arrays.toString(pads)) + ", or groups or dilations";
        }
        return null;
    }

    private void put(Map<String, float[]> weights, ResNet.Conv c, Unit u) throws InvalidEncoderException {
        weights.put(
                c.name() + ".weight",
                graph.values(u.conv().getInput(1), (long) c.out() * c.in() * c.kernel() * c.kernel()));
        float[] bias = FileGraph.input(u.conv(), 2).isEmpty()
                ? new float[c.out()]
                : graph.values(u.conv().getInput(2), c.out());
        graph.putNorm(weights, c.norm(), c.out(), ResNet.EPSILON, u.norm(), bias);
    }
}
