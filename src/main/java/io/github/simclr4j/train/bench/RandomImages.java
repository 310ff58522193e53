// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A source of random JPEG images in memory, which are decoded on reading, like files. A few distinct images are drawn and repeated. The
 * images have ten classes.
 *
 * @since 0.1.0
 */
public final class RandomImages implements ImageSource {
    private static final int DRAWN = 64;
    private static final int CLASSES = 10;
    private static final int SHAPES = 12;

    private final int count;
    private final int side;
    private final long seed;
    private final List<byte[]> files = new ArrayList<>();

    /**
     * Draws images.
     *
     * @param count number of images, at least 1
     * @param side side of the images in pixels, at least 1
     * @param seed seed of the content
     */
    public RandomImages(int count, int side, long seed) {
        if (count < 1 || side < 1) {
            throw new IllegalArgumentException(
                    "Expected at least one image of at least one pixel, found " + count + " of " + side);
        }
        this.count = count;
        this.side = side;
        this.seed = seed;
        Random random = new Random(seed);
        for (int i = 0; i < Math.min(count, DRAWN); i++) {
            files.add(draw(side, random));
        }
    }

    private static byte[] draw(int side, Random random) {
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setPaint(new GradientPaint(0, 0, colour(random), side, side, colour(random)));
        g.fillRect(0, 0, side, side);
        for (int s = 0; s < SHAPES; s++) {
            g.setColor(colour(random));
            int size = 1 + random.nextInt(Math.max(1, side / 2));
            g.fillOval(random.nextInt(side), random.nextInt(side), size, 1 + random.nextInt(size));
        }
        g.dispose();
        return Images.encode(image, "jpg");
    }

    private static Color colour(Random random) {
        return new Color(random.nextInt(1 << 24));
    }

    @Override
    public int size() {
        return count;
    }

    @Override
    public String name(int i) {
        return "random.jpg#" + i;
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        return Images.read(files.get(i % files.size()), size);
    }

    @Override
    public OptionalInt label(int i) {
        return OptionalInt.of(i % CLASSES);
    }

    @Override
    public List<String> classes() {
        return IntStream.range(0, CLASSES).mapToObj(Integer::toString).toList();
    }

    @Override
    public String fingerprint() {
        return "random " + count + " " + side + " " + seed;
    }

    @Override
    public void close() {}
}
