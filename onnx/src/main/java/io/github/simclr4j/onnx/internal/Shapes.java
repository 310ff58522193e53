package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.file.ExternalData;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the operators of image encoders take and give, by onnx/docs/Operators.md: the number of inputs, the attributes and
 * their types, and the type and shape of the output.
 */
public final class Shapes {
    /** A dimension that is not known before the graph runs. */
    public static final long UNKNOWN = -1;

    /**
     * A tensor's type and shape.
     *
     * @param type number of the data type
     * @param dims the dimensions, or null if not even their number is known
     */
    public record Value(int type, long[] dims) {
        @Override
        public String toString() {
            DataType t = DataType.forNumber(type);
            return (t == null ? "type " + type : t.name().toLowerCase(java.util.Locale.ROOT)) + " " + shape(dims);
        }

        private static String shape(long[] dims) {
            return dims == null ? "[?]" : Arrays.toString(dims).replace("-1", "?");
        }
    }

    /** Inputs an operator takes, at least and at most, and its attributes by name. */
    private record Schema(int least, int most, Map<String, AttributeProto.AttributeType> attributes) {}

    private static final Map<String, Schema> SCHEMAS = new HashMap<>();

    static {
        String pool = "auto_pad:STRING ceil_mode:INT kernel_shape:INTS pads:INTS strides:INTS dilations:INTS";
        schema("Conv", 2, 3, "auto_pad:STRING dilations:INTS group:INT kernel_shape:INTS pads:INTS strides:INTS");
        schema("MaxPool", 1, 1, pool + " storage_order:INT");
        schema("AveragePool", 1, 1, pool + " count_include_pad:INT");
        schema("Gemm", 2, 3, "alpha:FLOAT beta:FLOAT transA:INT transB:INT");
        schema("BatchNormalization", 5, 5, "epsilon:FLOAT momentum:FLOAT training_mode:INT");
        schema("LayerNormalization", 2, 3, "axis:INT epsilon:FLOAT stash_type:INT");
        schema("Cast", 1, 1, "to:INT saturate:INT round_mode:STRING");
        schema("Transpose", 1, 1, "perm:INTS");
        schema("Flatten", 1, 1, "axis:INT");
        schema("Softmax", 1, 1, "axis:INT");
        schema("LogSoftmax", 1, 1, "axis:INT");
        schema("Concat", 1, Integer.MAX_VALUE, "axis:INT");
        schema("Reshape", 2, 2, "allowzero:INT");
        schema("Squeeze", 1, 2, "");
        schema("Unsqueeze", 2, 2, "");
        schema("Gather", 2, 2, "axis:INT");
        schema("Shape", 1, 1, "start:INT end:INT");
        schema("Clip", 1, 3, "");
        schema("LeakyRelu", 1, 1, "alpha:FLOAT");
        schema("Elu", 1, 1, "alpha:FLOAT");
        schema("HardSigmoid", 1, 1, "alpha:FLOAT beta:FLOAT");
        schema("Gelu", 1, 1, "approximate:STRING");
        schema("QuantizeLinear", 2, 3, "axis:INT saturate:INT block_size:INT output_dtype:INT precision:INT");
        schema("DequantizeLinear", 2, 3, "axis:INT block_size:INT output_dtype:INT");
        schema("Constant", 0, 0, "value:TENSOR value_float:FLOAT value_floats:FLOATS value_int:INT value_ints:INTS"
                + " value_string:STRING value_strings:STRINGS sparse_value:SPARSE_TENSOR");
        for (String op : List.of("ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL2")) {
            schema(op, 1, 2, "axes:INTS keepdims:INT noop_with_empty_axes:INT");
        }
        for (String op : List.of("Add", "Sub", "Mul", "Div", "Pow", "MatMul")) {
            schema(op, 2, 2, "");
        }
        for (String op : List.of("Relu", "Sigmoid", "HardSwish", "Tanh", "Sqrt", "Erf", "Exp", "Neg", "Abs", "Identity",
                "GlobalAveragePool", "GlobalMaxPool", "Softplus", "Mish", "Reciprocal")) {
            schema(op, 1, 1, "");
        }
    }

