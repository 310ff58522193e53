package io.github.simclr4j.train;

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
final class ImageOps {
    private ImageOps() {}

    /** How pixels between pixels are found. */
    enum Interpolation {
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
    static NDArray resizeMatrices(
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
    static NDArray resample(NDArray x, NDArray rows, NDArray columns) {
        NDArray image = rows.expandDims(1).matMul(x);
        return image.matMul(columns.transpose(0, 2, 1).expandDims(1));
    }

    static NDArray brightness(NDArray x, NDArray factor) {
        return x.mul(each(factor)).clip(0, 1);
    }

    /** Mixes with the mean of the image's grey values. */
    static NDArray contrast(NDArray x, NDArray factor) {
        NDArray grey = luma(x);
        long pixels = grey.getShape().get(2) * grey.getShape().get(3);
        return mix(x, grey.sum(new int[] {1, 2, 3}, true).div(pixels), factor);
    }

    /** Mixes with the image in grey. */
    static NDArray saturation(NDArray x, NDArray factor) {
        return mix(x, luma(x), factor);
    }

    /** All three channels become the grey value where {@code apply} is 1. */
    static NDArray greyScale(NDArray x, NDArray apply) {
        return mix(x, luma(x), apply.neg().add(1));
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
        hue = hue.add(each(shift).mul(6));
        return NDArrays.concat(
                new NDList(sector(hue, max, chroma, 5), sector(hue, max, chroma, 3), sector(hue, max, chroma, 1)), 1);
    }

    /** One channel back from HSV: {@code max - chroma * clip(min(k, 4 - k), 0, 1)} with {@code k = (n + hue) mod 6}. */
    private static NDArray sector(NDArray hue, NDArray max, NDArray chroma, int n) {
        NDArray k = hue.add(n);
        k = k.sub(k.div(6).floor().mul(6));
        return max.sub(chroma.mul(k.minimum(k.neg().add(4)).clip(0, 1)));
    }

    /**
     * Gaussian blur with reflected edges: two products with banded matrices [n, side, side].
     *
     * @param sigma standard deviation in pixels, [n]
     * @param kernel odd side of the kernel in pixels
     */
    static NDArray blur(NDArray x, NDArray sigma, int kernel) {
        NDArray rows = blurMatrices(sigma, (int) x.getShape().get(2), kernel);
        NDArray columns = blurMatrices(sigma, (int) x.getShape().get(3), kernel);
        return resample(x, rows, columns);
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

    private static NDArray mix(NDArray x, NDArray other, NDArray factor) {
        NDArray f = each(factor);
        return x.sub(other).mul(f).add(other).clip(0, 1);
    }

    private static NDArray each(NDArray factor) {
        return factor.reshape(-1, 1, 1, 1);
    }
}
