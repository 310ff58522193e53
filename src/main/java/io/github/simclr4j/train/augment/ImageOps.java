package io.github.simclr4j.train.augment;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/**
 * Image operations on whole batches, float32 [n, 3, height, width] in [0, 1], with one strength an image ([n] arrays).
 * They follow torchvision's definitions. Results belong to the manager of the images.
 */
public final class ImageOps {
    private ImageOps() {}

    /** How pixels between pixels are found. */
    public enum Interpolation {
        /** Triangle of support 1. */
        BILINEAR,
        /** Cubic of support 2 with a = -0.5 (Keys 1981), as antialiased resizing in Pillow and PyTorch. */
        BICUBIC
    }

    /**
     * The matrices [n, to, from] that cut {@code [start, start + length)} out of {@code from} pixels and resize it to
     * {@code to}, antialiased, mirrored where {@code flip} is 1. A crop, flip and resize of an image is
     * {@code rows . image . columns^T}.
     *
     * @param start first pixel of each crop, [n]
     * @param length pixels of each crop, [n]
     * @param flip 0 or 1, [n]
     */
    public static NDArray resizeMatrices(
            NDArray start, NDArray length, NDArray flip, int from, int to, Interpolation interpolation) {
        NDManager m = start.getManager();
        long n = start.size();
        NDArray s = start.reshape(n, 1, 1);
        NDArray l = length.reshape(n, 1, 1);
        NDArray f = flip.reshape(n, 1, 1);
        NDArray out = m.arange(to).toType(DataType.FLOAT32, true).reshape(1, to, 1);
        NDArray mirrored = out.neg().add(to - 1);
        NDArray position = out.sub(mirrored).mul(f.neg().add(1)).add(mirrored);
        NDArray ratio = l.div(to);
        NDArray center = position.add(0.5f).mul(ratio).add(s).sub(0.5f);
        NDArray pixel = m.arange(from).toType(DataType.FLOAT32, true).reshape(1, 1, from);
        NDArray distance = center.neg().add(pixel).div(ratio.maximum(1)).abs();
        NDArray weight;
        if (interpolation == Interpolation.BILINEAR) {
            weight = distance.neg().add(1).maximum(0);
        } else {
            NDArray square = distance.square();
            NDArray cube = square.mul(distance);
            NDArray near = cube.mul(1.5f).sub(square.mul(2.5f)).add(1);
            NDArray far = cube.mul(-0.5f).add(square.mul(2.5f)).sub(distance.mul(4)).add(2);
            weight = NDArrays.where(distance.lt(1), near, NDArrays.where(distance.lt(2), far, distance.mul(0)));
        }
        NDArray inside = s.neg().add(pixel).gte(0).toType(DataType.FLOAT32, false)
                .mul(s.add(l).neg().add(pixel).lt(0).toType(DataType.FLOAT32, false));
        weight = weight.mul(inside);
        return weight.div(weight.sum(new int[] {2}, true));
    }

    /** {@code rows . x . columns^T} for each image and channel. */
    public static NDArray resample(NDArray x, NDArray rows, NDArray columns) {
        NDArray image = rows.expandDims(1).matMul(x);
        return image.matMul(columns.transpose(0, 2, 1).expandDims(1));
    }

    /** All three channels become the grey value where {@code apply} is 1. */
    public static NDArray greyScale(NDArray x, NDArray apply) {
        return colour(x, apply.neg().add(1), apply, apply.zerosLike());
    }

    /**
     * {@code factor * x + grey * luma(x) + mean * mean(luma(x))}, cut to [0, 1]: brightness, contrast and saturation in one
     * operation, so that each image of a batch may have another of them. With 1, 0, 0 an image stays as it is, to the bit.
     */
    static NDArray colour(NDArray x, NDArray factor, NDArray grey, NDArray mean) {
        NDArray luma = luma(x);
        long pixels = luma.getShape().get(2) * luma.getShape().get(3);
        NDArray average = luma.sum(new int[] {1, 2, 3}, true).div(pixels);
        return x.mul(each(factor)).addi(luma.muli(each(grey)).addi(average.muli(each(mean)))).clip(0, 1);
    }

