package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Infers the type and shape of what the operators of image encoders give from those of what they take, by
 * onnx/docs/Operators.md.
 */
public final class ShapeInference {
    private ShapeInference() {}

    /**
     * The type and shape of a node's first output.
     *
     * @param in what the inputs are; null for one that is not known or left out
     * @param constants values known before the graph runs, by name
     * @return null if not known
     * @throws IllegalArgumentException if the inputs do not fit the operator or each other
     */
    public static TensorShape infer(NodeProto n, List<TensorShape> in, Map<String, TensorProto> constants) {
        String op = n.getOpType();
        if (op.equals("Constant")) {
            TensorProto t = TensorValues.constant(n);
            return t == null ? null : new TensorShape(t.getDataType(), TensorValues.dims(t));
        }
        TensorShape x = in.isEmpty() ? null : in.get(0);
        if (x == null || x.dims() == null && !op.equals("Cast")) {
            return null;
        }
        require(x.dims() == null || x.dims().length <= 64, "expected at most 64 dimensions");
        return switch (op) {
            case "Cast" -> new TensorShape((int) GraphIndex.integer(n, "to", 0), x.dims());
            case "Relu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Sqrt", "Erf", "Exp", "Neg", "Abs", "Identity", "Clip",
                    "LeakyRelu", "Elu", "Gelu", "Softplus", "Mish", "Reciprocal", "Softmax", "LogSoftmax",
                    "LayerNormalization" -> x;
            case "BatchNormalization" -> norm(x, in);
            case "Add", "Sub", "Mul", "Div", "Pow" -> binary(op, x, in.get(1));
            case "Conv" -> conv(n, x, in);
            case "MaxPool", "AveragePool" -> window(n, x, attribute(n, "kernel_shape", null));
            case "GlobalAveragePool", "GlobalMaxPool" -> {
                require(x.dims().length > 2, "expected an image, found " + x);
                long[] d = new long[x.dims().length];
                Arrays.fill(d, 1);
                d[0] = x.dims()[0];
                d[1] = x.dims()[1];
                yield new TensorShape(x.type(), d);
            }
            case "Flatten" -> flatten(x, GraphIndex.integer(n, "axis", 1));
            case "Transpose" -> transpose(n, x);
            case "Gemm" -> gemm(n, x, in);
            case "MatMul" -> matMul(x, in.get(1));
            case "Concat" -> concat(n, in);
            case "Reshape" -> reshape(n, x, constants.get(n.getInput(1)));
            case "ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2" -> reduce(n, x, constants);
            case "Squeeze" -> squeeze(x, axes(n, constants));
            case "Unsqueeze" -> unsqueeze(x, axes(n, constants));
            case "QuantizeLinear", "DequantizeLinear" -> quantised(n, x, in);
            default -> null;
        };
    }

    private static void require(boolean ok, String message) {
        if (!ok) {
            throw new IllegalArgumentException(message);
        }
    }

    /** How a window is padded: NOTSET (by its pads), VALID (not), SAME_UPPER or SAME_LOWER. */
    public static String autoPad(NodeProto n) {
        return n.getAttributeList().stream().filter(a -> a.getName().equals("auto_pad")).findFirst()
                .map(a -> a.getS().toStringUtf8()).orElse("NOTSET");
    }

    /** An attribute of several integers, or a default. */
    public static long[] attribute(NodeProto n, String name, long[] otherwise) {
        return n.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst()
                .map(a -> a.getIntsList().stream().mapToLong(Long::longValue).toArray()).orElse(otherwise);
    }

    private static boolean differ(long a, long b) {
        return a != TensorShape.UNKNOWN && b != TensorShape.UNKNOWN && a != b;
    }

    private static void sameType(TensorShape a, TensorShape b) {
        require(a.type() == b.type(), "operands differ in type: " + a + " and " + b);
    }

