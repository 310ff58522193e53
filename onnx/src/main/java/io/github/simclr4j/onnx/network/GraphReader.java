// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.network.FileLayers.FileLayer;
import io.github.simclr4j.onnx.network.LayerGraph.Node;
import io.github.simclr4j.onnx.network.LayerSignature.Kind;
import io.github.simclr4j.onnx.network.WeightReader.Loaded;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Reads the weights of any architecture from an ONNX file. The layers of the architecture and of the file, both in
 * {@linkplain LayerOrder data-flow order}, are matched by the longest common subsequence of their {@linkplain LayerSignature
 * signatures}. Properties without weights, such as activations or the number of attention heads, are not compared.
 */
final class GraphReader {
    /** Maximum number of layers, since the comparison needs memory for each pair of layers. */
    private static final int MOST = 10_000;
    /** Number of layers of a projection head of three layers and a classifier. */
    private static final int HEAD = 4;
    /** The largest image size in pixels that is tried if a file does not state its image size. */
    private static final int LARGEST = 1024;

    private final FileGraph graph;
    private final String file;
    private final List<FileLayer> layers;
    /** Shapes of the weights of convolutions and dense layers. */
    private final List<List<Integer>> shapes;

    private final Set<LayerSignature> learned;

    /** A layer of the architecture and its batch norm, if one follows. */
    private record Target(String name, LayerSignature signature, Layer layer, Layer.BatchNorm norm) {}

    /**
     * Finds the file's layers.
     *
     * @throws InvalidEncoderException if there are too many layers
     */
    GraphReader(FileGraph graph) throws InvalidEncoderException {
        this.graph = graph;
        this.file = graph.file;
        this.layers = FileLayers.of(graph);
        if (layers.size() > MOST) {
            throw new InvalidEncoderException(file + " has " + layers.size() + " layers, expected at most " + MOST);
        }
        List<LayerSignature> signatures =
                layers.stream().map(FileLayer::signature).toList();
        this.shapes = signatures.stream()
                .filter(GraphReader::isMatrix)
                .map(LayerSignature::shape)
                .toList();
        this.learned = signatures.stream().filter(s -> s.kind() == Kind.LEARNED).collect(Collectors.toSet());
    }

    /** Returns the shapes of the weights of convolutions and dense layers, by which families recognise their architectures. */
    List<List<Integer>> shapes() {
        return shapes;
    }

    private static boolean isMatrix(LayerSignature s) {
        return s.kind() == Kind.CONVOLUTION || s.kind() == Kind.DENSE;
    }

    /**
     * Returns whether the file contains a complete architecture: all its layers, no other convolution or dense layer before or among
     * them, and no more than a head and a classifier after them. So a deeper network is not mistaken for a shallower one.
     */
    boolean holds(Architecture net) {
        LayerGraph network = network(net, 0);
        if (network == null) {
            return false;
        }
        List<Target> targets = targets(network);
        int[] matches = match(targets);
        if (targets.isEmpty() || Arrays.stream(matches).anyMatch(m -> m < 0)) {
            return false;
        }
        return additional(matches).isEmpty()
                && layers.subList(matches[matches.length - 1] + 1, layers.size()).stream()
                        .allMatch(l -> isMatrix(l.signature()));
    }

    /**
     * Reads the weights of all matching layers.
     *
     * @param net the architecture
     * @param imageSize image size of the network in pixels, or 0 for that of the file
     * @throws InvalidEncoderException if no layer matches, or if weights that depend on the image size are for another size
     */
    Loaded load(Architecture net, int imageSize) throws InvalidEncoderException {
        LayerGraph network = network(net, imageSize);
        if (network == null) {
            throw new InvalidEncoderException(
                    file + " does not fit " + net.describe() + ", which does not support its image size");
        }
        List<Target> targets = targets(network);
        int[] matches = match(targets);
        checkSize(net, imageSize, targets, matches);
        Map<String, float[]> weights = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (int i = 0; i < matches.length; i++) {
            String why =
                    matches[i] < 0 ? reason(targets, matches, i) : put(weights, targets.get(i), layers.get(matches[i]));
            if (why != null) {
                missing.add(targets.get(i).name() + ": " + why);
            }
        }
        if (weights.isEmpty()) {
            throw new InvalidEncoderException(file + " has no layer that matches " + net.describe()
                    + (missing.isEmpty() ? "" : "; " + missing.get(0)));
        }
        return new Loaded(net, weights, List.copyOf(missing), graph.leftOver(), additional(matches));
    }

