package io.github.simclr4j.train.augment;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.loop.Step;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The learnt policies of AutoAugment (Cubuk et al. 2019): each image gets one of 25 pairs of operations, each of the two
 * with its own probability and magnitude, and a random sign where it has two directions.
 *
 * <p>Images are rounded to 256 levels first, and operations do on whole batches what Pillow does on uint8 images, its
 * rounding included: mixtures are cut to a whole level, smoothing is rounded to the nearest. Pixels that come from outside
 * are grey (128), as in the authors' code.
 */
final class AutoAugment {
    /** Table 7 of the paper. Name, probability, magnitude from 0 to 9 where the operation has one. */
    static final AutoAugment CIFAR10 = new AutoAugment(
            "invert 0.1, contrast 0.2 6", "rotate 0.7 2, translate_x 0.3 9", "sharpness 0.8 1, sharpness 0.9 3",
            "shear_y 0.5 8, translate_y 0.7 9", "autocontrast 0.5, equalize 0.9", "shear_y 0.2 7, posterize 0.3 7",
            "color 0.4 3, brightness 0.6 7", "sharpness 0.3 9, brightness 0.7 9", "equalize 0.6, equalize 0.5",
            "contrast 0.6 7, sharpness 0.6 5", "color 0.7 7, translate_x 0.5 8", "equalize 0.3, autocontrast 0.4",
            "translate_y 0.4 3, sharpness 0.2 6", "brightness 0.9 6, color 0.2 8", "solarize 0.5 2, invert 0",
            "equalize 0.2, autocontrast 0.6", "equalize 0.2, equalize 0.6", "color 0.9 9, equalize 0.6",
            "autocontrast 0.8, solarize 0.2 8", "brightness 0.1 3, color 0.7 0", "solarize 0.4 5, autocontrast 0.9",
            "translate_y 0.9 9, translate_y 0.7 9", "autocontrast 0.9, solarize 0.8 3", "equalize 0.8, invert 0.1",
            "translate_y 0.7 9, autocontrast 0.9");

    /** Table 9 of the paper. */
    static final AutoAugment IMAGENET = new AutoAugment(
            "posterize 0.4 8, rotate 0.6 9", "solarize 0.6 5, autocontrast 0.6", "equalize 0.8, equalize 0.6",
            "posterize 0.6 7, posterize 0.6 6", "equalize 0.4, solarize 0.2 4", "equalize 0.4, rotate 0.8 8",
            "solarize 0.6 3, equalize 0.6", "posterize 0.8 5, equalize 1", "rotate 0.2 3, solarize 0.6 8",
            "equalize 0.6, posterize 0.4 6", "rotate 0.8 8, color 0.4 0", "rotate 0.4 9, equalize 0.6",
            "equalize 0, equalize 0.8", "invert 0.6, equalize 1", "color 0.6 4, contrast 1 8",
            "rotate 0.8 8, color 1 2", "color 0.8 8, solarize 0.8 7", "sharpness 0.4 7, invert 0.6",
            "shear_x 0.6 5, equalize 1", "color 0.4 0, equalize 0.6", "equalize 0.4, solarize 0.2 4",
            "solarize 0.6 5, autocontrast 0.6", "invert 0.6, equalize 1", "color 0.6 4, contrast 1 8",
            "equalize 0.8, equalize 0.6");

    private static final float GREY = 128;

    /** Operations that are done together. */
    private enum Family { NONE, MOVE, BLEND, SHARPEN, LEVELS, AUTOCONTRAST, EQUALIZE }

