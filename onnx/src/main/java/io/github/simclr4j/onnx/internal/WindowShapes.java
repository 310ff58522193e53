// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import static io.github.simclr4j.onnx.internal.OperatorSchema.require;

import java.util.Arrays;

/**
 * Infers shapes of operators that slide a window over an image or resize it. Images are [batch, channels, rows, columns] or have other
 * spatial dimensions.
 */
final class WindowShapes {
    private static final long UNKNOWN = TensorShape.UNKNOWN;
    /** Maximum size of a dimension; larger products could overflow. */
    private static final long LARGEST = 1L << 40;

    private WindowShapes() {}

    /** Returns the shape of a convolution. */
    static long[] conv(OperatorCall c) {
        long[] x = c.dims(0);
        long[] w = c.dims(c.node().getOpType().equals("QLinearConv") ? 3 : 1);
        require(x.length > 2, "expected an image, found " + TensorShape.shape(x));
        if (w == null) {
            return null;
        }
        long group = c.integer("group", 1);
        require(
                group > 0 && w.length == x.length,
                "weights " + TensorShape.shape(w) + " do not fit " + TensorShape.shape(x));
        require(
                x[1] == UNKNOWN || w[1] == UNKNOWN || x[1] == Math.multiplyExact(w[1], group),
                "weights " + TensorShape.shape(w) + " in " + group + " groups do not fit " + TensorShape.shape(x));
        require(
                w[0] == UNKNOWN || w[0] % group == 0,
                "weights " + TensorShape.shape(w) + " do not divide into " + group + " groups");
        long[] kernel = Arrays.copyOfRange(w, 2, w.length);
        long[] said = c.integers("kernel_shape", kernel);
        require(
                said.length == kernel.length,
                "kernel_shape " + Arrays.toString(said) + " is not that of the weights " + TensorShape.shape(w));
        for (int i = 0; i < kernel.length; i++) {
            require(
                    !ShapeInference.differ(said[i], kernel[i]),
                    "kernel_shape " + Arrays.toString(said) + " is not that of the weights " + TensorShape.shape(w));
        }
        long[] bias = c.node().getOpType().equals("Conv") ? c.dims(2) : null;
        require(
                bias == null || bias.length == 1 && !ShapeInference.differ(bias[0], w[0]),
                "bias " + TensorShape.shape(bias) + " does not fit weights " + TensorShape.shape(w));
        long[] out = window(c, x, said);
        out[1] = w[0];
        return out;
    }

    /** Returns the shape of a pooling. */
    static long[] pool(OperatorCall c) {
        return c.dims(0) == null ? null : window(c, c.dims(0), c.integers("kernel_shape", null));
    }

    private static long[] window(OperatorCall c, long[] x, long[] kernel) {
        int spatial = x.length - 2;
        require(spatial > 0, "expected an image, found " + TensorShape.shape(x));
        require(kernel != null && kernel.length == spatial, "kernel_shape does not fit " + TensorShape.shape(x));
        long[] ones = new long[spatial];
        Arrays.fill(ones, 1);
        long[] strides = c.integers("strides", ones);
        long[] dilations = c.integers("dilations", ones);
        long[] pads = c.integers("pads", new long[2 * spatial]);
        String auto = c.text("auto_pad", "NOTSET");
        require(
                strides.length == spatial && dilations.length == spatial && pads.length == 2 * spatial,
                "strides, dilations or pads do not fit " + TensorShape.shape(x));
        require(
                Arrays.stream(strides).allMatch(s -> s > 0 && s < LARGEST)
                        && Arrays.stream(dilations).allMatch(s -> s > 0 && s < 1 << 20)
                        && Arrays.stream(kernel).allMatch(s -> (s > 0 || s == UNKNOWN) && s < 1 << 20)
                        && Arrays.stream(pads).allMatch(s -> s >= 0 && s < LARGEST),
                "strides, dilations and kernel_shape must be positive, pads not negative");
        long[] d = x.clone();
        boolean ceil = c.integer("ceil_mode", 0) != 0;
        for (int i = 0; i < spatial; i++) {
            long side = x[2 + i];
            if (side == UNKNOWN || kernel[i] == UNKNOWN) {
                d[2 + i] = UNKNOWN;
                continue;
            }
            if (auto.startsWith("SAME")) {
                d[2 + i] = (side + strides[i] - 1) / strides[i];
                continue;
            }
            boolean padded = !auto.equals("VALID");
            long begin = padded ? pads[i] : 0;
            long room = side + begin + (padded ? pads[spatial + i] : 0) - dilations[i] * (kernel[i] - 1) - 1;
            require(room >= 0, "a kernel of " + kernel[i] + " does not fit " + TensorShape.shape(x));
            long steps = ceil ? (room + strides[i] - 1) / strides[i] : room / strides[i];
            // A window that starts in the padding at the end is dropped.
            if (ceil && steps * strides[i] >= side + begin) {
                steps--;
            }
            d[2 + i] = steps + 1;
        }
        return d;
    }

