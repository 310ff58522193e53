// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import static io.github.simclr4j.onnx.internal.OperatorSchema.require;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Infers shapes of operators that join, cut, move, add or remove dimensions. */
final class AxisShapes {
    private static final long UNKNOWN = TensorShape.UNKNOWN;

    private AxisShapes() {}

    private static long[] array(List<Long> d) {
        return d.stream().mapToLong(Long::longValue).toArray();
    }

    static long[] concat(OperatorCall c) {
        if (c.in().stream().anyMatch(v -> v == null || v.dims() == null)) {
            return null;
        }
        long[] d = c.dims(0).clone();
        int at = OperatorCall.position(c.integer("axis", 1), d.length);
        for (int k = 1; k < c.in().size(); k++) {
            long[] v = c.dims(k);
            require(v.length == d.length, "shapes do not fit: " + c.in());
            for (int i = 0; i < d.length; i++) {
                if (i == at) {
                    d[i] = d[i] == UNKNOWN || v[i] == UNKNOWN ? UNKNOWN : Math.addExact(d[i], v[i]);
                } else {
                    require(!ShapeInference.differ(d[i], v[i]), "shapes do not fit: " + c.in());
                    d[i] = d[i] == UNKNOWN ? v[i] : d[i];
                }
            }
        }
        return d;
    }

    static long[] reshape(OperatorCall c) {
        long[] x = c.dims(0);
        long[] d = c.longs(1);
        require(
                c.dims(1) == null || c.dims(1).length == 1,
                "expected a list of dimensions, found " + TensorShape.shape(c.dims(1)));
        if (d == null) {
            // If the values of the shape are unknown, its length still gives the rank.
            long[] count = c.dims(1);
            return count == null || count.length != 1 ? null : ofShape(c, null, 1);
        }
        d = d.clone();
        int open = -1;
        long known = 1;
        boolean copied = c.integer("allowzero", 0) == 0;
        for (int i = 0; i < d.length; i++) {
            if (d[i] == 0 && copied) {
                require(
                        x == null || i < x.length,
                        "shape " + Arrays.toString(d) + " does not fit " + TensorShape.shape(x));
                d[i] = x == null ? UNKNOWN : x[i];
            } else if (d[i] == -1) {
                require(open < 0, "two open dimensions in " + Arrays.toString(d));
                open = i;
                continue;
            } else {
                require(d[i] >= 0, "a negative dimension in " + Arrays.toString(d));
            }
            known = d[i] == UNKNOWN || known == UNKNOWN ? UNKNOWN : Math.multiplyExact(known, d[i]);
        }
        if (x == null) {
            return d;
        }
        long all = ShapeInference.product(x, 0, x.length);
        if (all != UNKNOWN && known != UNKNOWN) {
            require(
                    open < 0 ? all == known : known > 0 && all % known == 0,
                    "shape " + Arrays.toString(d) + " does not fit " + TensorShape.shape(x));
            if (open >= 0) {
                d[open] = all / known;
            }
        } else if (open > 0 && x.length > 0 && x[0] == UNKNOWN && d[0] == UNKNOWN) {
            // The batch axis is unchanged, so the remaining dimensions must match.
            long rest = ShapeInference.product(x, 1, x.length);
            long others = 1;
            for (int i = 1; i < d.length; i++) {
                others *= i == open ? 1 : d[i];
            }
            d[open] = rest == UNKNOWN || others <= 0 ? UNKNOWN : rest / others;
        }
        return d;
    }

    /** Returns the shape given by a constant, or else as many unknown dimensions as the input has values. */
    static long[] ofShape(OperatorCall c, long[] said, int input) {
        if (said != null) {
            require(Arrays.stream(said).allMatch(v -> v >= 0), "a negative dimension in " + Arrays.toString(said));
            return said;
        }
        long[] count = c.dims(input);
        require(count == null || count.length == 1, "expected a list of dimensions, found " + TensorShape.shape(count));
        if (count == null || count[0] == UNKNOWN || count[0] > 64) {
            return null;
        }
        long[] d = new long[(int) count[0]];
        Arrays.fill(d, UNKNOWN);
        return d;
    }

    static long[] expand(OperatorCall c) {
        long[] x = c.dims(0);
        long[] shape = c.longs(1);
        return x == null || shape == null ? null : ShapeInference.broadcast(x, shape);
    }

    static long[] reduce(OperatorCall c, long[] x) {
        long[] axes = c.longs("axes", 1, new long[0]);
        boolean keep = c.integer("keepdims", 1) != 0;
        if (axes == null) {
            long[] open = new long[x.length];
            Arrays.fill(open, UNKNOWN);
            return keep ? open : null;
        }
        if (x.length == 0) {
            // ONNX Runtime returns a scalar unchanged for any axes.
            return x;
        }
        List<Integer> at = OperatorCall.positions(axes, x.length);
        if (axes.length == 0 && c.integer("noop_with_empty_axes", 0) != 0) {
            return x;
        }
        return reduced(x, at, axes.length == 0, keep);
    }

