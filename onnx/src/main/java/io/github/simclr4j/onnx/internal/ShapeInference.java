// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import static io.github.simclr4j.onnx.internal.OperatorSchema.require;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import java.util.Arrays;
import java.util.Set;

/**
 * Infers the shapes of an operator's outputs from its inputs, following the
 * <a href="https://onnx.ai/onnx/operators/">ONNX operators</a>. For operators that are not supported the shapes are unknown.
 */
public final class ShapeInference {
    private static final long UNKNOWN = TensorShape.UNKNOWN;

    private ShapeInference() {}

    /** Returns the padding mode of a window: NOTSET (by its pads), VALID (none), SAME_UPPER or SAME_LOWER. */
    public static String autoPad(NodeProto n) {
        return n.getAttributeList().stream()
                .filter(a -> a.getName().equals("auto_pad"))
                .findFirst()
                .map(a -> a.getS().toStringUtf8())
                .orElse("NOTSET");
    }

    /** Returns an attribute with several integers, or a default. */
    public static long[] attribute(NodeProto n, String name, long[] otherwise) {
        return n.getAttributeList().stream()
                .filter(a -> a.getName().equals(name))
                .findFirst()
                .map(a -> a.getIntsList().stream().mapToLong(Long::longValue).toArray())
                .orElse(otherwise);
    }

    /**
     * Infers the shapes of a node's outputs, and the types that do not follow from the operator's schema.
     *
     * @return one element per output; null for an output about which nothing is known
     * @throws IllegalArgumentException if the inputs do not fit the operator or each other
     */
    static TensorShape[] infer(OperatorCall call) {
        TensorShape[] out = new TensorShape[call.node().getOutputCount()];
        if (out.length == 0) {
            return out;
        }
        switch (call.node().getOpType()) {
            case "Dropout" -> {
                scalars(call, 1, 2);
                Arrays.fill(out, shape(call.dims(0)));
            }
            case "MaxPool" -> Arrays.fill(out, shape(WindowShapes.pool(call)));
            case "TopK" -> Arrays.fill(out, shape(AxisShapes.topK(call)));
            case "Split" -> AxisShapes.split(call, out);
            case "DynamicQuantizeLinear" -> {
                Arrays.fill(out, shape(new long[0]));
                out[0] = shape(call.dims(0));
            }
            case "BatchNormalization" -> norm(call, out);
            default -> out[0] = new TensorShape(type(call), dims(call));
        }
        return out;
    }

    private static TensorShape shape(long[] dims) {
        return dims == null ? null : new TensorShape(0, dims);
    }

    /** Returns the type of the first output if an attribute or a constant determines it, or else 0. */
    private static int type(OperatorCall c) {
        return switch (c.node().getOpType()) {
            case "Cast" -> named(c.integer("to", 0));
            case "Constant" ->
                TensorValues.constant(c.node()) == null
                        ? 0
                        : TensorValues.constant(c.node()).getDataType();
            case "ConstantOfShape" ->
                c.node().getAttributeList().stream()
                        .filter(AttributeProto::hasT)
                        .map(a -> a.getT().getDataType())
                        .findFirst()
                        .orElse(DataType.FLOAT_VALUE);
            case "RandomNormal", "RandomUniform" -> named(c.integer("dtype", DataType.FLOAT_VALUE));
            case "EyeLike", "RandomNormalLike", "RandomUniformLike", "Bernoulli" ->
                c.says("dtype") ? named(c.integer("dtype", 0)) : type(c, 0);
            case "Multinomial" -> named(c.integer("dtype", DataType.INT32_VALUE));
            case "QuantizeLinear" ->
                c.has(2)
                        ? type(c, 2)
                        : (int) c.integer("output_dtype", 0) > 0
                                ? named(c.integer("output_dtype", 0))
                                : DataType.UINT8_VALUE;
            case "DequantizeLinear" ->
                c.says("output_dtype") && c.integer("output_dtype", 0) > 0
                        ? named(c.integer("output_dtype", 0))
                        : type(c, 1);
            default -> 0;
        };
    }

    private static int type(OperatorCall c, int input) {
        return input < c.in().size() && c.in().get(input) != null
                ? c.in().get(input).type()
                : 0;
    }

    private static int named(long type) {
        require(type > 0 && type < 100 && TensorTypes.bits((int) type) >= 0, type + " is not a type");
        return (int) type;
    }