    /** The operations, with the range of their magnitudes (table 6). */
    enum Op {
        /** Row y moves by value * y pixels. */
        SHEAR_X(Family.MOVE, true, 0, 0.3),
        SHEAR_Y(Family.MOVE, true, 0, 0.3),
        /** The value here is a share of the side; {@link #value} gives whole pixels. */
        TRANSLATE_X(Family.MOVE, true, 0, 150.0 / 331),
        TRANSLATE_Y(Family.MOVE, true, 0, 150.0 / 331),
        /** Degrees, to the left. */
        ROTATE(Family.MOVE, true, 0, 30),
        /** The other four mix with an image: black, the mean of the grey values, grey, smoothed. 1 + value is the factor. */
        BRIGHTNESS(Family.BLEND, true, 0, 0.9),
        CONTRAST(Family.BLEND, true, 0, 0.9),
        COLOR(Family.BLEND, true, 0, 0.9),
        SHARPNESS(Family.SHARPEN, true, 0, 0.9),
        /** Bits that are kept. */
        POSTERIZE(Family.LEVELS, false, 8, 4),
        /** Levels from here on are inverted. */
        SOLARIZE(Family.LEVELS, false, 255, 0),
        INVERT(Family.LEVELS, false, 0, 0),
        AUTOCONTRAST(Family.AUTOCONTRAST, false, 0, 0),
        EQUALIZE(Family.EQUALIZE, false, 0, 0);

        private final Family family;
        private final boolean signed;
        private final double first;
        private final double last;

        Op(Family family, boolean signed, double first, double last) {
            this.family = family;
            this.signed = signed;
            this.first = first;
            this.last = last;
        }

        /** What a magnitude from 0 to 9 means; translations in whole pixels. */
        double value(int magnitude, int side) {
            double v = first + (last - first) * magnitude / 9;
            return switch (this) {
                case TRANSLATE_X, TRANSLATE_Y -> Math.floor(v * side);
                case POSTERIZE -> Math.rint(v);
                default -> v;
            };
        }
    }

    /** One operation of a pair. */
    record Step(Op op, double probability, int magnitude) {
        static Step of(String text) {
            String[] part = text.strip().split(" ");
            return new Step(Op.valueOf(part[0].toUpperCase(Locale.ROOT)), Double.parseDouble(part[1]),
                    part.length == 2 ? 0 : Integer.parseInt(part[2]));
        }
    }

    private final List<List<Step>> policy;

    private AutoAugment(String... pairs) {
        policy = Arrays.stream(pairs).map(p -> Arrays.stream(p.split(",")).map(Step::of).toList()).toList();
    }

    /** The pairs. */
    List<List<Step>> policy() {
        return policy;
    }

    /**
     * Changes the chosen images of a batch; the others stay as they are.
     *
     * @param x [n, 3, side, side] in [0, 1]
     */
    NDArray apply(NDArray x, boolean[] on, RandomGenerator[] random) {
        int n = on.length;
        int side = (int) x.getShape().get(2);
        Op[][] op = new Op[2][n];
        double[][] value = new double[2][n];
        for (int i = 0; i < n; i++) {
            List<Step> pair = policy.get(random[i].nextInt(policy.size()));
            for (int k = 0; k < 2; k++) {
                Step step = pair.get(k);
                // The same draws whatever is chosen, so that what follows does not depend on it.
                boolean chosen = random[i].nextDouble() < step.probability();
                double sign = random[i].nextBoolean() && step.op().signed ? -1 : 1;
                op[k][i] = on[i] && chosen ? step.op() : null;
                value[k][i] = sign * step.op().value(step.magnitude(), side);
            }
        }
        NDArray levels = x.mul(255).round();
        for (int k = 0; k < 2; k++) {
            levels = change(levels, op[k], value[k]);
        }
        return ImageOps.select(x, levels.div(255), on);
    }

    /**
     * One operation on each image.
     *
     * @param x whole levels from 0 to 255, [n, 3, height, width]
     * @param op of each image, null for none
     * @param value of each, as {@link Op#value} with its sign
     */
    static NDArray change(NDArray x, Op[] op, double[] value) {
        Family[] family = Arrays.stream(op).map(o -> o == null ? Family.NONE : o.family).toArray(Family[]::new);
        // Sorted by family, the images of one are neighbours.
        int[] order = IntStream.range(0, op.length).boxed().sorted(Comparator.comparing(i -> family[i]))
                .mapToInt(i -> i).toArray();
        NDArray sorted = rows(x, order);
        NDList parts = new NDList();
        int[] back = new int[order.length];
        for (int from = 0; from < order.length; ) {
            Family f = family[order[from]];
            int to = from;
            while (to < order.length && family[order[to]] == f) {
                back[order[to]] = to++;
            }
            int[] which = Arrays.copyOfRange(order, from, to);
            NDArray some = sorted.get(new NDIndex("{}:{}", from, to));
            parts.add(change(some, f, Arrays.stream(which).mapToObj(i -> op[i]).toArray(Op[]::new),
                    Arrays.stream(which).mapToDouble(i -> value[i]).toArray()));
            from = to;
        }
        return rows(NDArrays.concat(parts, 0), back);
    }