    private static TensorShape binary(String op, TensorShape a, TensorShape b) {
        if (b == null || b.dims() == null) {
            return null;
        }
        if (!op.equals("Pow")) {
            sameType(a, b);
        }
        int rank = Math.max(a.dims().length, b.dims().length);
        long[] d = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long p = i > a.dims().length ? 1 : a.dims()[a.dims().length - i];
            long q = i > b.dims().length ? 1 : b.dims()[b.dims().length - i];
            require(p == 1 || q == 1 || !differ(p, q), "shapes do not broadcast: " + a + " and " + b);
            d[rank - i] = p == 1 ? q : q == 1 || p != TensorShape.UNKNOWN ? p : q;
        }
        return new TensorShape(a.type(), d);
    }

    private static TensorShape norm(TensorShape x, List<TensorShape> in) {
        require(x.dims().length > 1, "expected channels, found " + x);
        for (int i = 1; i < 5; i++) {
            TensorShape p = in.get(i);
            require(p == null || p.dims() == null || p.dims().length == 1 && !differ(p.dims()[0], x.dims()[1]),
                    "expected a value for each of the channels of " + x + ", found " + p);
        }
        return x;
    }

    private static TensorShape conv(NodeProto n, TensorShape x, List<TensorShape> in) {
        TensorShape w = in.get(1);
        if (w == null || w.dims() == null) {
            return null;
        }
        sameType(x, w);
        long group = GraphIndex.integer(n, "group", 1);
        require(group > 0 && w.dims().length == x.dims().length && x.dims().length > 2,
                "weights " + w + " do not fit " + x);
        require(!differ(x.dims()[1], w.dims()[1] * group) && w.dims()[0] % group == 0,
                "weights " + w + " in " + group + " groups do not fit " + x);
        long[] kernel = Arrays.copyOfRange(w.dims(), 2, w.dims().length);
        long[] said = attribute(n, "kernel_shape", kernel);
        require(Arrays.equals(said, kernel), "kernel_shape " + Arrays.toString(said) + " is not that of the weights " + w);
        TensorShape bias = in.size() > 2 ? in.get(2) : null;
        if (bias != null && bias.dims() != null) {
            sameType(x, bias);
            require(bias.dims().length == 1 && bias.dims()[0] == w.dims()[0], "bias " + bias + " does not fit weights " + w);
        }
        TensorShape out = window(n, x, kernel);
        out.dims()[1] = w.dims()[0];
        return out;
    }

    private static TensorShape window(NodeProto n, TensorShape x, long[] kernel) {
        int spatial = x.dims().length - 2;
        require(kernel != null && kernel.length == spatial && spatial > 0, "kernel_shape does not fit " + x);
        long[] ones = new long[spatial];
        Arrays.fill(ones, 1);
        long[] strides = attribute(n, "strides", ones);
        long[] dilations = attribute(n, "dilations", ones);
        long[] pads = attribute(n, "pads", new long[2 * spatial]);
        String auto = autoPad(n);
        require(strides.length == spatial && dilations.length == spatial && pads.length == 2 * spatial,
                "strides, dilations or pads do not fit " + x);
        require(Arrays.stream(strides).allMatch(s -> s > 0) && Arrays.stream(dilations).allMatch(s -> s > 0)
                && Arrays.stream(kernel).allMatch(s -> s > 0) && Arrays.stream(pads).allMatch(s -> s >= 0),
                "strides, dilations and kernel_shape must be positive, pads not negative");
        long[] d = x.dims().clone();
        boolean ceil = GraphIndex.integer(n, "ceil_mode", 0) != 0;
        for (int i = 0; i < spatial; i++) {
            long side = x.dims()[2 + i];
            if (side == TensorShape.UNKNOWN) {
                continue;
            }
            if (auto.startsWith("SAME")) {
                d[2 + i] = (side + strides[i] - 1) / strides[i];
                continue;
            }
            long room = side + pads[i] + pads[spatial + i] - dilations[i] * (kernel[i] - 1) - 1;
            require(room >= 0, "a kernel of " + kernel[i] + " does not fit " + x);
            long steps = ceil ? (room + strides[i] - 1) / strides[i] : room / strides[i];
            // A window that starts in the padding behind is left out.
            if (ceil && steps * strides[i] >= side + pads[i]) {
                steps--;
            }
            d[2 + i] = steps + 1;
        }
        return new TensorShape(x.type(), d);
    }

    private static long product(long[] d, int from, int to) {
        long p = 1;
        for (int i = from; i < to; i++) {
            if (d[i] == TensorShape.UNKNOWN) {
                return TensorShape.UNKNOWN;
            }
            p = Math.multiplyExact(p, d[i]);
        }
        return p;
    }

    private static TensorShape flatten(TensorShape x, long axis) {
        int rank = x.dims().length;
        require(axis >= -rank && axis <= rank, "axis " + axis + " does not fit " + x);
        int at = (int) (axis < 0 ? axis + rank : axis);
        return new TensorShape(x.type(), new long[] {product(x.dims(), 0, at), product(x.dims(), at, rank)});
    }

    private static TensorShape transpose(NodeProto n, TensorShape x) {
        int rank = x.dims().length;
        long[] reversed = new long[rank];
        for (int i = 0; i < rank; i++) {
            reversed[i] = rank - 1 - i;
        }
        long[] perm = attribute(n, "perm", reversed);
        require(perm.length == rank && Arrays.stream(perm).distinct().count() == rank
                && Arrays.stream(perm).allMatch(p -> p >= 0 && p < rank), "perm does not fit " + x);
        long[] d = new long[rank];
        for (int i = 0; i < rank; i++) {
            d[i] = x.dims()[(int) perm[i]];
        }
        return new TensorShape(x.type(), d);
    }

    private static TensorShape gemm(NodeProto n, TensorShape a, List<TensorShape> in) {
        TensorShape b = in.get(1);
        if (b == null || b.dims() == null) {
            return null;
        }
        sameType(a, b);
        require(a.dims().length == 2 && b.dims().length == 2, "expected two matrices, found " + a + " and " + b);
        boolean ta = GraphIndex.integer(n, "transA", 0) != 0;
        boolean tb = GraphIndex.integer(n, "transB", 0) != 0;
        require(!differ(a.dims()[ta ? 0 : 1], b.dims()[tb ? 1 : 0]), "matrices do not fit: " + a + " and " + b);
        TensorShape product = new TensorShape(a.type(), new long[] {a.dims()[ta ? 1 : 0], b.dims()[tb ? 0 : 1]});
        if (in.size() > 2 && in.get(2) != null && in.get(2).dims() != null) {
            binary("Add", product, in.get(2));
        }
        return product;
    }

    private static TensorShape matMul(TensorShape a, TensorShape b) {
        if (b == null || b.dims() == null || a.dims().length < 2 || b.dims().length < 2) {
            return null;
        }
        sameType(a, b);
        int p = a.dims().length;
        int q = b.dims().length;
        require(!differ(a.dims()[p - 1], b.dims()[q - 2]), "matrices do not fit: " + a + " and " + b);
        TensorShape stacks = binary("Mul", new TensorShape(a.type(), Arrays.copyOf(a.dims(), p - 2)),
                new TensorShape(b.type(), Arrays.copyOf(b.dims(), q - 2)));
        long[] d = Arrays.copyOf(stacks.dims(), stacks.dims().length + 2);
        d[d.length - 2] = a.dims()[p - 2];
        d[d.length - 1] = b.dims()[q - 1];
        return new TensorShape(a.type(), d);
    }

    private static TensorShape concat(NodeProto n, List<TensorShape> in) {
        if (in.stream().anyMatch(v -> v == null || v.dims() == null)) {
            return null;
        }
        long[] d = in.get(0).dims().clone();
        long axis = GraphIndex.integer(n, "axis", 0);
        int at = (int) (axis < 0 ? axis + d.length : axis);
        require(at >= 0 && at < d.length, "axis " + axis + " does not fit " + in.get(0));
        for (TensorShape v : in.subList(1, in.size())) {
            sameType(in.get(0), v);
            require(v.dims().length == d.length, "shapes do not fit: " + in);
            for (int i = 0; i < d.length; i++) {
                if (i == at) {
                    d[i] = d[i] == TensorShape.UNKNOWN || v.dims()[i] == TensorShape.UNKNOWN ? TensorShape.UNKNOWN : d[i] + v.dims()[i];
                } else {
                    require(!differ(d[i], v.dims()[i]), "shapes do not fit: " + in);
                }
            }
        }
        return new TensorShape(in.get(0).type(), d);
    }

    private static TensorShape reshape(NodeProto n, TensorShape x, TensorProto shape) {
        long[] d = longs(shape);
        if (d == null) {
            return new TensorShape(x.type(), null);
        }
        int open = -1;
        long known = 1;
        for (int i = 0; i < d.length; i++) {
            if (d[i] == 0 && GraphIndex.integer(n, "allowzero", 0) == 0) {
                require(i < x.dims().length, "shape " + Arrays.toString(d) + " does not fit " + x);
                d[i] = x.dims()[i];
                known = d[i] == TensorShape.UNKNOWN || known == TensorShape.UNKNOWN ? TensorShape.UNKNOWN : Math.multiplyExact(known, d[i]);
            } else if (d[i] == -1) {
                require(open < 0, "two open dimensions in " + Arrays.toString(d));
                open = i;
            } else {
                require(d[i] >= 0, "a negative dimension in " + Arrays.toString(d));
                known = known == TensorShape.UNKNOWN ? TensorShape.UNKNOWN : Math.multiplyExact(known, d[i]);
            }
        }
        long all = product(x.dims(), 0, x.dims().length);
        if (all != TensorShape.UNKNOWN && known != TensorShape.UNKNOWN) {
            require(open < 0 ? all == known : known > 0 && all % known == 0,
                    "shape " + Arrays.toString(d) + " does not fit " + x);
            if (open >= 0) {
                d[open] = all / known;
            }
        } else if (open > 0 && x.dims()[0] == TensorShape.UNKNOWN && d[0] == TensorShape.UNKNOWN) {
            // The batch stays as it is: the rest must fit the rest.
            long rest = product(x.dims(), 1, x.dims().length);
            long others = 1;
            for (int i = 1; i < d.length; i++) {
                others *= i == open ? 1 : d[i];
            }
            d[open] = rest == TensorShape.UNKNOWN || others <= 0 ? TensorShape.UNKNOWN : rest / others;
        }
        return new TensorShape(x.type(), d);
    }

    private static long[] axes(NodeProto n, Map<String, TensorProto> constants) {
        if (n.getInputCount() > 1 && !n.getInput(1).isEmpty()) {
            return longs(constants.get(n.getInput(1)));
        }
        return attribute(n, "axes", new long[0]);
    }

    /** The values of a constant that numbers or measures dimensions; null if it is none, or elsewhere. */
    private static long[] longs(TensorProto t) {
        if (t == null || TensorTypes.isExternal(t)) {
            return null;
        }
        long n = TensorValues.count(t.getDimsList());
        require(n <= 64 && t.getDataType() == DataType.INT64_VALUE && TensorTypes.isComplete(t, n, 8 * n),
                "expected int64 values for " + t.getName() + ", at most 64, and as many as its shape says");
        return TensorValues.longs(t);
    }

    private static List<Integer> positions(long[] axes, int rank) {
        List<Integer> at = new ArrayList<>();
        for (long a : axes) {
            require(a >= -rank && a < rank && !at.contains((int) (a < 0 ? a + rank : a)),
                    "axes " + Arrays.toString(axes) + " do not fit " + rank + " dimensions");
            at.add((int) (a < 0 ? a + rank : a));
        }
        return at;
    }

    private static TensorShape reduce(NodeProto n, TensorShape x, Map<String, TensorProto> constants) {
        long[] axes = axes(n, constants);
        if (axes == null) {
            return new TensorShape(x.type(), null);
        }
        List<Integer> at = positions(axes, x.dims().length);
        if (axes.length == 0 && GraphIndex.integer(n, "noop_with_empty_axes", 0) != 0) {
            return x;
        }
        List<Long> d = new ArrayList<>();
        for (int i = 0; i < x.dims().length; i++) {
            if (axes.length > 0 && !at.contains(i)) {
                d.add(x.dims()[i]);
            } else if (GraphIndex.integer(n, "keepdims", 1) != 0) {
                d.add(1L);
            }
        }
        return new TensorShape(x.type(), d.stream().mapToLong(Long::longValue).toArray());
    }

    private static TensorShape squeeze(TensorShape x, long[] axes) {
        if (axes == null || axes.length == 0 && Arrays.stream(x.dims()).anyMatch(d -> d == TensorShape.UNKNOWN)) {
            return new TensorShape(x.type(), null);
        }
        List<Integer> at = positions(axes, x.dims().length);
        List<Long> d = new ArrayList<>();
        for (int i = 0; i < x.dims().length; i++) {
            boolean gone = axes.length == 0 ? x.dims()[i] == 1 : at.contains(i);
            require(!gone || !differ(x.dims()[i], 1), "axis " + i + " of " + x + " is not 1");
            if (!gone) {
                d.add(x.dims()[i]);
            }
        }
        return new TensorShape(x.type(), d.stream().mapToLong(Long::longValue).toArray());
    }

    private static TensorShape unsqueeze(TensorShape x, long[] axes) {
        if (axes == null) {
            return new TensorShape(x.type(), null);
        }
        int rank = x.dims().length + axes.length;
        List<Integer> at = positions(axes, rank);
        long[] d = new long[rank];
        int from = 0;
        for (int i = 0; i < rank; i++) {
            d[i] = at.contains(i) ? 1 : x.dims()[from++];
        }
        return new TensorShape(x.type(), d);
    }

    private static TensorShape quantised(NodeProto n, TensorShape x, List<TensorShape> in) {
        TensorShape scale = in.get(1);
        TensorShape zero = in.size() > 2 ? in.get(2) : null;
        if (scale == null || scale.dims() == null) {
            return null;
        }
        require(scale.dims().length < 2, "expected one scale or one a channel, found " + scale);
        if (scale.dims().length == 1 && scale.dims()[0] != 1) {
            long axis = GraphIndex.integer(n, "axis", 1);
            int at = (int) (axis < 0 ? axis + x.dims().length : axis);
            require(at >= 0 && at < x.dims().length && !differ(x.dims()[at], scale.dims()[0]),
                    "scales " + scale + " do not fit axis " + axis + " of " + x);
        }
        require(zero == null || zero.dims() == null || Arrays.equals(zero.dims(), scale.dims()),
                "scales " + scale + " and zero points " + zero + " differ in shape");
        if (n.getOpType().equals("DequantizeLinear")) {
            require(zero == null || zero.type() == x.type(), "zero points " + zero + " are not of the type of " + x);
            return new TensorShape(scale.type(), x.dims());
        }
        return new TensorShape(zero == null ? DataType.UINT8_VALUE : zero.type(), x.dims());
    }
}
