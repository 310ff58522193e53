// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.internal.TensorTypes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks numbers in a model that could make ONNX Runtime allocate unlimited memory, divide by zero or read out of bounds. */
final class SizeLimits {
    /** Maximum number of values of a tensor. */
    static final long MAX_ELEMENTS = 1L << 28;
    /** Attributes that are divisors, steps or extents, which must be positive in every operator. */
    private static final Set<String> POSITIVE = Set.of(
            "strides",
            "dilations",
            "kernel_shape",
            "group",
            "blocksize",
            "num_heads",
            "kv_num_heads",
            "q_num_heads",
            "num_groups",
            "groups",
            "hidden_size",
            "num_outputs",
            "block_size",
            "size",
            "window_size");
    /** Attributes that are axes. ONNX Runtime 1.28 reads out of bounds if a Gather's axis is the smallest int64. */
    private static final Set<String> AXES = Set.of(
            "axis",
            "axes",
            "perm",
            "batch_dims",
            "split_axis",
            "concat_axis",
            "batch_axis",
            "time_axis",
            "scan_input_axes",
            "scan_output_axes");
    /** Attributes whose values may be the largest int64, which means "to the end". */
    private static final Set<String> UNBOUNDED = Set.of("starts", "ends", "value_int", "value_ints");
    /** Position of the input with axes, by operator; reductions have one too. */
    private static final Map<String, Integer> AXES_INPUT =
            Map.of("Squeeze", 1, "Unsqueeze", 1, "Slice", 3, "Pad", 3, "CumSum", 1, "Resize", 4, "CenterCropPad", 2);
    /** Position of the input that determines the size of the output, by operator. */
    private static final Map<String, Integer> SHAPE_INPUT = Map.of(
            "ConstantOfShape",
            0,
            "Reshape",
            1,
            "Expand",
            1,
            "Tile",
            1,
            "Pad",
            1,
            "CenterCropPad",
            1,
            "OneHot",
            1,
            "Upsample",
            1);

    private static final long MAX_EXTENT = 1 << 16;

    private final ModelErrors errors;
    private final String name;
    private final Path folder;

    SizeLimits(ModelErrors errors, String name, Path folder) {
        this.errors = errors;
        this.name = name;
        this.folder = folder;
    }

    /** Checks the integers of an attribute. */
    void numbers(AttributeProto a, String where) throws InvalidEncoderException {
        List<Long> values = new ArrayList<>(a.getIntsList());
        if (a.getType() == AttributeType.INT) {
            values.add(a.getI());
        }
        boolean positive = POSITIVE.contains(a.getName());
        boolean shape = a.getName().equals("shape") || a.getName().equals("output_shape");
        for (long v : values) {
            if (positive && (v < 1 || v > MAX_EXTENT)) {
                throw errors.bad(where + " is " + v + ", expected 1 to " + MAX_EXTENT);
            }
            if (!UNBOUNDED.contains(a.getName()) && Math.abs(v) > (AXES.contains(a.getName()) ? 64 : Integer.MAX_VALUE)
                    || v == Long.MIN_VALUE) {
                throw errors.bad(where + " is " + v);
            }
            if ((a.getName().equals("pads") || a.getName().equals("output_padding")) && Math.abs(v) > MAX_EXTENT) {
                throw errors.bad(where + " is " + v + ", expected at most " + MAX_EXTENT);
            }
        }
        if (shape || a.getName().equals("kernel_shape")) {
            elements(values, where);
        }
    }

    /** Checks the constant inputs that determine the size of a node's output. */
    void extents(NodeProto node, Map<String, TensorProto> constants) throws InvalidEncoderException {
        List<Integer> positions = new ArrayList<>();
        if (SHAPE_INPUT.containsKey(node.getOpType())) {
            positions.add(SHAPE_INPUT.get(node.getOpType()));
        } else if (node.getOpType().equals("Resize")) {
            positions.addAll(List.of(1, 2, 3));
        } else if (node.getOpType().equals("Range")) {
            positions.addAll(List.of(0, 1));
        }
        Integer axes = node.getOpType().startsWith("Reduce") ? Integer.valueOf(1) : AXES_INPUT.get(node.getOpType());
        if (axes != null && axes < node.getInputCount()) {
            TensorProto t = constants.get(node.getInput(axes));
            if (t != null && TensorTypes.count(t) <= 64 && whole(t)) {
                for (long v : Tensors.whole(t, folder, name)) {
                    if (v > 64 || v < -64) {
                        throw errors.bad("an axis of " + ModelErrors.label(node) + " is " + v);
                    }
                }
            }
        }
        if (node.getOpType().equals("OneHot")
                && node.getInputCount() > 1
                && constants.containsKey(node.getInput(1))
                && TensorTypes.count(constants.get(node.getInput(1))) != 1) {
            // ONNX Runtime crashes if the depth is empty.
            throw errors.bad("the depth of " + ModelErrors.label(node) + " is not one number");
        }
        for (int p : positions) {
            TensorProto t = p < node.getInputCount() ? constants.get(node.getInput(p)) : null;
            if (t == null || TensorTypes.count(t) > 64) {
                continue;
            }
            String where = "input " + p + " of " + ModelErrors.label(node);
            if (t.getDataType() == TensorProto.DataType.FLOAT_VALUE) {
                for (float f : Tensors.floats(t, folder, name)) {
                    if (!(Math.abs(f) <= MAX_EXTENT)) {
                        throw errors.bad(where + " is " + f);
                    }
                }
            } else if (whole(t)) {
                List<Long> values =
                        Arrays.stream(Tensors.whole(t, folder, name)).boxed().toList();
                if (node.getOpType().equals("Pad")) {
                    for (long v : values) {
                        if (Math.abs(v) > MAX_EXTENT) {
                            throw errors.bad(where + " is " + v);
                        }
                    }
                } else {
                    elements(values, where);
                }
            }
        }
    }

    private static boolean whole(TensorProto t) {
        return t.getDataType() == TensorProto.DataType.INT64_VALUE
                || t.getDataType() == TensorProto.DataType.INT32_VALUE;
    }

    private void elements(List<Long> shape, String where) throws InvalidEncoderException {
        double product = 1;
        for (long v : shape) {
            product *= Math.max(1, Math.abs((double) v));
        }
        if (product > MAX_ELEMENTS) {
            throw errors.bad(where + " asks for " + shape + ", more than " + MAX_ELEMENTS + " values");
        }
    }
}