    private static NDArray rows(NDArray x, int[] which) {
        return x.get(x.getManager().create(Arrays.stream(which).asLongStream().toArray()));
    }

    private static NDArray change(NDArray x, Family family, Op[] op, double[] value) {
        return switch (family) {
            case NONE -> x;
            case MOVE -> move(x, op, value);
            case BLEND -> {
                NDArray grey = grey(x);
                long pixels = grey.getShape().get(2) * grey.getShape().get(3);
                NDArray mean = grey.sum(new int[] {2, 3}, true).div(pixels).add(0.5f).floor();
                NDArray other = grey.mul(column(x, op.length, i -> op[i] == Op.COLOR ? 1 : 0))
                        .add(mean.mul(column(x, op.length, i -> op[i] == Op.CONTRAST ? 1 : 0)));
                yield blend(x, other, value);
            }
            case SHARPEN -> blend(x, smooth(x), value);
            case LEVELS -> {
                NDArray step = column(x, op.length, i -> op[i] == Op.POSTERIZE ? Math.pow(2, 8 - value[i]) : 1);
                NDArray threshold = column(x, op.length, i -> op[i] == Op.POSTERIZE ? 256 : value[i]);
                NDArray y = x.div(step).floor().mul(step);
                yield NDArrays.where(y.gte(threshold), y.neg().add(255), y);
            }
            case AUTOCONTRAST -> autocontrast(x);
            case EQUALIZE -> equalize(x);
        };
    }

    /** Values [n, 1, 1, 1]. */
    private static NDArray column(NDArray x, int n, java.util.function.IntToDoubleFunction value) {
        float[] v = new float[n];
        for (int i = 0; i < n; i++) {
            v[i] = (float) value.applyAsDouble(i);
        }
        return x.getManager().create(v, new Shape(n, 1, 1, 1));
    }

    private static NDArray blend(NDArray x, NDArray other, double[] value) {
        NDArray factor = column(x, value.length, i -> 1 + value[i]);
        return x.sub(other).mul(factor).add(other).clip(0, 255).floor();
    }

    /** ITU-R BT.601 luma in whole levels, by 16-bit fractions: every number here is exact in float32. */
    private static NDArray grey(NDArray x) {
        NDArray weights = x.getManager().create(new float[] {19595, 38470, 7471}, new Shape(1, 3, 1, 1));
        return x.mul(weights).sum(new int[] {1}, true).add(32768).div(65536).floor();
    }

    /** A 3x3 filter of ones with 5 in the middle, divided by 13; the outermost pixels stay. */
    private static NDArray smooth(NDArray x) {
        NDManager m = x.getManager();
        int height = (int) x.getShape().get(2);
        int width = (int) x.getShape().get(3);
        NDArray sum = ImageOps.resample(x, ImageOps.band(m, height, 1, 1, 1), ImageOps.band(m, width, 1, 1, 1));
        NDArray smooth = sum.add(x.mul(4)).div(13).round();
        boolean[] inner = new boolean[height * width];
        for (int i = 0; i < inner.length; i++) {
            int row = i / width;
            int column = i % width;
            inner[i] = row > 0 && row < height - 1 && column > 0 && column < width - 1;
        }
        return NDArrays.where(m.create(inner, new Shape(1, 1, height, width)).broadcast(x.getShape()), smooth, x);
    }