    /** Describes the convolutions and dense layers of the file that are neither in the architecture nor in a head behind it. */
    private List<String> additional(int[] matches) {
        Set<Integer> matched =
                new LinkedHashSet<>(Arrays.stream(matches).boxed().toList());
        int end = Arrays.stream(matches).max().orElse(-1) + 1;
        List<LayerSignature> signatures =
                layers.stream().map(FileLayer::signature).toList();
        List<LayerSignature> behind = signatures.subList(end, signatures.size());
        List<LayerSignature> more = IntStream.range(0, isHead(behind) ? end : signatures.size())
                .filter(i -> !matched.contains(i))
                .mapToObj(signatures::get)
                .filter(GraphReader::isMatrix)
                .toList();
        return more.isEmpty()
                ? List.of()
                : List.of("it has " + more.size() + " more convolutions or dense layers, the first with the shape "
                        + more.get(0));
    }

    /**
     * Returns whether the layers behind the last match can be a projection head and a classifier. They are the rest of a deeper network
     * if there is a convolution of more than one pixel, or if there are as many dense layers as in a block of a vision transformer,
     * together with its layer norms.
     */
    private static boolean isHead(List<LayerSignature> behind) {
        long matrices = behind.stream().filter(GraphReader::isMatrix).count();
        return matrices <= HEAD
                && behind.stream()
                        .allMatch(s -> s.kind() != Kind.CONVOLUTION || s.shape().get(2) == 1)
                && (matrices < HEAD || behind.stream().noneMatch(s -> s.kind() == Kind.NORM));
    }

    /**
     * Returns the network for a given image size, for the size stated in the file, or for the first size whose learned tensors are in the
     * file; null if the architecture supports none of these sizes.
     */
    private LayerGraph network(Architecture net, int imageSize) {
        if (imageSize > 0) {
            return net.graph(imageSize);
        }
        List<Integer> stated = statedSizes();
        LayerGraph first = null;
        for (int size : IntStream.concat(stated.stream().mapToInt(s -> s), IntStream.rangeClosed(1, LARGEST))
                .toArray()) {
            LayerGraph network;
            try {
                network = net.graph(size);
            } catch (IllegalArgumentException e) {
                continue;
            }
            first = first == null ? network : first;
            if (learned.isEmpty() || stated.contains(size) || hasLearned(network)) {
                return network;
            }
        }
        return first;
    }

    private boolean hasLearned(LayerGraph network) {
        return network.weights().stream()
                .filter(w -> w.kind() == Weight.Kind.TOKEN)
                .allMatch(w -> learned.contains(LayerSignature.learned(w.shape())));
    }

    /** Returns the image size of the file's input, or else of its metadata. */
    private List<Integer> statedSizes() {
        List<Integer> sizes = new ArrayList<>();
        for (ValueInfoProto in : graph.graph.getInputList()) {
            List<Long> dims = in.getType().getTensorType().getShape().getDimList().stream()
                    .map(TensorShapeProto.Dimension::getDimValue)
                    .toList();
            if (dims.size() == 4 && !graph.isConstant(in.getName())) {
                int height = dims.get(1) == 3 ? 2 : 1;
                if (dims.get(height).equals(dims.get(height + 1))
                        && dims.get(height) > 0
                        && dims.get(height) <= 4 * LARGEST) {
                    sizes.add(dims.get(height).intValue());
                }
            }
        }
        String named = EncoderMetadata.of(graph.model).getOrDefault("image_size", "");
        if (sizes.isEmpty() && named.matches("[1-9]\\d{0,3}")) {
            sizes.add(Integer.parseInt(named));
        }
        return sizes;
    }

