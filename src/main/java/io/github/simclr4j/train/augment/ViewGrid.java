package io.github.simclr4j.train.augment;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.Pretrainer;
import io.github.simclr4j.train.data.Feed;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** A picture of images and their random views, to see what an encoder is trained on. */
public final class ViewGrid {
    /** Pixels between two views; twice as many after the original and between compositions. */
    private static final int MARGIN = 2;

    private ViewGrid() {}

    /**
     * Draws a row an image: the image, then views of it by each composition.
     *
     * @param images at least one
     * @param compositions how the views are made; at least one
     * @param count views of each image by each composition, at least 1
     * @param size side of the views in pixels
     * @param seed of the views
     * @param device {@code auto}, {@code cpu}, {@code gpu} or {@code gpu:N}, as for {@link Pretrainer}
     * @param threads threads on the CPU, 0 for libtorch's own choice
     * @param progress is told which device draws
     * @return an RGB picture on white
     * @throws IllegalArgumentException if there is nothing to draw, or the device's name is none of these
     * @throws IllegalStateException if a GPU is asked for and there is none
     */
    public static BufferedImage draw(
            ImageSet images, List<Composition> compositions, int count, int size, long seed, String device,
            int threads, Progress progress) {
        int rows = images.pixels().size();
        if (rows == 0 || compositions.isEmpty() || count < 1) {
            throw new IllegalArgumentException("Expected at least one image, composition and view, found " + rows
                    + ", " + compositions.size() + " and " + count);
        }
        int block = count * (size + MARGIN) + MARGIN;
        BufferedImage grid = new BufferedImage(size + MARGIN + compositions.size() * block + MARGIN,
                rows * (size + MARGIN) + MARGIN, BufferedImage.TYPE_INT_RGB);
        IntStream.range(0, grid.getHeight()).forEach(y -> IntStream.range(0, grid.getWidth())
                .forEach(x -> grid.setRGB(x, y, 0xffffff)));
        Device where = Torch.device(device, progress);
        Torch.threads(threads);
        Torch.noGradient();
        SplittableRandom random = new SplittableRandom(seed);
        try (NDManager all = Torch.engine().newBaseManager(where)) {
            NDArray x = all(images, all);
            column(grid, MARGIN, size, new Views(new Composition(List.of()), size).view(x, new long[rows]));
            for (int c = 0; c < compositions.size(); c++) {
                Views views = new Views(compositions.get(c), size);
                for (int k = 0; k < count; k++) {
                    long[] seeds = random.longs(rows).toArray();
                    try (NDManager m = all.newSubManager()) {
                        x.tempAttach(m);
                        int left = MARGIN + size + 2 * MARGIN + c * block + k * (size + MARGIN);
                        column(grid, left, size, views.view(x, seeds));
                    }
                }
            }
        }
        return grid;
    }

    private static NDArray all(ImageSet images, NDManager manager) {
        int[] order = IntStream.range(0, images.count()).toArray();
        try (Feed.Resident feed = new Feed.Resident(images, manager)) {
            feed.begin(order, order.length, 0);
            feed.next();
            return feed.images(manager, order);
        }
    }

    private static void column(BufferedImage grid, int left, int size, NDArray views) {
        float[] values = views.toFloatArray();
        int plane = size * size;
        for (int i = 0; i < values.length / 3; i++) {
            int image = i / plane;
            int pixel = i % plane;
            int at = image * 3 * plane + pixel;
            int rgb = level(values[at]) << 16 | level(values[at + plane]) << 8 | level(values[at + 2 * plane]);
            grid.setRGB(left + pixel % size, MARGIN + image * (size + MARGIN) + pixel / size, rgb);
        }
    }

    private static int level(float value) {
        return Math.round(255 * value);
    }
}