    /** Returns the shape of a transposed convolution, if only pads and strides determine it. */
    static long[] transposed(OperatorCall c) {
        long[] x = c.dims(0);
        long[] w = c.dims(1);
        require(x.length > 2, "expected an image, found " + TensorShape.shape(x));
        if (w == null) {
            return null;
        }
        int spatial = x.length - 2;
        require(w.length == x.length, "weights " + TensorShape.shape(w) + " do not fit " + TensorShape.shape(x));
        long group = c.integer("group", 1);
        long[] ones = new long[spatial];
        Arrays.fill(ones, 1);
        long[] strides = c.integers("strides", ones);
        long[] dilations = c.integers("dilations", ones);
        long[] pads = c.integers("pads", new long[2 * spatial]);
        long[] more = c.integers("output_padding", new long[spatial]);
        long[] kernel = c.integers("kernel_shape", Arrays.copyOfRange(w, 2, w.length));
        require(
                Arrays.stream(pads).allMatch(p -> p >= 0) && Arrays.stream(more).allMatch(p -> p >= 0),
                "pads must not be negative");
        require(
                strides.length == spatial
                        && dilations.length == spatial
                        && pads.length == 2 * spatial
                        && more.length == spatial
                        && kernel.length == spatial,
                "strides, dilations or pads do not fit " + TensorShape.shape(x));
        long[] d = new long[x.length];
        Arrays.fill(d, UNKNOWN);
        d[0] = x[0];
        d[1] = w[1] == UNKNOWN ? UNKNOWN : Math.multiplyExact(w[1], group);
        if (c.says("output_shape") || !c.text("auto_pad", "NOTSET").equals("NOTSET")) {
            return d;
        }
        for (int i = 0; i < spatial; i++) {
            if (x[2 + i] != UNKNOWN && kernel[i] != UNKNOWN) {
                long extent = Math.addExact(Math.multiplyExact(kernel[i] - 1, dilations[i]), 1);
                d[2 + i] = Math.addExact(
                        Math.multiplyExact(strides[i], x[2 + i] - 1), more[i] + extent - pads[i] - pads[spatial + i]);
            }
        }
        return d;
    }

    /** Returns the shape of a pooling over the whole image. */
    static long[] global(long[] x) {
        require(x.length > 2, "expected an image, found " + TensorShape.shape(x));
        long[] d = new long[x.length];
        Arrays.fill(d, 1);
        d[0] = x[0];
        d[1] = x[1];
        return d;
    }

    /** Returns the shape of SpaceToDepth or DepthToSpace. */
    static long[] blocks(OperatorCall c, boolean toDepth) {
        long[] x = c.dims(0);
        long side = c.integer("blocksize", 0);
        require(side > 0 && side < 1 << 20, "blocksize must be above 0");
        require(x.length == 4, "expected an image, found " + TensorShape.shape(x));
        long area = side * side;
        require(
                toDepth || x[1] == UNKNOWN || x[1] % area == 0,
                "the channels of " + TensorShape.shape(x) + " do not divide by " + area);
        require(
                !toDepth || Arrays.stream(x, 2, 4).allMatch(v -> v == UNKNOWN || v % side == 0),
                "the sides of " + TensorShape.shape(x) + " do not divide by " + side);
        long[] d = x.clone();
        for (int i = 1; i < 4; i++) {
            long factor = i == 1 ? area : side;
            d[i] = x[i] == UNKNOWN ? UNKNOWN : (i == 1) == toDepth ? Math.multiplyExact(x[i], factor) : x[i] / factor;
        }
        return d;
    }

    /** Returns the shape of a resized tensor. */
    static long[] resize(OperatorCall c) {
        long[] x = c.dims(0);
        boolean upsample = c.node().getOpType().equals("Upsample");
        int scalesAt = upsample || c.since() < 11 ? 1 : 2;
        long[] d = new long[x.length];
        Arrays.fill(d, UNKNOWN);
        long[] axes = c.integers("axes", null);
        int[] at = axes == null
                ? null
                : OperatorCall.distinct(axes, x.length).stream()
                        .mapToInt(Integer::intValue)
                        .toArray();
        int resized = at == null ? x.length : at.length;
        if (!upsample && c.since() >= 11 && c.has(3)) {
            long[] sizes = c.longs(3);
            require(c.since() < 13 || !c.has(2), "expected scales or sizes, found both");
            if (sizes == null || !c.text("keep_aspect_ratio_policy", "stretch").equals("stretch")) {
                return d;
            }
            require(sizes.length == resized, "sizes " + Arrays.toString(sizes) + " do not fit " + TensorShape.shape(x));
            return spread(x, sizes, at);
        }
        require(upsample || c.since() < 13 || c.has(2), "expected scales or sizes, found neither");
        float[] scales = c.floats("scales", scalesAt);
        if (scales == null || scales.length == 0 && c.since() < 13 && !upsample) {
            return d;
        }
        require(scales.length == resized, "scales " + Arrays.toString(scales) + " do not fit " + TensorShape.shape(x));
        // With a crop by roi the scale is relative to the crop.
        if (c.text("coordinate_transformation_mode", "").equals("tf_crop_and_resize")) {
            return d;
        }
        long[] scaled = new long[resized];
        for (int i = 0; i < resized; i++) {
            long side = x[at == null ? i : at[i]];
            scaled[i] = side == UNKNOWN ? UNKNOWN : (long) Math.floor((double) (side * scales[i]));
        }
        return spread(x, scaled, at);
    }

    private static long[] spread(long[] x, long[] values, int[] at) {
        if (at == null) {
            return values;
        }
        long[] d = x.clone();
        for (int i = 0; i < at.length; i++) {
            d[at[i]] = values[i];
        }
        return d;
    }
}
