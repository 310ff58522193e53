// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphChecker;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.ShapeInference;
import io.github.simclr4j.onnx.internal.TensorShape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Rewrites a float32 graph so that its 3x3 convolutions need about half of the multiplications, by Winograd's minimal filtering
 * (<a href="https://arxiv.org/abs/1509.09308">Lavin and Gray, CVPR 2016</a>, section 4). ONNX Runtime does not do this on a CPU. The
 * filtering is F(4, 3) with the points 0, 1, -1, 2, -2 and infinity, or F(2, 3) with the points 0, 1, -1 and infinity, along the rows;
 * the columns are convolved as usual. The results are equal except for rounding errors.
 *
 * <p>A feature map [N, C, H, W] is split into p = 2 or 4 <i>lines</i>. Line j is a tensor with the rows j, j + p, j + 2p and so on. So
 * rows to be added are at the same place in different tensors. The rewritten graph needs only operators for which ONNX Runtime has a
 * kernel in the same blocked layout:
 *
 * <ul>
 *   <li>sums of tensors
 *   <li>depthwise convolutions, which multiply a tensor by a number or shift its rows by one
 *   <li>convolutions with one row and three columns
 * </ul>
 *
 * <p>Maps stay split through element-wise operators such as ReLU, sums, 1x1 convolutions and convolutions of stride 2. They are put
 * together for all other operators.
 */
final class Winograd {
    /** Minimum share of multiplications to save; needed because the estimate is rough. */
    private static final double LEAST_GAIN = 0.02;
    /** Number of channels per block of the blocked layout; numbers of channels must be multiples of it. */
    private static final int BLOCK = 16;

    private static final Set<String> ELEMENTWISE =
            Set.of("Relu", "Clip", "LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Identity");
    private static final long[] NONE = {0, 0, 0, 0};
    private static final long[] AROUND = {1, 1, 1, 1};
    private static final long[] ONCE = {1, 1};
    private static final long[] EVERY_SECOND = {2, 2};

    private final ModelProto model;
    private final GraphIndex index;
    private final Map<String, TensorShape> shapes;
    private final LineBuilder builder;
    private final MinimalFiltering filtering;
    /** The feature maps that are split into lines. */
    private final Map<String, List<Line>> lines = new HashMap<>();
    /** The values that are available unsplit. */
    private final Set<String> whole = new HashSet<>();
    /** Number of multiplications in all convolutions. */
    private double all;

    private Winograd(ModelProto model, Map<String, TensorShape> shapes) {
        this.model = model;
        this.shapes = shapes;
        index = new GraphIndex(model.getGraph());
        String free = "lines";
        while (usesPrefix(free)) {
            free += "_";
        }
        builder = new LineBuilder(free, index);
        filtering = new MinimalFiltering(builder);
    }

    private boolean usesPrefix(String start) {
        return shapes.keySet().stream().anyMatch(n -> n.startsWith(start))
                || model.getGraph().getNodeList().stream()
                        .anyMatch(n -> n.getName().startsWith(start)
                                || n.getOutputList().stream().anyMatch(o -> o.startsWith(start)));
    }

    /**
     * Rewrites a model for images of one size. Returns it unchanged if there is nothing to gain or something is not supported.
     *
     * @param model a model without external data
     * @param binding the input for the images, and their size
     */
    static ModelProto rewrite(ModelProto model, GraphBinding binding) {
        ModelProto sized = sized(model, binding);
        ModelProto rewritten = rewrite(sized);
        return rewritten == sized ? model : rewritten;
    }

    /** Returns the model with a fixed image size. */
    private static ModelProto sized(ModelProto model, GraphBinding binding) {
        ModelProto.Builder b = model.toBuilder();
        for (ValueInfoProto.Builder in : b.getGraphBuilder().getInputBuilderList()) {
            if (in.getName().equals(binding.input())) {
                int rows = binding.layout() == EncoderSettings.Layout.NCHW ? 2 : 1;
                TensorShapeProto.Builder shape =
                        in.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
                shape.getDimBuilder(rows).setDimValue(binding.preprocessing().height());
                shape.getDimBuilder(rows + 1)
                        .setDimValue(binding.preprocessing().width());
            }
        }
        return b.build();
    }

    private static ModelProto rewrite(ModelProto model) {
        boolean simple = model.getGraph().getNodeList().stream()
                .noneMatch(n -> n.getAttributeList().stream()
                        .anyMatch(a -> a.hasG()
                                || a.getGraphsCount() > 0
                                || !a.getRefAttrName().isEmpty()));
        Map<String, TensorShape> shapes = simple ? GraphChecker.shapes(model) : Map.of();
        if (shapes.isEmpty() || Opset.of(model.getOpsetImportList()) < 13) {
            return model;
        }
        ModelProto folded = BatchNormFolding.fold(model);
        ModelProto found = new Winograd(folded, folded == model ? shapes : GraphChecker.shapes(folded)).nodes();
        return found == folded ? model : ModelChecksum.without(found);
    }