    private void checkSize(Architecture net, int imageSize, List<Target> targets, int[] matches)
            throws InvalidEncoderException {
        for (int i = 0; i < matches.length; i++) {
            if (imageSize > 0 && matches[i] < 0 && targets.get(i).signature().kind() == Kind.LEARNED) {
                LayerGraph own = network(net, 0);
                String name = targets.get(i).name();
                Node input = own == null || !hasLearned(own)
                        ? null
                        : own.nodes().stream()
                                .filter(n -> n.layer() instanceof Layer.Input)
                                .findFirst()
                                .orElse(null);
                if (input != null && ((Layer.Input) input.layer()).height() != imageSize) {
                    int size = ((Layer.Input) input.layer()).height();
                    Weight has = own.weights().stream()
                            .filter(w -> w.name().equals(name))
                            .findFirst()
                            .orElseThrow();
                    throw new InvalidEncoderException(file + " is for images of " + size + "x" + size + " pixels: its "
                            + name
                            + " has the shape " + has.shape() + ", images of " + imageSize + "x" + imageSize + " need "
                            + targets.get(i).signature().shape() + "; choose the image size " + size);
                }
            }
        }
    }

    private static List<Target> targets(LayerGraph whole) {
        LayerGraph network = whole.only(LayerGraph.FEATURES);
        Map<Integer, Node> nodes = new HashMap<>();
        network.nodes().forEach(n -> nodes.put(n.id(), n));
        Node result = network.output(LayerGraph.FEATURES);
        Map<Integer, Node> norms = OnnxBackend.foldable(network, result);
        Set<Integer> folded =
                new LinkedHashSet<>(norms.values().stream().map(Node::id).toList());
        Map<Integer, Target> targets = new HashMap<>();
        for (Node node : network.nodes()) {
            if (!node.layer().weights().isEmpty() && !folded.contains(node.id())) {
                Node norm = norms.get(node.id());
                targets.put(node.id(), target(node.layer(), norm == null ? null : (Layer.BatchNorm) norm.layer()));
            }
        }
        return LayerOrder.of(
                        network.nodes().stream().map(Node::id).toList(),
                        i -> nodes.get(i).inputs(),
                        i -> targets.containsKey(i) && !(nodes.get(i).layer() instanceof Layer.Learned),
                        List.of(result.id()))
                .stream()
                .filter(targets::containsKey)
                .map(targets::get)
                .toList();
    }

    private static Target target(Layer layer, Layer.BatchNorm norm) {
        if (layer instanceof Layer.Conv l) {
            return new Target(
                    l.name(),
                    LayerSignature.convolution(l.weights().get(0).shape(), l.stride(), l.padding(), l.groups()),
                    l,
                    norm);
        } else if (layer instanceof Layer.Dense l) {
            return new Target(l.name(), LayerSignature.of(Kind.DENSE, l.out(), l.in()), l, norm);
        } else if (layer instanceof Layer.LayerNorm l) {
            return new Target(l.name(), LayerSignature.of(Kind.NORM, l.size()), l, null);
        } else if (layer instanceof Layer.GroupNorm l) {
            return new Target(l.name(), LayerSignature.of(Kind.NORM, l.channels()), l, null);
        } else if (layer instanceof Layer.BatchNorm l) {
            return new Target(l.name(), LayerSignature.of(Kind.BATCH_NORM, l.channels()), l, l);
        } else if (layer instanceof Layer.Learned l) {
            return new Target(l.name(), LayerSignature.learned(l.shape()), l, null);
        }
        throw new IllegalStateException("No weights are known for " + layer);
    }

