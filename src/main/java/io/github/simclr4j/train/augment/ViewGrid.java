// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import io.github.simclr4j.train.data.ImageSet;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Draws images beside their random views in original size and without captions; {@link ViewPicture} draws enlarged captioned views.
 *
 * @since 0.1.0
 */
public final class ViewGrid {
    /** Space between two views in pixels; it is doubled after the original and between compositions. */
    private static final int MARGIN = 2;

    private ViewGrid() {}

    /**
     * Draws one row per image: the image, then its views by each composition.
     *
     * @param images at least one image
     * @param compositions at least one composition
     * @param count views per image and composition, at least 1
     * @param size side of the views in pixels
     * @param seed seed of the views
     * @return an RGB picture on white
     * @throws IllegalArgumentException if there is nothing to draw
     */
    public static BufferedImage draw(
            ImageSet images, List<AugmentationPipeline> compositions, int count, int size, long seed) {
        int rows = images.pixels().size();
        if (rows == 0 || compositions.isEmpty() || count < 1) {
            throw new IllegalArgumentException("Expected at least one image, composition and view, found " + rows + ", "
                    + compositions.size() + " and " + count);
        }
        int block = count * (size + MARGIN) + MARGIN;
        BufferedImage grid = new BufferedImage(
                size + MARGIN + compositions.size() * block + MARGIN,
                rows * (size + MARGIN) + MARGIN,
                BufferedImage.TYPE_INT_RGB);
        IntStream.range(0, grid.getHeight())
                .forEach(y -> IntStream.range(0, grid.getWidth()).forEach(x -> grid.setRGB(x, y, 0xffffff)));
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

    /** Returns the colour of a pixel of a view, float32 [3, plane], as packed RGB. */
    static int rgb(float[] view, int pixel, int plane) {
        return level(view[pixel]) << 16 | level(view[pixel + plane]) << 8 | level(view[pixel + 2 * plane]);
    }

    private static int level(float value) {
        return Math.round(255 * value);
    }
}