    /** Returns the shape of the first output. */
    private static long[] dims(OperatorCall c) {
        String op = c.node().getOpType();
        long[] x = c.dims(0);
        switch (op) {
            case "Constant" -> {
                long said = c.node().getAttributeList().stream()
                        .filter(a -> !a.getName().startsWith("__"))
                        .count();
                require(said == 1, "expected one value, found " + said);
                TensorProto t = TensorValues.constant(c.node());
                return t == null ? null : TensorValues.dims(t);
            }
            case "RandomNormal", "RandomUniform" -> {
                return c.integers("shape", null);
            }
            case "ConstantOfShape" -> {
                return AxisShapes.ofShape(c, c.longs(0), 0);
            }
            case "Range" -> {
                return new long[] {UNKNOWN};
            }
            case "Reshape" -> {
                return AxisShapes.reshape(c);
            }
            case "Expand" -> {
                return AxisShapes.expand(c);
            }
            case "Concat" -> {
                return AxisShapes.concat(c);
            }
            case "Add",
                    "Sub",
                    "Mul",
                    "Div",
                    "Pow",
                    "And",
                    "Or",
                    "Xor",
                    "Equal",
                    "Greater",
                    "Less",
                    "GreaterOrEqual",
                    "LessOrEqual",
                    "Mod",
                    "BitShift",
                    "BitwiseAnd",
                    "BitwiseOr",
                    "BitwiseXor",
                    "Max",
                    "Min",
                    "Sum",
                    "Mean",
                    "Where" -> {
                // Before opset 8 variadic operators did not broadcast.
                return c.since() < 8 && Set.of("Max", "Min", "Sum", "Mean").contains(op) ? x : broadcast(c);
            }
            case "GatherElements" -> {
                return c.dims(1);
            }
            default -> {
                return x == null ? null : dims(c, op, x);
            }
        }
    }

    private static long[] dims(OperatorCall c, String op, long[] x) {
        require(x.length <= 64, "expected at most 64 dimensions");
        return switch (op) {
            case "Cast",
                    "CastLike",
                    "Relu",
                    "Sigmoid",
                    "HardSigmoid",
                    "HardSwish",
                    "Tanh",
                    "Sqrt",
                    "Erf",
                    "Exp",
                    "Neg",
                    "Abs",
                    "Identity",
                    "Clip",
                    "LeakyRelu",
                    "Elu",
                    "Selu",
                    "Celu",
                    "Gelu",
                    "Swish",
                    "Softplus",
                    "Softsign",
                    "Mish",
                    "Reciprocal",
                    "ThresholdedRelu",
                    "Floor",
                    "Ceil",
                    "Round",
                    "Sign",
                    "Log",
                    "Sin",
                    "Cos",
                    "Tan",
                    "Asin",
                    "Acos",
                    "Atan",
                    "Sinh",
                    "Cosh",
                    "Asinh",
                    "Acosh",
                    "Atanh",
                    "Not",
                    "BitwiseNot",
                    "IsNaN",
                    "IsInf",
                    "InstanceNormalization",
                    "GroupNormalization",
                    "LRN",
                    "MeanVarianceNormalization",
                    "RMSNormalization",
                    "CumSum",
                    "Trilu",
                    "PRelu",
                    "RandomNormalLike",
                    "RandomUniformLike",
                    "Bernoulli",
                    "EyeLike",
                    "Shrink",
                    "ScatterElements",
                    "ScatterND" -> x;
            case "Softmax", "LogSoftmax", "Hardmax" -> {
                if (c.since() >= 11 || c.says("axis")) {
                    OperatorCall.position(c.integer("axis", c.since() >= 13 ? -1 : 1), x.length);
                }
                yield x;
            }
            case "LayerNormalization" -> {
                OperatorCall.position(c.integer("axis", -1), x.length);
                yield x;
            }
            case "LpNormalization" -> {
                OperatorCall.position(c.integer("axis", -1), x.length);
                yield x;
            }
            case "Conv", "ConvInteger", "QLinearConv" -> WindowShapes.conv(c);
            case "ConvTranspose" -> WindowShapes.transposed(c);
            case "AveragePool", "LpPool" -> WindowShapes.pool(c);
            case "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool" -> WindowShapes.global(x);
            case "SpaceToDepth", "DepthToSpace" -> WindowShapes.blocks(c, op.equals("SpaceToDepth"));
            case "Resize", "Upsample" -> WindowShapes.resize(c);
            case "Flatten" -> flatten(c, x);
            case "Transpose" -> transpose(c, x);
            case "Gemm" -> gemm(c, x);
            case "MatMul", "MatMulInteger" -> matMul(x, c.dims(1));
            case "QLinearMatMul" -> matMul(x, c.dims(3));
            case "ReduceMean",
                    "ReduceMax",
                    "ReduceMin",
                    "ReduceSum",
                    "ReduceProd",
                    "ReduceL1",
                    "ReduceL2",
                    "ReduceLogSum",
                    "ReduceLogSumExp",
                    "ReduceSumSquare" -> AxisShapes.reduce(c, x);
            case "ArgMax", "ArgMin" -> AxisShapes.arg(c, x);
            case "Squeeze" -> AxisShapes.squeeze(c, x);
            case "Unsqueeze" -> AxisShapes.unsqueeze(c, x);
            case "Gather" -> AxisShapes.gather(c, x);
            case "Slice" -> AxisShapes.slice(c, x);
            case "Pad" -> AxisShapes.pad(c, x);
            case "Tile" -> AxisShapes.tile(c, x);
            case "OneHot" -> AxisShapes.oneHot(c, x);
            case "Shape" -> AxisShapes.length(c, x);
            case "Size" -> new long[0];
            case "QuantizeLinear", "DequantizeLinear" -> quantised(c, x);
            default -> null;
        };
    }

