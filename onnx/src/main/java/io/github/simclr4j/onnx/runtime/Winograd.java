package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.BatchNormFolding;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.GraphChecker;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.ShapeInference;
import io.github.simclr4j.onnx.internal.TensorShape;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.network.ResNet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Rewrites a float32 graph so that its 3x3 convolutions take about half of the multiplications, for runtimes that do every one of
 * them, as ONNX Runtime on a CPU: along the rows by minimal filtering, F(4, 3) or F(2, 3) (Lavin and Gray, "Fast Algorithms
 * for Convolutional Neural Networks", CVPR 2016, section 4; the points 0, 1, -1, 2, -2 and infinity, and 0, 1, -1 and infinity),
 * along the columns as before. What comes out is equal but for rounding.
 *
 * <p>A map [N, C, H, W] on which this is done lies in p = 2 or 4 <i>lines</i>: line j holds the rows j, j + p, j + 2p and so on
 * and is a tensor of its own. So rows that are added to each other lie at the same place of several tensors, and all that is
 * needed are sums of tensors, depthwise convolutions (a tensor times a number, or its rows moved by one) and convolutions of
 * one row and three columns, for each of which ONNX Runtime has a kernel in one and the same blocked layout. Maps stay in lines
 * through ReLU and its like, sums, 1x1 convolutions and convolutions of stride 2, and are put together for all else.
 */
final class Winograd {
    /**
     * What an element that is written costs, one that is put together from lines, and a weight that is read for an image, in
     * multiplications of a convolution. Of a ResNet-18 on 224x224 on one core with AVX-512: 58 multiplications a nanosecond,
     * 0.8 ns and 2 ns an element. Of a weight: what makes estimates for ResNet-50 those that were measured.
     */
    private static final long WRITTEN = 45;
    private static final long PUT_TOGETHER = 120;
    private static final long READ = 5;
    /** The part of all multiplications that must be won, for the estimate is a rough one. */
    private static final double LEAST_GAIN = 0.02;
    /** Blocked layouts have up to 16 channels a block; other numbers of channels are not run in them. */
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
    private final String prefix;
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, TensorProto> made = new LinkedHashMap<>();
    /** The maps that lie in lines. */
    private final Map<String, List<Line>> lines = new HashMap<>();
    /** The values that are there as they are. */
    private final Set<String> whole = new HashSet<>();
    private int count;
    /** Multiplications of all convolutions, and what is saved of them less what that costs. */
    private double all;
    private double saved;

    /** Some rows of a map: a tensor [N, channels, rows, width]. */
    private record Line(String name, int channels, int rows, int width) {}

    private Winograd(ModelProto model, Map<String, TensorShape> shapes) {
        this.model = model;
        this.shapes = shapes;
        index = new GraphIndex(model.getGraph());
        String free = "lines";
        while (usesPrefix(free)) {
            free += "_";
        }
        prefix = free;
    }

    private boolean usesPrefix(String start) {
        return shapes.keySet().stream().anyMatch(n -> n.startsWith(start)) || model.getGraph().getNodeList().stream()
                .anyMatch(n -> n.getName().startsWith(start) || n.getOutputList().stream().anyMatch(o -> o.startsWith(start)));
    }

    /**
     * The model in that form for images of one size, or as it is where there is nothing to win or something is not understood.
     *
     * @param model a model without data beside it
     * @param binding which input takes the images, and their size
     */
    static ModelProto rewrite(ModelProto model, GraphBinding binding) {
        ModelProto sized = sized(model, binding);
        ModelProto rewritten = rewrite(sized);
        return rewritten == sized ? model : rewritten;
    }

    /** The model with the size of its images fixed. */
    private static ModelProto sized(ModelProto model, GraphBinding binding) {
        ModelProto.Builder b = model.toBuilder();
        for (ValueInfoProto.Builder in : b.getGraphBuilder().getInputBuilderList()) {
            if (in.getName().equals(binding.input())) {
                int rows = binding.layout() == EncoderSettings.Layout.NCHW ? 2 : 1;
                TensorShapeProto.Builder shape = in.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
                shape.getDimBuilder(rows).setDimValue(binding.preprocessing().height());
                shape.getDimBuilder(rows + 1).setDimValue(binding.preprocessing().width());
            }
        }
        return b.build();
    }

    private static ModelProto rewrite(ModelProto model) {
        boolean simple = model.getGraph().getNodeList().stream().noneMatch(n -> n.getAttributeList().stream()
                .anyMatch(a -> a.hasG() || a.getGraphsCount() > 0 || !a.getRefAttrName().isEmpty()));
        Map<String, TensorShape> shapes = simple ? GraphChecker.shapes(model.getGraph()) : Map.of();
        if (shapes.isEmpty() || Opset.of(model.getOpsetImportList()) < 13) {
            return model;
        }
        ModelProto folded = BatchNormFolding.fold(model);
        ModelProto found = new Winograd(folded, folded == model ? shapes : GraphChecker.shapes(folded.getGraph())).nodes();
        return found == folded ? model : found;
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
        if (saved <= LEAST_GAIN * all) {
            return model;
        }
        ModelProto.Builder b = model.toBuilder();
        b.getGraphBuilder().clearNode().addAllNode(nodes).addAllInitializer(made.values()).clearValueInfo();
        return b.setGraph(GraphIndex.withoutUnused(b.getGraph())).build();
    }

    private void node(NodeProto n, Set<NodeProto> done) {
        String op = n.getDomain().isEmpty() ? n.getOpType() : "";
        List<Line> x = n.getInputCount() == 0 ? null : lines.get(n.getInput(0));
        if (op.equals("Conv") && convolution(n, x, done)) {
            return;
        }
        if (x != null && ELEMENTWISE.contains(op)) {
            lines.put(n.getOutput(0), x.stream().map(l -> same(n, l, l.channels())).toList());
            return;
        }
        if (op.equals("Add") && sameMap(n.getInput(0), n.getInput(1)) && (x != null || lines.containsKey(n.getInput(1)))) {
            int p = Math.max(lineCount(n.getInput(0)), lineCount(n.getInput(1)));
            List<Line> a = split(n.getInput(0), p);
            List<Line> b = split(n.getInput(1), p);
            lines.put(n.getOutput(0), IntStream.range(0, p).mapToObj(j -> sum(a.get(j), b.get(j))).toList());
            return;
        }
        n.getInputList().forEach(this::whole);
        nodes.add(n);
        whole.addAll(n.getOutputList());
    }

    private int lineCount(String value) {
        return lines.containsKey(value) ? lines.get(value).size() : 1;
    }

    /** The channels, rows and columns of a float32 map, or null if they are not known, or it is none. */
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
        return map(a) != null && Arrays.equals(map(a), map(b)) && shapes.get(a).dims()[0] == shapes.get(b).dims()[0];
    }

    /** Does a convolution in lines, if it is one of those for which there is a way. */
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
        if (GraphIndex.integer(n, "group", 1) != 1 || kernel != w.getDims(3) || in[0] % BLOCK != 0 || out[0] % BLOCK != 0
                || !Arrays.equals(ShapeInference.attribute(n, "dilations", ONCE), ONCE) || biased && index.floatConstant(n, 2) == null) {
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
            saved -= (double) READ * in[0] * out[0] * (x.size() - 1);
            lines.put(n.getOutput(0), x.stream().map(l -> same(n, l, out[0])).toList());
            return true;
        }
        if ((kernel == 1 || kernel == 3) && padded && second && x != null) {
            saved += (double) READ * in[0] * out[0] * kernel * kernel;
            lines.put(n.getOutput(0), everySecond(n.getInput(1), bias, (int) kernel, x, out));
            return true;
        }
        return false;
    }

    /** The zeros around a map: above, on the left, below, on the right; null if they depend on its size. */
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
        int groups = rows(in[1], p, 0);
        int products = p == 4 ? 5 * groups + rows(in[1], 4, 3) : 3 * groups + rows(in[1], 2, 1);
        double won = 3.0 * in[0] * filters * in[2] * (3 * in[1] - products);
        // Sums and depthwise convolutions: 13 of a quarter each before and 8 behind, or 4 and 2 of a half.
        double sums = (double) WRITTEN * groups * in[2] * (p == 4 ? 13 * in[0] + 8 * filters : 4 * in[0] + 2 * filters);
        if (in[1] < 2 || won < sums) {
            return false;
        }
        List<Line> x = split(n.getInput(0), p);
        // The sum with a shortcut is made before the last convolution, which takes it up and a ReLU behind it, too.
        NodeProto next = index.onlyConsumer(n.getOutput(0));
        String shortcut = next == null || !next.getOpType().equals("Add") ? null
                : next.getInput(next.getInput(0).equals(n.getOutput(0)) ? 1 : 0);
        String result = n.getOutput(0);
        List<Line> more = null;
        if (shortcut != null && sameMap(shortcut, result) && (whole.contains(shortcut) || lines.containsKey(shortcut))) {
            result = next.getOutput(0);
            more = split(shortcut, p);
            done.add(next);
        }
        saved += won + READ * 9.0 * in[0] * filters;
        lines.put(result, p == 4 ? four(n.getInput(1), bias, filters, x, more) : two(n.getInput(1), bias, filters, x, more));
        return true;
    }

    /** F(2, 3) along the rows. */
    private List<Line> two(String w, String bias, int filters, List<Line> x, List<Line> more) {
        Line even = x.get(0);
        Line odd = x.get(1);
        int n = even.rows();
        Line t0 = depthwise(odd, 1, n, 1, null, 1, -1);
        Line t1 = plus(odd, 1, even, n);
        Line t2 = plus(odd, -1, even, n);
        Line t3 = depthwise(even, 0, odd.rows(), 1, null, -1, 1);
        Line m1 = convolve(t1, w, bias, filters, 3, 1, null, 0.5, 0.5, 0.5);
        Line m2 = convolve(t2, w, null, filters, 3, 1, null, -0.5, 0.5, -0.5);
        Line upper = with(more, 0, add(m1, m2));
        Line lower = plus(m2, -1, with(more, 1, fit(m1, odd.rows())), odd.rows());
        return List.of(convolve(t0, w, null, filters, 3, 1, upper, 1, 0, 0), convolve(t3, w, null, filters, 3, 1, lower, 0, 0, 1));
    }

    /** F(4, 3) along the rows. */
    private List<Line> four(String w, String bias, int filters, List<Line> x, List<Line> more) {
        int n = x.get(0).rows();
        int last = x.get(3).rows();
        List<Line> d = x.stream().map(l -> fit(l, n)).toList();
        // With d(i) for the row above line i, the rows of B^T d are 4 d0 - 5 d2 + d4; a + b; a - b; c + 2e; c - 2e; 4 d1 - 5 d3 + d5.
        Line a = plus(d.get(1), -4, d.get(3), n);
        Line b = plus(d.get(0), -4, d.get(2), n);
        Line c = plus(d.get(1), -1, d.get(3), n);
        Line e = plus(d.get(0), -1, d.get(2), n);
        Line t0 = plus(d.get(1), -5, depthwise(d.get(3), 1, n, 1, null, 4, 1), n);
        Line t1 = add(a, b);
        Line t2 = plus(b, -1, a, n);
        Line t3 = plus(e, 2, c, n);
        Line t4 = plus(e, -2, c, n);
        Line t5 = plus(d.get(2), -5, depthwise(d.get(0), 0, last, 1, null, 4, 1), last);
        Line m1 = convolve(t1, w, bias, filters, 3, 1, null, -1 / 6.0, -1 / 6.0, -1 / 6.0);
        Line m2 = convolve(t2, w, null, filters, 3, 1, null, -1 / 6.0, 1 / 6.0, -1 / 6.0);
        Line m3 = convolve(t3, w, null, filters, 3, 1, null, 1 / 24.0, 1 / 12.0, 1 / 6.0);
        Line m4 = convolve(t4, w, null, filters, 3, 1, null, 1 / 24.0, -1 / 12.0, 1 / 6.0);
        // The rows of A^T m are m0 + s + t; u + 2v; s + 4t; u + 8v + m5.
        Line s = add(m1, m2);
        Line t = add(m3, m4);
        Line u = plus(m2, -1, m1, n);
        Line v = plus(m4, -1, m3, n);
        Line y0 = convolve(t0, w, null, filters, 3, 1, with(more, 0, add(s, t)), 0.25, 0, 0);
        Line y1 = plus(v, 2, with(more, 1, fit(u, x.get(1).rows())), x.get(1).rows());
        Line y2 = plus(t, 4, with(more, 2, fit(s, x.get(2).rows())), x.get(2).rows());
        Line y3 = convolve(t5, w, null, filters, 3, 1, plus(v, 8, with(more, 3, fit(u, last)), last), 0, 0, 1);
        return List.of(y0, y1, y2, y3);
    }

    private Line with(List<Line> more, int j, Line line) {
        return more == null ? line : add(line, more.get(j));
    }

    /** A convolution of stride 2, 1x1 or 3x3: from p lines to p / 2, of which one alone is the whole map. */
    private List<Line> everySecond(String w, String bias, int kernel, List<Line> x, int[] out) {
        int p = x.size();
        List<Line> result = new ArrayList<>();
        for (int q = 0; q < p / 2; q++) {
            int rows = rows(out[1], p / 2, q);
            if (kernel == 1) {
                result.add(convolve(x.get(2 * q), w, bias, out[0], 1, 2, null, 1));
                continue;
            }
            // Of rows 2q - 1, 2q and 2q + 1, of which the first is in the last line, one row above.
            Line sum = null;
            for (int d : new int[] {1, 2, 0}) {
                int row = 2 * q - 1 + d;
                Line l = row < 0 ? depthwise(x.get(p - 1), 1, rows, 1, null, 1) : fit(x.get(row), rows);
                sum = convolve(l, w, d == 1 ? bias : null, out[0], 3, 2, sum,
                        d == 0 ? 1 : 0, d == 1 ? 1 : 0, d == 2 ? 1 : 0);
            }
            result.add(sum);
        }
        return result;
    }

    /** How many of {@code height} rows are in line j of p. */
    private static int rows(int height, int p, int j) {
        return (height - j + p - 1) / p;
    }

    /** A map in p lines, wherever it is now; p is at least what it has. */
    private List<Line> split(String value, int p) {
        int[] d = map(value);
        List<Line> now = lines.get(value);
        if (now == null || now.size() > p) {
            whole(value);
            now = List.of(new Line(value, d[0], d[1], d[2]));
        }
        // Row i of line j becomes a row of line j + k times the number of lines, where k = i mod step.
        int step = p / now.size();
        if (step > 1) {
            List<Line> more = new ArrayList<>();
            for (int k = 0; k < step; k++) {
                float[] taps = new float[k + 1];
                taps[k] = 1;
                for (Line l : now) {
                    more.add(depthwise(l, 0, rows(l.rows(), step, k), step, null, taps));
                }
            }
            now = more;
        }
        lines.put(value, now);
        return now;
    }

    /** Puts a map together if it is in lines alone. */
    private void whole(String value) {
        List<Line> parts = lines.get(value);
        if (parts == null || !whole.add(value)) {
            return;
        }
        int[] d = map(value);
        int p = parts.size();
        int groups = parts.get(0).rows();
        if (p == 1) {
            emit("Identity", List.of(parts.get(0).name()), value);
            return;
        }
        saved -= (double) PUT_TOGETHER * d[0] * d[1] * d[2];
        List<String> in = parts.stream()
                .map(l -> emit("Reshape", List.of(fit(l, groups).name(), longs(0, 0, groups, 1, d[2])), null)).toList();
        String together = emit("Concat", in, null, GraphBuilder.integer("axis", 3));
        List<String> shape = List.of(together, longs(0, 0, (long) p * groups, d[2]));
        if (p * groups == d[1]) {
            emit("Reshape", shape, value);
        } else {
            emit("Slice", List.of(emit("Reshape", shape, null), longs(0), longs(d[1]), longs(2)), value);
        }
    }

    /** A sum that was not there before. */
    private Line add(Line a, Line b) {
        saved -= (double) WRITTEN * a.channels() * a.rows() * a.width();
        return sum(a, b);
    }

    private Line sum(Line a, Line b) {
        return new Line(emit("Add", List.of(a.name(), b.name()), null), a.channels(), a.rows(), a.width());
    }

    /** {@code factor * x + y} in as many rows. */
    private Line plus(Line x, float factor, Line y, int rows) {
        return depthwise(x, 0, rows, 1, y, factor);
    }

    /** A line with so many rows: further ones are left out, missing ones are 0. */
    private Line fit(Line x, int rows) {
        return x.rows() == rows ? x : depthwise(x, 0, rows, 1, null, 1);
    }

    /**
     * Sums of rows that follow each other, times taps.
     *
     * @param above rows of zeros before them; those behind are made to fit
     * @param rows how many come out
     * @param plus what is added, or null
     */
    private Line depthwise(Line x, int above, int rows, int stride, Line plus, float... taps) {
        int behind = (rows - 1) * stride + taps.length - x.rows() - above;
        // Rows too many are met by taps of 0.
        float[] all = stride > 1 ? taps : Arrays.copyOf(taps, taps.length + Math.max(0, -behind));
        String key = prefix + "_taps_" + x.channels() + Arrays.toString(all);
        made.computeIfAbsent(key, k -> {
            float[] values = new float[x.channels() * all.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = all[i % all.length];
            }
            return TensorValues.floats(k, values, x.channels(), 1, all.length, 1);
        });
        saved -= (double) WRITTEN * x.channels() * rows * x.width();
        String y = emit("Conv", List.of(x.name(), key), null, GraphBuilder.ints("kernel_shape", all.length, 1),
                GraphBuilder.ints("pads", above, 0, stride > 1 ? 0 : Math.max(0, behind), 0),
                GraphBuilder.ints("strides", stride, 1), GraphBuilder.integer("group", x.channels()));
        // ONNX Runtime makes one operator of a convolution and a sum.
        y = plus == null ? y : emit("Add", List.of(y, plus.name()), null);
        return new Line(y, x.channels(), rows, x.width());
    }

    /**
     * A convolution of one row, whose weights are a sum of the rows of others.
     *
     * @param kernel columns
     * @param stride of the columns
     * @param plus what is added, or null
     * @param factors of each row
     */
    private Line convolve(Line x, String w, String bias, int filters, int kernel, int stride, Line plus, double... factors) {
        String key = prefix + "_rows_" + w + Arrays.toString(factors);
        made.computeIfAbsent(key, k -> {
            float[] from = TensorValues.floats(index.initialisers.get(w));
            float[] values = new float[filters * x.channels() * kernel];
            for (int i = 0; i < values.length; i++) {
                double sum = 0;
                for (int row = 0; row < kernel; row++) {
                    sum += factors[row] * from[i / kernel * kernel * kernel + row * kernel + i % kernel];
                }
                values[i] = (float) sum;
            }
            return TensorValues.floats(k, values, filters, x.channels(), 1, kernel);
        });
        saved -= (double) READ * filters * x.channels() * kernel;
        List<String> in = bias == null ? List.of(x.name(), key) : List.of(x.name(), key, bias);
        String y = emit("Conv", in, null, GraphBuilder.ints("kernel_shape", 1, kernel),
                GraphBuilder.ints("pads", 0, kernel / 2, 0, kernel / 2), GraphBuilder.ints("strides", 1, stride));
        y = plus == null ? y : emit("Add", List.of(y, plus.name()), null);
        return new Line(y, filters, x.rows(), (x.width() + stride - 1) / stride);
    }

    /** A node for one line instead of the whole map. */
    private Line same(NodeProto n, Line x, int channels) {
        String out = prefix + "_" + count++;
        nodes.add(n.toBuilder().setName(out).setInput(0, x.name()).setOutput(0, out).build());
        return new Line(out, channels, x.rows(), x.width());
    }

    private String longs(long... values) {
        String key = prefix + "_longs" + Arrays.toString(values);
        made.computeIfAbsent(key, k -> TensorValues.longs(k, values, values.length));
        return key;
    }

    /** Adds a node and returns what it makes, whose name is new if it is not given. */
    private String emit(String op, List<String> in, String out, AttributeProto... attributes) {
        String name = prefix + "_" + count++;
        String made = out == null ? name : out;
        nodes.add(GraphBuilder.node(op, name, in, made, attributes));
        return made;
    }
}