    private ModelProto nodes() {
        model.getGraph().getInputList().forEach(i -> whole.add(i.getName()));
        whole.addAll(index.initialisers.keySet());
        Set<NodeProto> done = new HashSet<>();
        for (NodeProto n : model.getGraph().getNodeList()) {
            if (!done.contains(n)) {
                node(n, done);
            }
        }
        model.getGraph().getOutputList().forEach(o -> whole(o.getName()));
        if (builder.saved() <= LEAST_GAIN * all) {
            return model;
        }
        ModelProto.Builder b = model.toBuilder();
        b.getGraphBuilder()
                .clearNode()
                .addAllNode(builder.nodes())
                .addAllInitializer(builder.constants())
                .clearValueInfo();
        return b.setGraph(GraphIndex.withoutUnused(b.getGraph())).build();
    }

    private void node(NodeProto n, Set<NodeProto> done) {
        String op = n.getDomain().isEmpty() ? n.getOpType() : "";
        List<Line> x = n.getInputCount() == 0 ? null : lines.get(n.getInput(0));
        if (op.equals("Conv") && convolution(n, x, done)) {
            return;
        }
        if (x != null && ELEMENTWISE.contains(op)) {
            lines.put(
                    n.getOutput(0),
                    x.stream().map(l -> builder.same(n, l, l.channels())).toList());
            return;
        }
        if (op.equals("Add")
                && sameMap(n.getInput(0), n.getInput(1))
                && (x != null || lines.containsKey(n.getInput(1)))) {
            int p = Math.max(lineCount(n.getInput(0)), lineCount(n.getInput(1)));
            List<Line> a = split(n.getInput(0), p);
            List<Line> b = split(n.getInput(1), p);
            lines.put(
                    n.getOutput(0),
                    IntStream.range(0, p)
                            .mapToObj(j -> builder.sum(a.get(j), b.get(j)))
                            .toList());
            return;
        }
        n.getInputList().forEach(this::whole);
        builder.add(n);
        whole.addAll(n.getOutputList());
    }

    private int lineCount(String value) {
        return lines.containsKey(value) ? lines.get(value).size() : 1;
    }

    /** Returns the channels, rows and columns of a float32 feature map, or null if it is none or they are unknown. */
    private int[] map(String value) {
        TensorShape v = shapes.get(value);
        if (v == null || v.type() != TensorProto.DataType.FLOAT_VALUE || v.dims() == null || v.dims().length != 4) {
            return null;
        }
        int[] d = new int[3];
        for (int i = 0; i < 3; i++) {
            d[i] = (int) v.dims()[i + 1];
            if (d[i] < 1 || d[i] != v.dims()[i + 1]) {
                return null;
            }
        }
        return d;
    }

    private boolean sameMap(String a, String b) {
        return map(a) != null
                && Arrays.equals(map(a), map(b))
                && shapes.get(a).dims()[0] == shapes.get(b).dims()[0];
    }

    /** Rewrites a convolution with lines; returns false if it is not supported. */
    private boolean convolution(NodeProto n, List<Line> x, Set<NodeProto> done) {
        int[] in = map(n.getInput(0));
        int[] out = map(n.getOutput(0));
        TensorProto w = index.floatConstant(n, 1);
        if (in == null || out == null || w == null) {
            return false;
        }
        long kernel = w.getDims(2);
        all += multiplications(n, w, out);
        boolean biased = n.getInputCount() > 2 && !n.getInput(2).isEmpty();
        if (GraphIndex.integer(n, "group", 1) != 1
                || kernel != w.getDims(3)
                || in[0] % BLOCK != 0
                || out[0] % BLOCK != 0
                || !Arrays.equals(ShapeInference.attribute(n, "dilations", ONCE), ONCE)
                || biased && index.floatConstant(n, 2) == null) {
            return false;
        }
        boolean once = Arrays.equals(ShapeInference.attribute(n, "strides", ONCE), ONCE);
        boolean second = Arrays.equals(ShapeInference.attribute(n, "strides", ONCE), EVERY_SECOND);
        boolean padded = Arrays.equals(pads(n, once, kernel), kernel == 3 ? AROUND : NONE);
        String bias = biased ? n.getInput(2) : null;
        if (kernel == 3 && padded && once && winograd(n, in, out[0], bias, done)) {
            return true;
        }
        if (kernel == 1 && padded && once && x != null) {
            builder.spend((double) LineBuilder.READ * in[0] * out[0] * (x.size() - 1));
            lines.put(
                    n.getOutput(0),
                    x.stream().map(l -> builder.same(n, l, out[0])).toList());
            return true;
        }
        if ((kernel == 1 || kernel == 3) && padded && second && x != null) {
            builder.save((double) LineBuilder.READ * in[0] * out[0] * kernel * kernel);
            lines.put(n.getOutput(0), filtering.everySecond(n.getInput(1), bias, (int) kernel, x, out));
            return true;
        }
        return false;
    }