    /**
     * Turns the hue in HSV space.
     *
     * @param shift in full turns, from -0.5 to 0.5, [n]
     */
    static NDArray hue(NDArray x, NDArray shift) {
        NDList channels = x.split(3, 1);
        NDArray r = channels.get(0);
        NDArray g = channels.get(1);
        NDArray b = channels.get(2);
        NDArray max = r.maximum(g).maximum(b);
        NDArray min = r.minimum(g).minimum(b);
        NDArray chroma = max.sub(min);
        NDArray grey = chroma.lte(0);
        NDArray divisor = NDArrays.where(grey, chroma.onesLike(), chroma);
        // The hue in sixths of a turn, as in HSV: 0 is red, 2 green, 4 blue.
        NDArray fromRed = g.sub(b).div(divisor);
        NDArray fromGreen = b.sub(r).div(divisor).add(2);
        NDArray fromBlue = r.sub(g).div(divisor).add(4);
        NDArray hue = NDArrays.where(max.eq(r), fromRed, NDArrays.where(max.eq(g), fromGreen, fromBlue));
        // Back from HSV: a channel is max - chroma * clip(min(k, 4 - k), 0, 1) with k = (hue + 5, 3 or 1) mod 6.
        NDArray offset = x.getManager().create(new float[] {5, 3, 1}, new Shape(1, 3, 1, 1));
        NDArray k = hue.add(each(shift.mul(6))).add(offset).modi(6f);
        return k.minimum(k.neg().addi(4)).clip(0, 1).muli(chroma).negi().addi(max);
    }

    /**
     * Gaussian blur with reflected edges: two products with banded matrices [n, side, side].
     *
     * @param sigma standard deviation in pixels, [n]
     * @param kernel odd side of the kernel in pixels
     */
    public static NDArray blur(NDArray x, NDArray sigma, int kernel) {
        int height = (int) x.getShape().get(2);
        int width = (int) x.getShape().get(3);
        NDArray rows = blurMatrices(sigma, height, kernel);
        return resample(x, rows, width == height ? rows : blurMatrices(sigma, width, kernel));
    }

    private static NDArray blurMatrices(NDArray sigma, int side, int kernel) {
        NDManager m = sigma.getManager();
        int half = kernel / 2;
        float[] taps = new float[kernel * side * side];
        float[] squares = new float[kernel];
        for (int k = 0; k < kernel; k++) {
            squares[k] = (float) (k - half) * (k - half);
            for (int i = 0; i < side; i++) {
                int j = Math.abs(i + k - half);
                j = j >= side ? 2 * (side - 1) - j : j;
                taps[(k * side + i) * side + j] += 1;
            }
        }
        NDArray weights = m.create(squares, new Shape(1, kernel))
                .div(sigma.square().mul(-2).reshape(-1, 1))
                .exp();
        weights = weights.div(weights.sum(new int[] {1}, true));
        return weights.matMul(m.create(taps, new Shape(kernel, (long) side * side))).reshape(-1, side, side);
    }

    /** ITU-R BT.601 luma as torchvision rounds it, [n, 1, h, w]. */
    private static NDArray luma(NDArray x) {
        return x.get(new NDIndex(":, 0:1")).mul(0.2989f)
                .add(x.get(new NDIndex(":, 1:2")).mul(0.587f))
                .add(x.get(new NDIndex(":, 2:3")).mul(0.114f));
    }

    /**
     * Paints a grey square over each image.
     *
     * @param top first row of each square, [n]; it may lie outside the image
     * @param left first column, [n]
     * @param side of the squares in pixels
     */
    static NDArray cutout(NDArray x, NDArray top, NDArray left, int side) {
        NDManager m = x.getManager();
        NDArray row = m.arange((int) x.getShape().get(2)).toType(DataType.FLOAT32, false).reshape(1, 1, -1, 1);
        NDArray column = m.arange((int) x.getShape().get(3)).toType(DataType.FLOAT32, false).reshape(1, 1, 1, -1);
        NDArray inside = within(row.sub(each(top)), side).logicalAnd(within(column.sub(each(left)), side));
        return NDArrays.where(inside.broadcast(x.getShape()), m.create(0.5f).broadcast(x.getShape()), x);
    }