    private Shapes() {}

    private static void schema(String op, int least, int most, String attributes) {
        Map<String, AttributeProto.AttributeType> types = new HashMap<>();
        for (String a : attributes.split(" ")) {
            if (!a.isEmpty()) {
                int colon = a.indexOf(':');
                types.put(a.substring(0, colon), AttributeProto.AttributeType.valueOf(a.substring(colon + 1)));
            }
        }
        SCHEMAS.put(op, new Schema(least, most, types));
    }

    public static boolean knows(NodeProto n) {
        return n.getDomain().isEmpty() && SCHEMAS.containsKey(n.getOpType());
    }

    /** Whether a node has the inputs and the attributes of its operator; throws with what is wrong. */
    public static void checkSchema(NodeProto n) {
        Schema s = SCHEMAS.get(n.getOpType());
        int inputs = n.getInputCount();
        if (inputs < s.least() || inputs > s.most()) {
            throw new IllegalArgumentException("expected " + s.least() + " to " + s.most() + " inputs, found " + inputs);
        }
        for (int i = 0; i < s.least(); i++) {
            require(!n.getInput(i).isEmpty(), "input " + i + " is missing");
        }
        Set<String> seen = new HashSet<>();
        for (AttributeProto a : n.getAttributeList()) {
            AttributeProto.AttributeType type = s.attributes().get(a.getName());
            require(type != null,
                    "unknown attribute " + a.getName() + ", expected " + new TreeSet<>(s.attributes().keySet()));
            require(a.getType() == type, "attribute " + a.getName() + " is " + a.getType() + ", expected " + type);
            require(seen.add(a.getName()), "attribute " + a.getName() + " stands twice");
        }
    }

    /**
     * The type and shape of a node's first output.
     *
     * @param in what the inputs are; null for one that is not known or left out
     * @param constants values known before the graph runs, by name
     * @return null if not known
     * @throws IllegalArgumentException if the inputs do not fit the operator or each other
     */
    public static Value infer(NodeProto n, List<Value> in, Map<String, TensorProto> constants) {
        String op = n.getOpType();
        if (op.equals("Constant")) {
            TensorProto t = Tensors.constant(n);
            return t == null ? null : new Value(t.getDataType(), TensorValues.dims(t));
        }
        Value x = in.isEmpty() ? null : in.get(0);
        if (x == null || x.dims() == null && !op.equals("Cast")) {
            return null;
        }
        require(x.dims() == null || x.dims().length <= 64, "expected at most 64 dimensions");
        return switch (op) {
            case "Cast" -> new Value((int) GraphIndex.integer(n, "to", 0), x.dims());
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
                yield new Value(x.type(), d);
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
        return a != UNKNOWN && b != UNKNOWN && a != b;
    }

    private static void sameType(Value a, Value b) {
        require(a.type() == b.type(), "operands differ in type: " + a + " and " + b);
    }

    private static Value binary(String op, Value a, Value b) {
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
            d[rank - i] = p == 1 ? q : q == 1 || p != UNKNOWN ? p : q;
        }
        return new Value(a.type(), d);
    }

    private static Value norm(Value x, List<Value> in) {
        require(x.dims().length > 1, "expected channels, found " + x);
        for (int i = 1; i < 5; i++) {
            Value p = in.get(i);
            require(p == null || p.dims() == null || p.dims().length == 1 && !differ(p.dims()[0], x.dims()[1]),
                    "expected a value for each of the channels of " + x + ", found " + p);
        }
        return x;
    }