    private static long[] reduced(long[] x, List<Integer> at, boolean all, boolean keep) {
        List<Long> d = new ArrayList<>();
        for (int i = 0; i < x.length; i++) {
            if (!all && !at.contains(i)) {
                d.add(x[i]);
            } else if (keep) {
                d.add(1L);
            }
        }
        return array(d);
    }

    static long[] arg(OperatorCall c, long[] x) {
        if (x.length == 0) {
            return x;
        }
        int at = OperatorCall.position(c.integer("axis", 0), x.length);
        return reduced(x, List.of(at), false, c.integer("keepdims", 1) != 0);
    }

    static long[] squeeze(OperatorCall c, long[] x) {
        long[] axes = c.longs("axes", 1, new long[0]);
        if (axes == null || axes.length == 0 && Arrays.stream(x).anyMatch(d -> d == UNKNOWN)) {
            return null;
        }
        List<Integer> at = OperatorCall.positions(axes, x.length);
        List<Long> d = new ArrayList<>();
        for (int i = 0; i < x.length; i++) {
            boolean gone = axes.length == 0 ? x[i] == 1 : at.contains(i);
            require(
                    !gone || !ShapeInference.differ(x[i], 1),
                    "axis " + i + " of " + TensorShape.shape(x) + " is not 1");
            if (!gone) {
                d.add(x[i]);
            }
        }
        return array(d);
    }

    static long[] unsqueeze(OperatorCall c, long[] x) {
        long[] axes = c.longs("axes", 1, new long[0]);
        if (axes == null) {
            return null;
        }
        int rank = x.length + axes.length;
        List<Integer> at = OperatorCall.distinct(axes, rank);
        long[] d = new long[rank];
        int from = 0;
        for (int i = 0; i < rank; i++) {
            d[i] = at.contains(i) ? 1 : x[from++];
        }
        return d;
    }

    static long[] gather(OperatorCall c, long[] x) {
        require(x.length > 0, "expected dimensions, found a scalar");
        int at = OperatorCall.position(c.integer("axis", 0), x.length);
        long[] indices = c.dims(1);
        if (indices == null) {
            return null;
        }
        long[] d = new long[x.length - 1 + indices.length];
        System.arraycopy(x, 0, d, 0, at);
        System.arraycopy(indices, 0, d, at, indices.length);
        System.arraycopy(x, at + 1, d, at + indices.length, x.length - at - 1);
        return d;
    }

    static long[] slice(OperatorCall c, long[] x) {
        long[] starts = c.longs("starts", 1, new long[0]);
        long[] ends = c.longs("ends", 2, new long[0]);
        long[] d = x.clone();
        if (starts == null || ends == null) {
            Arrays.fill(d, UNKNOWN);
            return d;
        }
        long[] order = new long[starts.length];
        long[] once = new long[starts.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
            once[i] = 1;
        }
        long[] axes = c.longs("axes", 3, order);
        long[] steps = c.has(4) ? c.longs(4) : once;
        if (axes == null || steps == null) {
            Arrays.fill(d, UNKNOWN);
            return d;
        }
        require(
                starts.length == ends.length && axes.length == starts.length && steps.length == starts.length,
                "starts, ends, axes and steps differ in number");
        List<Integer> at = OperatorCall.distinct(axes, x.length);
        for (int i = 0; i < starts.length; i++) {
            long side = x[at.get(i)];
            require(steps[i] != 0, "a step is 0");
            d[at.get(i)] = side == UNKNOWN ? UNKNOWN : length(side, starts[i], ends[i], steps[i]);
        }
        return d;
    }

    private static long length(long side, long start, long end, long step) {
        long from = start < 0 ? start + side : start;
        long to = end < 0 ? end + side : end;
        if (step > 0) {
            from = Math.max(0, Math.min(side, from));
            to = Math.max(0, Math.min(side, to));
            return to <= from ? 0 : (to - from - 1) / step + 1;
        }
        from = Math.max(0, Math.min(side - 1, from));
        to = Math.max(-1, Math.min(side - 1, to));
        return from <= to ? 0 : (from - to - 1) / (step == Long.MIN_VALUE ? Long.MAX_VALUE : -step) + 1;
    }

