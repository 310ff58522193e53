package io.github.simclr4j.train.augment;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Random views of a batch, made on the batch's device, whole batches at once. An image's view depends on its own seed alone,
 * not on its neighbours. Immutable.
 */
public final class Views {
    // Of the four operations of a colour jitter; 0 is brightness.
    private static final int CONTRAST = 1;
    private static final int SATURATION = 2;
    private static final int HUE = 3;

    private final Composition composition;
    private final int size;

    /**
     * How views are made.
     *
     * @param composition in order
     * @param size side of the views in pixels
     */
    public Views(Composition composition, int size) {
        this.composition = composition;
        this.size = size;
    }

    /**
     * One view of each image.
     *
     * @param images float32 [n, 3, side, side] in [0, 1]
     * @param seeds one an image; any numbers, 1, 2, 3 are as good as others
     * @return float32 [n, 3, size, size] in [0, 1], owned by the manager of the images; where there is nothing to do, the
     *     images themselves
     */
    public NDArray view(NDArray images, long[] seeds) {
        RandomGenerator[] random = new RandomGenerator[seeds.length];
        for (int i = 0; i < seeds.length; i++) {
            random[i] = new SplittableRandom(seeds[i]);
        }
        List<Augmentation> parts = composition.parts();
        NDArray x = images;
        if (parts.stream().noneMatch(p -> p.kind().crops())) {
            x = Torch.replace(x, images, this::resize);
        }
        for (int i = 0; i < parts.size(); i++) {
            Augmentation a = parts.get(i);
            if (a.kind().crops()) {
                boolean flips = i + 1 < parts.size() && parts.get(i + 1).kind() == Augmentation.Kind.FLIP;
                double flip = flips ? parts.get(++i).probability() : 0;
                x = Torch.replace(x, images, y -> crop(y, a, flip, random));
            } else {
                x = Torch.replace(x, images, y -> apply(y, a, random));
            }
        }
        return x;
    }

    private static NDArray apply(NDArray x, Augmentation a, RandomGenerator[] random) {
        int side = (int) x.getShape().get(2);
        NDManager m = x.getManager();
        boolean[] on = chosen(a.probability(), random);
        return switch (a.kind()) {
            case FLIP -> ImageOps.select(x, x.flip(3), on);
            case JITTER -> jitter(x, a.strength(), on, random);
            case GREY -> ImageOps.greyScale(x, m.create(numbers(on)));
            case ROTATE -> {
                // A turn of 1, 2 or 3 quarters: one of 1 where it is odd, then one of 2.
                boolean[] odd = new boolean[on.length];
                boolean[] half = new boolean[on.length];
                for (int i = 0; i < on.length; i++) {
                    int quarters = 1 + random[i].nextInt(3);
                    odd[i] = on[i] && quarters != 2;
                    half[i] = on[i] && quarters != 1;
                }
                NDArray y = ImageOps.select(x, x.rotate90(1, new int[] {2, 3}), odd);
                yield ImageOps.select(y, y.rotate90(2, new int[] {2, 3}), half);
            }
            case CUTOUT -> {
                int length = Math.max(1, (int) Math.round(a.strength().get(0) * side));
                float[] top = corner(side, length, random);
                float[] left = corner(side, length, random);
                yield ImageOps.select(x, ImageOps.cutout(x, m.create(top), m.create(left), length), on);
            }
            case NOISE -> {
                float[] sigma = uniform(0, a.strength().get(0), random);
                NDArray noise = ImageOps.gaussian(keys(m, random), keys(m, random), keys(m, random), 3 * side * side);
                NDArray each = m.create(sigma).reshape(-1, 1, 1, 1);
                NDArray noisy = noise.reshape(x.getShape()).mul(each).addi(x).clip(0, 1);
                yield ImageOps.select(x, noisy, on);
            }
            case BLUR -> {
                int kernel = Math.max(3, side / 10 / 2 * 2 + 1);
                float[] sigma = uniform(Math.min(0.1, a.strength().get(0)), a.strength().get(0), random);
                yield ImageOps.select(x, ImageOps.blur(x, m.create(sigma), kernel).clip(0, 1), on);
            }
            case SOBEL -> ImageOps.select(x, ImageOps.sobel(x), on);
            case AUTOAUGMENT -> AutoAugment.CIFAR10.apply(x, on, random);
            case AUTOAUGMENT_IMAGENET -> AutoAugment.IMAGENET.apply(x, on, random);
            case CROP, CROP_BILINEAR -> throw new IllegalStateException();
        };
    }

    /**
     * The whole image, resized as serving does it, antialiased bilinear, but for two things: an image that is kept at up to twice
     * the size was resized once before, and the result is not rounded to bytes.
     */
    private NDArray resize(NDArray x) {
        int side = (int) x.getShape().get(2);
        if (side == size) {
            return x;
        }
        NDManager m = x.getManager();
        NDArray matrix = ImageOps.resizeMatrices(m.create(new float[1]), m.create(new float[] {side}),
                m.create(new float[1]), side, size, ImageOps.Interpolation.BILINEAR);
        return ImageOps.resample(x, matrix, matrix).clip(0, 1);
    }