    static boolean differ(long a, long b) {
        return a != UNKNOWN && b != UNKNOWN && a != b;
    }

    private static long[] broadcast(OperatorCall c) {
        long[] all = c.dims(0);
        for (int i = 1; i < c.node().getInputCount(); i++) {
            all = all == null || c.dims(i) == null ? null : broadcast(all, c.dims(i));
        }
        return all;
    }

    /** Returns the broadcast shape of two shapes. */
    static long[] broadcast(long[] a, long[] b) {
        int rank = Math.max(a.length, b.length);
        long[] d = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long p = i > a.length ? 1 : a[a.length - i];
            long q = i > b.length ? 1 : b[b.length - i];
            require(
                    p == 1 || q == 1 || !differ(p, q),
                    "shapes do not broadcast: " + TensorShape.shape(a) + " and " + TensorShape.shape(b));
            d[rank - i] = p == 1 ? q : q == 1 || p != UNKNOWN ? p : q;
        }
        return d;
    }

    private static void scalars(OperatorCall c, int... inputs) {
        for (int i : inputs) {
            require(
                    c.dims(i) == null || c.dims(i).length == 0,
                    "expected one number, found " + TensorShape.shape(c.dims(i)));
        }
    }

    private static void norm(OperatorCall c, TensorShape[] out) {
        int trained = c.since() < 14 ? 5 : 3;
        boolean training = c.since() < 14 ? out.length > 1 : c.integer("training_mode", 0) != 0;
        require(
                out.length == (training ? trained : 1),
                "found " + out.length + " outputs, expected one, or " + trained + " in training");
        long[] x = c.dims(0);
        if (x == null) {
            return;
        }
        // Up to opset 8 each value could have its own statistics.
        boolean each = c.since() < 9 && c.integer("spatial", 1) != 1;
        require(x.length > 0, "expected channels, found a scalar");
        for (int i = 1; i < 5; i++) {
            long[] p = c.dims(i);
            require(
                    each || p == null || p.length == 1 && (x.length < 2 || !differ(p[0], x[1])),
                    "expected a value for each of the channels of " + TensorShape.shape(x) + ", found "
                            + TensorShape.shape(p));
        }
        out[0] = shape(x);
        for (int i = 1; i < out.length; i++) {
            out[i] = each || x.length < 2 ? null : shape(new long[] {x[1]});
        }
    }

    static long product(long[] d, int from, int to) {
        long p = 1;
        for (int i = from; i < to; i++) {
            if (d[i] == UNKNOWN) {
                return UNKNOWN;
            }
            p = Math.multiplyExact(p, d[i]);
        }
        return p;
    }

    private static long[] flatten(OperatorCall c, long[] x) {
        long axis = c.integer("axis", 1);
        require(
                axis >= (c.since() < 11 ? 0 : -x.length) && axis <= x.length,
                "axis " + axis + " does not fit " + TensorShape.shape(x));
        int at = (int) (axis < 0 ? axis + x.length : axis);
        return new long[] {product(x, 0, at), product(x, at, x.length)};
    }

    private static long[] transpose(OperatorCall c, long[] x) {
        int rank = x.length;
        long[] reversed = new long[rank];
        for (int i = 0; i < rank; i++) {
            reversed[i] = rank - 1 - i;
        }
        long[] perm = c.integers("perm", reversed);
        perm = perm.length == 0 && rank > 0 ? reversed : perm;
        require(
                perm.length == rank
                        && Arrays.stream(perm).distinct().count() == rank
                        && Arrays.stream(perm).allMatch(p -> p >= 0 && p < rank),
                "perm does not fit " + TensorShape.shape(x));
        long[] d = new long[rank];
        for (int i = 0; i < rank; i++) {
            d[i] = x[(int) perm[i]];
        }
        return d;
    }

    private static long[] gemm(OperatorCall c, long[] a) {
        long[] b = c.dims(1);
        require(a.length == 2 && (b == null || b.length == 2), "expected two matrices");
        if (b == null) {
            return null;
        }
        boolean ta = c.integer("transA", 0) != 0;
        boolean tb = c.integer("transB", 0) != 0;
        require(
                !differ(a[ta ? 0 : 1], b[tb ? 1 : 0]),
                "matrices do not fit: " + TensorShape.shape(a) + " and " + TensorShape.shape(b));
        long[] product = {a[ta ? 1 : 0], b[tb ? 0 : 1]};
        long[] added = c.dims(2);
        if (added != null) {
            require(added.length <= 2, "expected at most a matrix to add, found " + TensorShape.shape(added));
            broadcast(product, added);
        }
        return product;
    }

    private static long[] matMul(long[] a, long[] b) {
        if (b == null) {
            return null;
        }
        require(a.length > 0 && b.length > 0, "expected matrices, found a scalar");
        // A vector is a row as the left operand and a column as the right one.
        long[] left = a.length == 1 ? new long[] {1, a[0]} : a;
        long[] right = b.length == 1 ? new long[] {b[0], 1} : b;
        int p = left.length;
        int q = right.length;
        require(
                !differ(left[p - 1], right[q - 2]),
                "matrices do not fit: " + TensorShape.shape(a) + " and " + TensorShape.shape(b));
        long[] stacks = broadcast(Arrays.copyOf(left, p - 2), Arrays.copyOf(right, q - 2));
        int rank = stacks.length + (a.length > 1 ? 1 : 0) + (b.length > 1 ? 1 : 0);
        long[] d = Arrays.copyOf(stacks, rank);
        if (a.length > 1) {
            d[stacks.length] = left[p - 2];
        }
        if (b.length > 1) {
            d[rank - 1] = right[q - 1];
        }
        return d;
    }

    private static long[] quantised(OperatorCall c, long[] x) {
        long[] scale = c.dims(1);
        long[] zero = c.dims(2);
        long block = c.integer("block_size", 0);
        if (scale != null && block == 0) {
            require(scale.length < 2, "expected one scale or one per channel, found " + TensorShape.shape(scale));
            if (scale.length == 1 && scale[0] != 1 && scale[0] != UNKNOWN) {
                long axis = c.integer("axis", 1);
                require(
                        axis >= -x.length
                                && axis < x.length
                                && !differ(x[(int) (axis < 0 ? axis + x.length : axis)], scale[0]),
                        "scales " + TensorShape.shape(scale) + " do not fit axis " + axis + " of "
                                + TensorShape.shape(x));
            }
            // A single scale and its zero point may each be a scalar or a vector of length 1: ONNX Runtime's quantizer
            // mixes them.
            boolean alike = zero == null
                    || TensorShape.isSingle(scale) && TensorShape.isSingle(zero)
                    || zero.length == scale.length && (zero.length == 0 || !differ(zero[0], scale[0]))
                    || scale.length == 1 && scale[0] == UNKNOWN;
            require(
                    alike,
                    "scales " + TensorShape.shape(scale) + " and zero points " + TensorShape.shape(zero)
                            + " differ in shape");
        }
        return x;
    }
}
