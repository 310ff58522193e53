package io.github.simclr4j.train.augment;

import io.github.simclr4j.train.data.ImageSet;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** A plain picture of images and their random views, without captions and in their own size; {@link ViewPicture} has both. */
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
     * @return an RGB picture on white
     * @throws IllegalArgumentException if there is nothing to draw
     */
    public static BufferedImage draw(ImageSet images, List<AugmentationPipeline> compositions, int count, int size, long seed) {
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
        column(grid, MARGIN, images, new ViewGenerator(AugmentationPipeline.of("none"), size), new long[rows]);
        SplittableRandom random = new SplittableRandom(seed);
        for (int c = 0; c < compositions.size(); c++) {
            ViewGenerator views = new ViewGenerator(compositions.get(c), size);
            for (int k = 0; k < count; k++) {
                int left = MARGIN + size + 2 * MARGIN + c * block + k * (size + MARGIN);
                column(grid, left, images, views, random.longs(rows).toArray());
            }
        }
        return grid;
    }

    private static void column(BufferedImage grid, int left, ImageSet images, ViewGenerator views, long[] seeds) {
        int size = views.size();
        int plane = size * size;
        for (int row = 0; row < seeds.length; row++) {
            float[] v = views.view(images.pixels().get(row), images.side(), seeds[row]);
            for (int i = 0; i < plane; i++) {
                grid.setRGB(left + i % size, MARGIN + row * (size + MARGIN) + i / size, rgb(v, i, plane));
            }
        }
    }

    /** Returns the colour of a pixel of a view, float32 [3, plane], as Java packs it. */
    static int rgb(float[] view, int pixel, int plane) {
        return level(view[pixel]) << 16 | level(view[pixel + plane]) << 8 | level(view[pixel + 2 * plane]);
    }

    private static int level(float value) {
        return Math.round(255 * value);
    }
}