    /** Random boxes in whole pixels; ten tries as torchvision, then the whole image. */
    private NDArray crop(NDArray x, Augmentation a, double flip, RandomGenerator[] random) {
        int n = random.length;
        int side = (int) x.getShape().get(2);
        double least = a.strength().get(0);
        double area = (double) side * side;
        // Rows and columns are made in one go: first the rows of all images, then the columns.
        float[] start = new float[2 * n];
        float[] length = new float[2 * n];
        float[] mirror = new float[2 * n];
        for (int i = 0; i < n; i++) {
            int h = side;
            int w = side;
            boolean on = random[i].nextDouble() < a.probability();
            for (int attempt = 0; on && attempt < 10; attempt++) {
                double target = area * (least + (1 - least) * random[i].nextDouble());
                double ratio = Math.exp(Math.log(3.0 / 4) + Math.log(16.0 / 9) * random[i].nextDouble());
                int tryW = (int) Math.round(Math.sqrt(target * ratio));
                int tryH = (int) Math.round(Math.sqrt(target / ratio));
                if (tryW > 0 && tryW <= side && tryH > 0 && tryH <= side) {
                    w = tryW;
                    h = tryH;
                    break;
                }
            }
            start[i] = random[i].nextInt(side - h + 1);
            length[i] = h;
            start[n + i] = random[i].nextInt(side - w + 1);
            length[n + i] = w;
            mirror[n + i] = random[i].nextDouble() < flip ? 1 : 0;
        }
        NDManager m = x.getManager();
        NDArray both = ImageOps.resizeMatrices(m.create(start), m.create(length), m.create(mirror), side, size,
                a.kind() == Augmentation.Kind.CROP ? ImageOps.Interpolation.BICUBIC : ImageOps.Interpolation.BILINEAR);
        return ImageOps.resample(x, both.get(new NDIndex(":{}", n)), both.get(new NDIndex("{}:", n))).clip(0, 1);
    }

    private static NDArray jitter(NDArray x, List<Double> strength, boolean[] on, RandomGenerator[] random) {
        double s = strength.get(0);
        double[] most = strength.size() == 1
                ? new double[] {0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s}
                : strength.stream().mapToDouble(d -> d).toArray();
        int[][] order = new int[on.length][];
        float[][] factors = new float[on.length][4];
        for (int i = 0; i < on.length; i++) {
            order[i] = order(random[i]);
            for (int k = 0; k < 4; k++) {
                // A factor of 1, or a turn of 0, changes nothing.
                double draw = (on[i] ? most[k] : 0) * (2 * random[i].nextDouble() - 1);
                factors[i][k] = (float) (k == HUE ? draw : Math.max(0, 1 + draw));
            }
        }
        return jitter(x, order, factors);
    }

    /**
     * Brightness (0), contrast (1), saturation (2) and hue (3) in an order of its own for each image, by few operations on
     * the whole batch: three of the four mix an image with grey ({@link ImageOps#colour}) and can be done for some images
     * while others get another of them or none. Hue, the costly one, is done once for all images; up to three of the others
     * come before it and up to three after.
     *
     * @param order of each image, [n][4]
     * @param factors of each operation, not of each place; of hue it is the shift in turns, [n][4]
     */
    public static NDArray jitter(NDArray x, int[][] order, float[][] factors) {
        int n = order.length;
        // Places 0 to 2 are before the hue, 3 to 5 after it; factor, share of the grey image, share of its mean.
        float[][][] place = new float[6][3][n];
        for (float[][] p : place) {
            Arrays.fill(p[0], 1);
        }
        boolean[] used = new boolean[6];
        float[] hue = new float[n];
        for (int i = 0; i < n; i++) {
            int next = 0;
            for (int k : order[i]) {
                float f = factors[i][k];
                if (k == HUE) {
                    hue[i] = f;
                    next = 3;
                } else if (f != 1) {
                    place[next][0][i] = f;
                    place[next][1][i] = k == SATURATION ? 1 - f : 0;
                    place[next][2][i] = k == CONTRAST ? 1 - f : 0;
                    used[next++] = true;
                }
            }
        }
        NDArray y = x;
        for (int p = 0; p < 6; p++) {
            if (used[p]) {
                float[][] values = place[p];
                y = Torch.replace(y, x, z -> {
                    NDManager m = z.getManager();
                    return ImageOps.colour(z, m.create(values[0]), m.create(values[1]), m.create(values[2]));
                });
            }
            if (p == 2) {
                y = Torch.replace(y, x, z -> ImageOps.hue(z, z.getManager().create(hue)));
            }
        }
        return y;
    }

    /** A random order of the four operations. */
    static int[] order(RandomGenerator random) {
        int[] order = {0, 1, 2, 3};
        for (int i = 3; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return order;
    }

    /** First row or column of a square around a random pixel. */
    private static float[] corner(int side, int length, RandomGenerator[] random) {
        float[] c = new float[random.length];
        for (int i = 0; i < c.length; i++) {
            c[i] = random[i].nextInt(side) - length / 2;
        }
        return c;
    }

    private static NDArray keys(NDManager m, RandomGenerator[] random) {
        long[] k = new long[random.length];
        for (int i = 0; i < k.length; i++) {
            k[i] = random[i].nextInt(1, ImageOps.PRIME);
        }
        return m.create(k, new Shape(k.length, 1));
    }

    private static float[] uniform(double least, double most, RandomGenerator[] random) {
        float[] u = new float[random.length];
        for (int i = 0; i < u.length; i++) {
            u[i] = (float) (least + (most - least) * random[i].nextDouble());
        }
        return u;
    }

    private static boolean[] chosen(double probability, RandomGenerator[] random) {
        boolean[] c = new boolean[random.length];
        for (int i = 0; i < c.length; i++) {
            c[i] = random[i].nextDouble() < probability;
        }
        return c;
    }

    private static float[] numbers(boolean[] on) {
        float[] f = new float[on.length];
        for (int i = 0; i < f.length; i++) {
            f[i] = on[i] ? 1 : 0;
        }
        return f;
    }
}