    static long[] pad(OperatorCall c, long[] x) {
        long[] pads = c.longs("pads", 1, null);
        long[] d = new long[x.length];
        Arrays.fill(d, UNKNOWN);
        long[] every = new long[x.length];
        for (int i = 0; i < every.length; i++) {
            every[i] = i;
        }
        long[] axes = c.has(3) ? c.longs(3) : every;
        if (pads == null || axes == null) {
            return d;
        }
        if (axes.length == 0 && c.has(3)) {
            return d;
        }
        List<Integer> at = OperatorCall.distinct(axes, x.length);
        require(pads.length == 2 * at.size(), "pads " + Arrays.toString(pads) + " do not fit " + TensorShape.shape(x));
        System.arraycopy(x, 0, d, 0, d.length);
        for (int i = 0; i < at.size(); i++) {
            long side = x[at.get(i)];
            d[at.get(i)] = side == UNKNOWN ? UNKNOWN : Math.addExact(side, Math.addExact(pads[i], pads[at.size() + i]));
        }
        return d;
    }

    static long[] tile(OperatorCall c, long[] x) {
        long[] repeats = c.longs(1);
        long[] d = x.clone();
        if (repeats == null) {
            Arrays.fill(d, UNKNOWN);
            return d;
        }
        require(
                repeats.length == x.length,
                "repeats " + Arrays.toString(repeats) + " do not fit " + TensorShape.shape(x));
        for (int i = 0; i < d.length; i++) {
            d[i] = x[i] == UNKNOWN ? UNKNOWN : Math.multiplyExact(x[i], repeats[i]);
        }
        return d;
    }

    static long[] topK(OperatorCall c) {
        long[] x = c.dims(0);
        if (x == null) {
            return null;
        }
        int at = OperatorCall.position(c.integer("axis", -1), x.length);
        long[] k = c.says("k") ? new long[] {c.integer("k", 0)} : c.longs(1);
        long[] d = x.clone();
        d[at] = UNKNOWN;
        if (k != null) {
            require(k.length == 1, "k must be one number, found " + Arrays.toString(k));
            require(k[0] >= 0 && (x[at] == UNKNOWN || k[0] <= x[at]), "k is " + k[0] + " of " + x[at]);
            d[at] = k[0];
        }
        return d;
    }

    static long[] oneHot(OperatorCall c, long[] x) {
        require(
                c.dims(2) == null || c.dims(2).length == 1 && (c.dims(2)[0] == UNKNOWN || c.dims(2)[0] == 2),
                "expected two values, off and on, found " + TensorShape.shape(c.dims(2)));
        require(
                c.dims(1) == null || TensorShape.isSingle(c.dims(1)),
                "expected one depth, found " + TensorShape.shape(c.dims(1)));
        long[] depth = c.longs(1);
        long[] d = new long[x.length + 1];
        int at = OperatorCall.position(c.integer("axis", -1), d.length);
        for (int i = 0; i < d.length; i++) {
            d[i] = i == at
                    ? depth == null || depth.length != 1 || depth[0] < 0 ? UNKNOWN : depth[0]
                    : x[i < at ? i : i - 1];
        }
        return d;
    }

    static long[] length(OperatorCall c, long[] x) {
        long start = c.integer("start", 0);
        long end = c.integer("end", x.length);
        start = Math.max(0, Math.min(x.length, start < 0 ? start + x.length : start));
        end = Math.max(0, Math.min(x.length, end < 0 ? end + x.length : end));
        return new long[] {Math.max(0, end - start)};
    }

    static void split(OperatorCall c, TensorShape[] out) {
        long[] x = c.dims(0);
        if (x == null) {
            return;
        }
        int at = OperatorCall.position(c.integer("axis", 0), x.length);
        long[] parts = c.has(1) ? c.longs(1) : c.integers("split", null);
        if (parts == null && c.has(1)) {
            parts = new long[out.length];
            Arrays.fill(parts, UNKNOWN);
        } else if (parts == null) {
            parts = equal(c, x[at], out.length);
        } else {
            require(
                    parts.length == out.length,
                    "split " + Arrays.toString(parts) + " does not fit " + out.length + " outputs");
            require(
                    x[at] == UNKNOWN || Arrays.stream(parts).sum() == x[at],
                    "split " + Arrays.toString(parts) + " does not fit " + TensorShape.shape(x));
        }
        for (int i = 0; i < out.length; i++) {
            long[] d = x.clone();
            d[at] = parts[i];
            out[i] = new TensorShape(0, d);
        }
    }

    /** Splits into equal parts; since opset 18 the last part may be smaller. */
    private static long[] equal(OperatorCall c, long side, int count) {
        long[] parts = new long[count];
        Arrays.fill(parts, UNKNOWN);
        require(c.since() < 18 || c.integer("num_outputs", 0) == count, "num_outputs is not " + count);
        if (side != UNKNOWN) {
            require(c.since() >= 18 || side % count == 0, side + " does not divide by " + count);
            long part = (side + count - 1) / count;
            Arrays.fill(parts, part);
            parts[count - 1] = side - part * (count - 1);
        }
        return parts;
    }
}