    /** Returns the padding at the top, left, bottom and right; null if it depends on the map's size. */
    private static long[] pads(NodeProto n, boolean once, long kernel) {
        return switch (ShapeInference.autoPad(n)) {
            case "NOTSET" -> ShapeInference.attribute(n, "pads", NONE);
            case "VALID" -> NONE;
            default -> once && kernel == 3 ? AROUND : null;
        };
    }

    private static double multiplications(NodeProto n, TensorProto w, int[] out) {
        return (double) w.getDims(1) * w.getDims(2) * w.getDims(3) * out[0] * out[1] * out[2];
    }

    private boolean winograd(NodeProto n, int[] in, int filters, String bias, Set<NodeProto> done) {
        int p = in[1] >= 7 ? 4 : 2;
        int groups = Line.rows(in[1], p, 0);
        int products = p == 4 ? 5 * groups + Line.rows(in[1], 4, 3) : 3 * groups + Line.rows(in[1], 2, 1);
        double won = 3.0 * in[0] * filters * in[2] * (3 * in[1] - products);
        // Sums and depthwise convolutions: 13 on a quarter of the map before and 8 after, or 4 and 2 on a half.
        double sums = (double) LineBuilder.WRITTEN
                * groups
                * in[2]
                * (p == 4 ? 13 * in[0] + 8 * filters : 4 * in[0] + 2 * filters);
        if (in[1] < 2 || won < sums) {
            return false;
        }
        List<Line> x = split(n.getInput(0), p);
        // The sum with a shortcut is passed to the last convolution, so that ONNX Runtime fuses it and the ReLU after
        // it.
        NodeProto next = index.onlyConsumer(n.getOutput(0));
        String shortcut = next == null || !next.getOpType().equals("Add")
                ? null
                : next.getInput(next.getInput(0).equals(n.getOutput(0)) ? 1 : 0);
        String result = n.getOutput(0);
        List<Line> more = null;
        if (shortcut != null
                && sameMap(shortcut, result)
                && (whole.contains(shortcut) || lines.containsKey(shortcut))) {
            result = next.getOutput(0);
            more = split(shortcut, p);
            done.add(next);
        }
        builder.save(won + LineBuilder.READ * 9.0 * in[0] * filters);
        lines.put(
                result,
                p == 4
                        ? filtering.four(n.getInput(1), bias, filters, x, more)
                        : filtering.two(n.getInput(1), bias, filters, x, more));
        return true;
    }

    /** Returns a feature map in p lines; p is at least its present number of lines. */
    private List<Line> split(String value, int p) {
        int[] d = map(value);
        List<Line> now = lines.get(value);
        if (now == null || now.size() > p) {
            whole(value);
            now = List.of(new Line(value, d[0], d[1], d[2]));
        }
        // Row i of line j becomes a row of line j + k * (number of lines), where k = i mod step.
        int step = p / now.size();
        if (step > 1) {
            List<Line> more = new ArrayList<>();
            for (int k = 0; k < step; k++) {
                float[] taps = new float[k + 1];
                taps[k] = 1;
                for (Line l : now) {
                    more.add(builder.depthwise(l, 0, Line.rows(l.rows(), step, k), step, null, taps));
                }
            }
            now = more;
        }
        lines.put(value, now);
        return now;
    }

    /** Puts a feature map together if it is available only in lines. */
    private void whole(String value) {
        List<Line> parts = lines.get(value);
        if (parts == null || !whole.add(value)) {
            return;
        }
        int[] d = map(value);
        int p = parts.size();
        int groups = parts.get(0).rows();
        if (p == 1) {
            builder.emit("Identity", List.of(parts.get(0).name()), value);
            return;
        }
        builder.spend((double) LineBuilder.PUT_TOGETHER * d[0] * d[1] * d[2]);
        String rows = builder.longs(0, 0, groups, 1, d[2]);
        List<String> in = parts.stream()
                .map(l -> builder.emit("Reshape", List.of(builder.fit(l, groups).name(), rows), null))
                .toList();
        String together = builder.emit("Concat", in, null, GraphBuilder.integer("axis", 3));
        List<String> shape = List.of(together, builder.longs(0, 0, (long) p * groups, d[2]));
        if (p * groups == d[1]) {
            builder.emit("Reshape", shape, value);
        } else {
            String padded = builder.emit("Reshape", shape, null);
            builder.emit("Slice", List.of(padded, builder.longs(0), builder.longs(d[1]), builder.longs(2)), value);
        }
    }
}