    private static NDArray within(NDArray offset, int length) {
        return offset.gte(0).logicalAnd(offset.lt(length));
    }

    /**
     * The size of the gradient of the grey image by the Sobel filter, edges repeated, in all three channels. A step from 0
     * to 1 between two columns or rows gives 1; what is above is cut.
     */
    static NDArray sobel(NDArray x) {
        NDArray grey = luma(x);
        int height = (int) x.getShape().get(2);
        int width = (int) x.getShape().get(3);
        NDManager m = x.getManager();
        float[] smooth = {0.25f, 0.5f, 0.25f};
        float[] difference = {-1, 0, 1};
        NDArray across = resample(grey, band(m, height, smooth), band(m, width, difference));
        NDArray down = resample(grey, band(m, height, difference), band(m, width, smooth));
        return across.square().addi(down.square()).sqrt().clip(0, 1).repeat(1, 3);
    }

    /** The matrix [1, side, side] of a filter with three taps that repeats the edges. */
    static NDArray band(NDManager m, int side, float... taps) {
        float[] matrix = new float[side * side];
        for (int i = 0; i < side; i++) {
            for (int k = -1; k <= 1; k++) {
                matrix[i * side + Math.max(0, Math.min(side - 1, i + k))] += taps[k + 1];
            }
        }
        return m.create(matrix, new Shape(1, side, side));
    }

    /** A prime below which products of two numbers fit 64 bits. */
    static final int PRIME = Integer.MAX_VALUE;

    /**
     * Standard normal noise [n, values] that an image's keys alone decide. The k-th number is
     * {@code ((a k + b)^5 + c)^5 mod PRIME}, in which each step is a permutation, and two numbers make two normal ones (Box
     * and Muller 1958). Made on the device, it needs no upload, and no state beside the keys.
     *
     * @param a first key of each image, 1 to PRIME - 1, int64 [n, 1]
     * @param b second key, likewise
     * @param c third key, likewise
     * @param values at most PRIME - 1
     */
    static NDArray gaussian(NDArray a, NDArray b, NDArray c, int values) {
        NDManager m = a.getManager();
        int half = (values + 1) / 2;
        NDArray prime = m.create((long) PRIME);
        NDArray x = m.arange(0, 2 * half, 1, DataType.INT64).reshape(1, -1).mul(a).addi(b).modi(prime);
        x = fifth(fifth(x, prime).addi(c).modi(prime), prime);
        NDArray uniform = x.toType(DataType.FLOAT32, false).addi(0.5f).divi((float) PRIME);
        NDArray radius = uniform.get(new NDIndex(":, :{}", half)).log().muli(-2).sqrt();
        NDArray angle = uniform.get(new NDIndex(":, {}:", half)).mul((float) (2 * Math.PI));
        NDArray normal = NDArrays.concat(new NDList(angle.cos().muli(radius), angle.sin().muli(radius)), 1);
        return normal.get(new NDIndex(":, :{}", values));
    }

    /** Five has no common divisor with PRIME - 1, so the fifth power is a permutation. */
    private static NDArray fifth(NDArray x, NDArray prime) {
        NDArray square = x.mul(x).modi(prime);
        return square.mul(square).modi(prime).muli(x).modi(prime);
    }

    /** The changed image where {@code on}, else the image. */
    static NDArray select(NDArray x, NDArray changed, boolean[] on) {
        NDArray condition = x.getManager().create(on).reshape(-1, 1, 1, 1).broadcast(x.getShape());
        return NDArrays.where(condition, changed, x);
    }

    private static NDArray each(NDArray factor) {
        return factor.reshape(-1, 1, 1, 1);
    }
}