    /** Returns the index of the file's layer for each layer of the architecture, or -1. */
    private int[] match(List<Target> targets) {
        int n = targets.size();
        int m = layers.size();
        int[][] longest = new int[n + 1][m + 1];
        for (int i = n - 1; i >= 0; i--) {
            for (int k = m - 1; k >= 0; k--) {
                longest[i][k] = targets.get(i).signature().equals(layers.get(k).signature())
                        ? longest[i + 1][k + 1] + 1
                        : Math.max(longest[i + 1][k], longest[i][k + 1]);
            }
        }
        int[] matches = new int[n];
        Arrays.fill(matches, -1);
        for (int i = 0, k = 0; i < n && k < m; ) {
            if (targets.get(i).signature().equals(layers.get(k).signature())) {
                matches[i++] = k++;
            } else if (longest[i + 1][k] >= longest[i][k + 1]) {
                i++;
            } else {
                k++;
            }
        }
        return matches;
    }

    /** Returns the reason why a layer has no match: the layer of the same kind at its place in the file, if any. */
    private String reason(List<Target> targets, int[] matches, int missing) {
        Kind kind = targets.get(missing).signature().kind();
        int before = missing - 1;
        int skip = 0;
        for (; before >= 0 && matches[before] < 0; before--) {
            skip += targets.get(before).signature().kind() == kind ? 1 : 0;
        }
        int after = missing + 1;
        while (after < matches.length && matches[after] < 0) {
            after++;
        }
        return layers
                .subList(before < 0 ? 0 : matches[before] + 1, after < matches.length ? matches[after] : layers.size())
                .stream()
                .map(FileLayer::signature)
                .filter(s -> s.kind() == kind)
                .skip(skip)
                .findFirst()
                .map(s -> "expected the shape " + targets.get(missing).signature() + ", found " + s)
                .orElse("not in the file");
    }

    /** Adds a layer's weights under the architecture's names; returns null, or the reason why that is not possible. */
    private String put(Map<String, float[]> weights, Target to, FileLayer from) throws InvalidEncoderException {
        String name = to.name();
        int size = to.signature().shape().isEmpty() ? 1 : to.signature().shape().get(0);
        boolean biased =
                to.layer() instanceof Layer.Conv c && c.bias() || to.layer() instanceof Layer.Dense d && d.bias();
        switch (to.signature().kind()) {
            case LEARNED ->
                weights.put(
                        name,
                        graph.values(from.weight(), to.layer().weights().get(0).size()));
            case NORM -> {
                weights.put(name + ".weight", graph.values(from.weight(), size));
                weights.put(name + ".bias", from.bias().isEmpty() ? new float[size] : graph.values(from.bias(), size));
            }
            case BATCH_NORM -> putNorm(weights, to.norm(), from, new float[size]);
            default -> {
                if (to.norm() == null
                        && !biased
                        && (from.norm() != null || !from.bias().isEmpty())) {
                    return "expected no bias, found one";
                }
                float[] w =
                        graph.values(from.weight(), to.layer().weights().get(0).size());
                w = from.transposed() ? OnnxBackend.transposed(w, w.length / size) : w;
                float[] bias = from.bias().isEmpty() ? new float[size] : graph.values(from.bias(), size);
                if (to.norm() != null) {
                    putNorm(weights, to.norm(), from, bias);
                    // The layer's bias has become part of the norm.
                    bias = new float[size];
                } else if (from.norm() != null) {
                    bias = bias.clone();
                    w = BatchNormFolding.fold(
                            w,
                            bias,
                            norm(from, 1, size),
                            norm(from, 2, size),
                            norm(from, 3, size),
                            norm(from, 4, size),
                            FileGraph.epsilon(from.norm()));
                }
                weights.put(name + ".weight", w);
                if (biased) {
                    weights.put(name + ".bias", bias);
                }
            }
        }
        return null;
    }

    private float[] norm(FileLayer from, int input, int size) throws InvalidEncoderException {
        return graph.values(FileGraph.input(from.norm(), input), size);
    }

    private void putNorm(Map<String, float[]> weights, Layer.BatchNorm to, FileLayer from, float[] bias)
            throws InvalidEncoderException {
        graph.putNorm(weights, to.name(), to.channels(), to.epsilon(), from.norm(), bias);
    }
}