    /** Shear, translation and rotation: where each pixel comes from, the nearest one. */
    private static NDArray move(NDArray x, Op[] op, double[] value) {
        NDManager m = x.getManager();
        int n = op.length;
        int height = (int) x.getShape().get(2);
        int width = (int) x.getShape().get(3);
        float[][] a = new float[6][n];
        for (int i = 0; i < n; i++) {
            double v = value[i];
            double cos = op[i] == Op.ROTATE ? Math.cos(Math.toRadians(v)) : 1;
            double sin = op[i] == Op.ROTATE ? Math.sin(Math.toRadians(v)) : 0;
            a[0][i] = (float) cos;
            a[1][i] = (float) (op[i] == Op.SHEAR_X ? v : -sin);
            a[2][i] = (float) (op[i] == Op.TRANSLATE_X ? -v : (width - cos * width + sin * height) / 2);
            a[3][i] = (float) (op[i] == Op.SHEAR_Y ? v : sin);
            a[4][i] = (float) cos;
            a[5][i] = (float) (op[i] == Op.TRANSLATE_Y ? -v : (height - sin * width - cos * height) / 2);
        }
        NDArray column = m.arange(width).toType(DataType.FLOAT32, false).add(0.5f).reshape(1, 1, width);
        NDArray row = m.arange(height).toType(DataType.FLOAT32, false).add(0.5f).reshape(1, height, 1);
        NDArray fromX = source(m, a[0], column, a[1], row, a[2]);
        NDArray fromY = source(m, a[3], column, a[4], row, a[5]);
        NDArray inside = fromX.gte(0).logicalAnd(fromX.lt(width)).logicalAnd(fromY.gte(0)).logicalAnd(fromY.lt(height));
        NDArray index = fromY.clip(0, height - 1).mul(width).add(fromX.clip(0, width - 1)).toType(DataType.INT64, false);
        Shape flat = new Shape(n, 3, (long) height * width);
        NDArray moved = x.reshape(flat).gather(index.reshape(n, 1, -1).broadcast(flat), 2).reshape(x.getShape());
        return NDArrays.where(inside.expandDims(1).broadcast(x.getShape()), moved,
                m.create(GREY).broadcast(x.getShape()));
    }

    private static NDArray source(NDManager m, float[] a, NDArray column, float[] b, NDArray row, float[] c) {
        Shape each = new Shape(a.length, 1, 1);
        return m.create(a, each).mul(column).add(m.create(b, each).mul(row)).add(m.create(c, each)).floor();
    }

    /** Stretches each channel to all levels. In float64, whose rounding decides the last level now and then. */
    private static NDArray autocontrast(NDArray x) {
        NDArray flat = x.reshape(x.getShape().get(0), 3, -1);
        NDArray low = flat.min(new int[] {2}, true).toType(DataType.FLOAT64, false);
        NDArray range = flat.max(new int[] {2}, true).toType(DataType.FLOAT64, false).sub(low);
        NDArray scale = x.getManager().create(255.0).div(range.maximum(1.0));
        NDArray y = flat.toType(DataType.FLOAT64, false).mul(scale).sub(low.mul(scale)).clip(0, 255).floor();
        y = y.toType(DataType.FLOAT32, false);
        return NDArrays.where(range.gt(0).broadcast(flat.getShape()), y, flat).reshape(x.getShape());
    }

    /** Spreads each channel's levels so that all are about as frequent. */
    private static NDArray equalize(NDArray x) {
        NDManager m = x.getManager();
        long n = x.getShape().get(0);
        NDArray flat = x.reshape(n, 3, -1);
        // The histogram is a product of two matrices that say which of 16 upper and 16 lower halves of a byte a pixel has.
        NDArray upper = flat.div(16).floor();
        NDArray lower = flat.sub(upper.mul(16));
        NDArray histogram = oneOf16(m, upper).matMul(oneOf16(m, lower).swapAxes(2, 3)).reshape(n, 3, 256);
        NDArray below = histogram.cumSum(2).sub(histogram);
        NDArray full = histogram.gt(0).toType(DataType.FLOAT32, false);
        NDArray step = below.mul(full).max(new int[] {2}, true).div(255).floor();
        NDArray some = step.maximum(1);
        NDArray table = some.div(2).floor().add(below).div(some).floor().clip(0, 255);
        NDArray y = table.gather(flat.toType(DataType.INT64, false), 2);
        return NDArrays.where(step.gt(0).broadcast(flat.getShape()), y, flat).reshape(x.getShape());
    }

    private static NDArray oneOf16(NDManager m, NDArray digits) {
        NDArray all = m.arange(16).toType(DataType.FLOAT32, false).reshape(1, 1, 16, 1);
        return digits.expandDims(2).eq(all).toType(DataType.FLOAT32, false);
    }
}
