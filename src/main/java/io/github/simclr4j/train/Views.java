package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Random views of a batch, made on the batch's device. Every image has its own random draw; only the order of the four
 * colour operations is shared, by {@value #GROUP} neighbours of a shuffled batch.
 */
final class Views {
    private static final int GROUP = 32;

    private final ViewSettings settings;
    private final int size;

    Views(ViewSettings settings, int size) {
        this.settings = settings;
        this.size = size;
    }

    /**
     * One view of each image.
     *
     * @param images float32 [n, 3, side, side] in [0, 1]
     * @param random where all randomness comes from
     * @return float32 [n, 3, size, size] in [0, 1], owned by the manager of the images
     */
    NDArray view(NDArray images, Random random) {
        int n = (int) images.getShape().get(0);
        int side = (int) images.getShape().get(2);
        NDManager m = images.getManager();
        float[][] crops = crops(n, side, random);
        NDArray rows = ImageOps.resizeMatrices(m.create(crops[0]), m.create(crops[1]), m.create(new float[n]),
                side, size, ImageOps.Interpolation.BILINEAR);
        NDArray columns = ImageOps.resizeMatrices(m.create(crops[2]), m.create(crops[3]),
                m.create(chosen(n, settings.flip(), random)), side, size, ImageOps.Interpolation.BILINEAR);
        NDArray x = ImageOps.resample(images, rows, columns);
        if (settings.colour() > 0 && settings.jitter() > 0) {
            x = jitter(x, random);
        }
        if (settings.grey() > 0) {
            x = ImageOps.greyScale(x, m.create(chosen(n, settings.grey(), random)));
        }
        if (settings.blur() > 0) {
            x = blur(x, random);
        }
        return x;
    }

    /** top, height, left and width, in whole pixels; ten tries as torchvision, then the whole image. */
    private float[][] crops(int n, int side, Random random) {
        float[][] c = new float[4][n];
        double area = (double) side * side;
        for (int i = 0; i < n; i++) {
            int h = side;
            int w = side;
            for (int attempt = 0; attempt < 10; attempt++) {
                double target = area * (settings.minArea() + (1 - settings.minArea()) * random.nextDouble());
                double ratio = Math.exp(Math.log(3.0 / 4) + Math.log(16.0 / 9) * random.nextDouble());
                int tryW = (int) Math.round(Math.sqrt(target * ratio));
                int tryH = (int) Math.round(Math.sqrt(target / ratio));
                if (tryW > 0 && tryW <= side && tryH > 0 && tryH <= side) {
                    w = tryW;
                    h = tryH;
                    break;
                }
            }
            c[0][i] = random.nextInt(side - h + 1);
            c[1][i] = h;
            c[2][i] = random.nextInt(side - w + 1);
            c[3][i] = w;
        }
        return c;
    }

    private NDArray jitter(NDArray x, Random random) {
        int n = (int) x.getShape().get(0);
        float s = (float) (0.8 * settings.colour());
        float[] apply = chosen(n, settings.jitter(), random);
        float[][] factors = new float[4][n];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < 4; k++) {
                float draw = 2 * random.nextFloat() - 1;
                // A factor of 1, or a turn of 0, changes nothing.
                factors[k][i] = k == 3 ? apply[i] * (float) (0.2 * settings.colour()) * draw : 1 + apply[i] * s * draw;
            }
        }
        NDManager m = x.getManager();
        List<Integer> order = new ArrayList<>(List.of(0, 1, 2, 3));
        NDList groups = new NDList();
        for (int from = 0; from < n; from += GROUP) {
            int to = Math.min(n, from + GROUP);
            NDArray y = x.get(new NDIndex(from + ":" + to));
            Collections.shuffle(order, random);
            for (int k : order) {
                NDArray f = m.create(java.util.Arrays.copyOfRange(factors[k], from, to));
                y = switch (k) {
                    case 0 -> ImageOps.brightness(y, f);
                    case 1 -> ImageOps.contrast(y, f);
                    case 2 -> ImageOps.saturation(y, f);
                    default -> ImageOps.hue(y, f);
                };
            }
            groups.add(y);
        }
        return groups.size() == 1 ? groups.get(0) : NDArrays.concat(groups, 0);
    }

    private NDArray blur(NDArray x, Random random) {
        int n = (int) x.getShape().get(0);
        NDManager m = x.getManager();
        float[] sigma = new float[n];
        for (int i = 0; i < n; i++) {
            sigma[i] = 0.1f + 1.9f * random.nextFloat();
        }
        int kernel = Math.max(3, size / 10 / 2 * 2 + 1);
        NDArray on = m.create(chosen(n, settings.blur(), random)).reshape(-1, 1, 1, 1);
        return ImageOps.blur(x, m.create(sigma), kernel).sub(x).mul(on).add(x);
    }

    private static float[] chosen(int n, double probability, Random random) {
        float[] c = new float[n];
        for (int i = 0; i < n; i++) {
            c[i] = random.nextDouble() < probability ? 1 : 0;
        }
        return c;
    }
}