    private static Value conv(NodeProto n, Value x, List<Value> in) {
        Value w = in.get(1);
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
        Value bias = in.size() > 2 ? in.get(2) : null;
        if (bias != null && bias.dims() != null) {
            sameType(x, bias);
            require(bias.dims().length == 1 && bias.dims()[0] == w.dims()[0], "bias " + bias + " does not fit weights " + w);
        }
        Value out = window(n, x, kernel);
        out.dims()[1] = w.dims()[0];
        return out;
    }

    private static Value window(NodeProto n, Value x, long[] kernel) {
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
            if (side == UNKNOWN) {
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
        return new Value(x.type(), d);
    }

    private static long product(long[] d, int from, int to) {
        long p = 1;
        for (int i = from; i < to; i++) {
            if (d[i] == UNKNOWN) {
                return UNKNOWN;
            }
            p = Math.multiplyExact(p, d[i]);
        }
        return p;
    }

    private static Value flatten(Value x, long axis) {
        int rank = x.dims().length;
        require(axis >= -rank && axis <= rank, "axis " + axis + " does not fit " + x);
        int at = (int) (axis < 0 ? axis + rank : axis);
        return new Value(x.type(), new long[] {product(x.dims(), 0, at), product(x.dims(), at, rank)});
    }

    private static Value transpose(NodeProto n, Value x) {
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
        return new Value(x.type(), d);
    }

    private static Value gemm(NodeProto n, Value a, List<Value> in) {
        Value b = in.get(1);
        if (b == null || b.dims() == null) {
            return null;
        }
        sameType(a, b);
        require(a.dims().length == 2 && b.dims().length == 2, "expected two matrices, found " + a + " and " + b);
        boolean ta = GraphIndex.integer(n, "transA", 0) != 0;
        boolean tb = GraphIndex.integer(n, "transB", 0) != 0;
        require(!differ(a.dims()[ta ? 0 : 1], b.dims()[tb ? 1 : 0]), "matrices do not fit: " + a + " and " + b);
        Value product = new Value(a.type(), new long[] {a.dims()[ta ? 1 : 0], b.dims()[tb ? 0 : 1]});
        if (in.size() > 2 && in.get(2) != null && in.get(2).dims() != null) {
            binary("Add", product, in.get(2));
        }
        return product;
    }

    private static Value matMul(Value a, Value b) {
        if (b == null || b.dims() == null || a.dims().length < 2 || b.dims().length < 2) {
            return null;
        }
        sameType(a, b);
        int p = a.dims().length;
        int q = b.dims().length;
        require(!differ(a.dims()[p - 1], b.dims()[q - 2]), "matrices do not fit: " + a + " and " + b);
        Value stacks = binary("Mul", new Value(a.type(), Arrays.copyOf(a.dims(), p - 2)),
                new Value(b.type(), Arrays.copyOf(b.dims(), q - 2)));
        long[] d = Arrays.copyOf(stacks.dims(), stacks.dims().length + 2);
        d[d.length - 2] = a.dims()[p - 2];
        d[d.length - 1] = b.dims()[q - 1];
        return new Value(a.type(), d);
    }

    private static Value concat(NodeProto n, List<Value> in) {
        if (in.stream().anyMatch(v -> v == null || v.dims() == null)) {
            return null;
        }
        long[] d = in.get(0).dims().clone();
        long axis = GraphIndex.integer(n, "axis", 0);
        int at = (int) (axis < 0 ? axis + d.length : axis);
        require(at >= 0 && at < d.length, "axis " + axis + " does not fit " + in.get(0));
        for (Value v : in.subList(1, in.size())) {
            sameType(in.get(0), v);
            require(v.dims().length == d.length, "shapes do not fit: " + in);
            for (int i = 0; i < d.length; i++) {
                if (i == at) {
                    d[i] = d[i] == UNKNOWN || v.dims()[i] == UNKNOWN ? UNKNOWN : d[i] + v.dims()[i];
                } else {
                    require(!differ(d[i], v.dims()[i]), "shapes do not fit: " + in);
                }
            }
        }
        return new Value(in.get(0).type(), d);
    }

    private static Value reshape(NodeProto n, Value x, TensorProto shape) {
        long[] d = longs(shape);
        if (d == null) {
            return new Value(x.type(), null);
        }
        int open = -1;
        long known = 1;
        for (int i = 0; i < d.length; i++) {
            if (d[i] == 0 && GraphIndex.integer(n, "allowzero", 0) == 0) {
                require(i < x.dims().length, "shape " + Arrays.toString(d) + " does not fit " + x);
                d[i] = x.dims()[i];
                known = d[i] == UNKNOWN || known == UNKNOWN ? UNKNOWN : Math.multiplyExact(known, d[i]);
            } else if (d[i] == -1) {
                require(open < 0, "two open dimensions in " + Arrays.toString(d));
                open = i;
            } else {
                require(d[i] >= 0, "a negative dimension in " + Arrays.toString(d));
                known = known == UNKNOWN ? UNKNOWN : Math.multiplyExact(known, d[i]);
            }
        }
        long all = product(x.dims(), 0, x.dims().length);
        if (all != UNKNOWN && known != UNKNOWN) {
            require(open < 0 ? all == known : known > 0 && all % known == 0,
                    "shape " + Arrays.toString(d) + " does not fit " + x);
            if (open >= 0) {
                d[open] = all / known;
            }
        } else if (open > 0 && x.dims()[0] == UNKNOWN && d[0] == UNKNOWN) {
            // The batch stays as it is: the rest must fit the rest.
            long rest = product(x.dims(), 1, x.dims().length);
            long others = 1;
            for (int i = 1; i < d.length; i++) {
                others *= i == open ? 1 : d[i];
            }
            d[open] = rest == UNKNOWN || others <= 0 ? UNKNOWN : rest / others;
        }
        return new Value(x.type(), d);
    }

    private static long[] axes(NodeProto n, Map<String, TensorProto> constants) {
        if (n.getInputCount() > 1 && !n.getInput(1).isEmpty()) {
            return longs(constants.get(n.getInput(1)));
        }
        return attribute(n, "axes", new long[0]);
    }

    /** The values of a constant that numbers or measures dimensions; null if it is none, or elsewhere. */
    private static long[] longs(TensorProto t) {
        if (t == null || ExternalData.isExternal(t)) {
            return null;
        }
        long n = TensorValues.count(t.getDimsList());
        require(n <= 64 && t.getDataType() == DataType.INT64_VALUE && Tensors.whole(t, n, 8 * n),
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

    private static Value reduce(NodeProto n, Value x, Map<String, TensorProto> constants) {
        long[] axes = axes(n, constants);
        if (axes == null) {
            return new Value(x.type(), null);
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
        return new Value(x.type(), d.stream().mapToLong(Long::longValue).toArray());
    }

    private static Value squeeze(Value x, long[] axes) {
        if (axes == null || axes.length == 0 && Arrays.stream(x.dims()).anyMatch(d -> d == UNKNOWN)) {
            return new Value(x.type(), null);
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
        return new Value(x.type(), d.stream().mapToLong(Long::longValue).toArray());
    }

    private static Value unsqueeze(Value x, long[] axes) {
        if (axes == null) {
            return new Value(x.type(), null);
        }
        int rank = x.dims().length + axes.length;
        List<Integer> at = positions(axes, rank);
        long[] d = new long[rank];
        int from = 0;
        for (int i = 0; i < rank; i++) {
            d[i] = at.contains(i) ? 1 : x.dims()[from++];
        }
        return new Value(x.type(), d);
    }

    private static Value quantised(NodeProto n, Value x, List<Value> in) {
        Value scale = in.get(1);
        Value zero = in.size() > 2 ? in.get(2) : null;
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
            return new Value(scale.type(), x.dims());
        }
        return new Value(zero == null ? DataType.UINT8_VALUE : zero.type(), x.dims());
    }
}
