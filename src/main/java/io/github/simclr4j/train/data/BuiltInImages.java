// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import io.github.simclr4j.images.RgbImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * Synthetic images to try the library on: ten classes of 32x32 pixels, drawn from a seed.
 *
 * <p>Shape or texture makes the class. Colours, position, scale, background and noise are random and independent of the class.
 *
 * @since 0.1.0
 */
public final class BuiltInImages {
    /** Side in pixels. */
    public static final int SIZE = 32;

    private static final int SAMPLES = 3;

    /** A class: 1 inside the figure and 0 outside, in coordinates where the figure fills [-1, 1]. */
    private record Figure(String name, DoubleBinaryOperator inside) {}

    private static final List<Figure> FIGURES = List.of(
            new Figure("checks", (u, v) -> within(Math.hypot(u, v) < 1 && Math.sin(5.5 * u) * Math.sin(5.5 * v) > 0)),
            new Figure("cross", (u, v) -> within(Math.min(Math.abs(u), Math.abs(v)) < 0.26 && square(u, v) < 1)),
            new Figure("disc", (u, v) -> within(Math.hypot(u, v) < 0.95)),
            new Figure("dots", (u, v) -> within(Math.hypot(u, v) < 1.05 && Math.hypot(cell(u), cell(v)) < 0.2)),
            new Figure("frame", (u, v) -> within(square(u, v) < 0.9 && square(u, v) > 0.58)),
            new Figure("ring", (u, v) -> within(Math.hypot(u, v) < 1 && Math.hypot(u, v) > 0.64)),
            new Figure("square", (u, v) -> within(square(u, v) < 0.82)),
            new Figure("star", (u, v) -> within(Math.hypot(u, v) < 0.62 + 0.38 * Math.cos(5 * Math.atan2(u, v)))),
            new Figure("stripes", (u, v) -> within(Math.hypot(u, v) < 1 && Math.sin(9 * u) > 0)),
            new Figure("triangle", (u, v) -> within(v < 0.75 && v > 2 * Math.abs(u) - 0.95)));

    private BuiltInImages() {}

    private static double within(boolean inside) {
        return inside ? 1 : 0;
    }

    private static double square(double u, double v) {
        return Math.max(Math.abs(u), Math.abs(v));
    }

    private static double cell(double u) {
        return u - 0.55 * Math.round(u / 0.55);
    }

    /** Returns the class names, in order. */
    public static List<String> classNames() {
        return FIGURES.stream().map(Figure::name).toList();
    }

    /**
     * Draws one image of a class.
     *
     * @param figure index of the class, from 0
     * @param random source of all random choices
     */
    public static RgbImage draw(int figure, Random random) {
        double[] paper = colour(random);
        double[] ink;
        do {
            ink = colour(random);
        } while (Math.abs(luma(ink) - luma(paper)) < 0.25);
        double[] other = mix(paper, colour(random), 0.35);
        double slope = random.nextDouble() * 2 * Math.PI;
        double[] clutter = new double[] {
            random.nextDouble() * SIZE, random.nextDouble() * SIZE, 1.5 + 2 * random.nextDouble(),
            random.nextDouble() * SIZE, random.nextDouble() * SIZE, 1.5 + 2 * random.nextDouble()
        };
        double[] clutterColour = colour(random);
        double radius = 9 + 5 * random.nextDouble();
        double room = SIZE / 2.0 - radius;
        double cx = SIZE / 2.0 + room * (2 * random.nextDouble() - 1);
        double cy = SIZE / 2.0 + room * (2 * random.nextDouble() - 1);
        double noise = 0.02 + 0.06 * random.nextDouble();
        DoubleBinaryOperator inside = FIGURES.get(figure).inside();
        byte[] rgb = new byte[SIZE * SIZE * 3];
        for (int y = 0; y < SIZE; y++) {
            for (int x = 0; x < SIZE; x++) {
                double covered = 0;
                for (int k = 0; k < SAMPLES * SAMPLES; k++) {
                    covered += inside.applyAsDouble(
                            (x + (k % SAMPLES + 0.5) / SAMPLES - cx) / radius,
                            (y + (k / SAMPLES + 0.5) / SAMPLES - cy) / radius);
                }
                double across = (x * Math.cos(slope) + y * Math.sin(slope)) / (SIZE * 1.5) + 0.5;
                double[] c = mix(paper, other, Math.max(0, Math.min(1, across)));
                for (int k = 0; k < 6; k += 3) {
                    if (Math.hypot(x - clutter[k], y - clutter[k + 1]) < clutter[k + 2]) {
                        c = mix(c, clutterColour, 0.6);
                    }
                }
                c = mix(c, ink, covered / (SAMPLES * SAMPLES));
                for (int k = 0; k < 3; k++) {
                    double value = c[k] + noise * random.nextGaussian();
                    rgb[(y * SIZE + x) * 3 + k] = (byte) Math.round(255 * Math.max(0, Math.min(1, value)));
                }
            }
        }
        return new RgbImage(SIZE, SIZE, rgb);
    }

    /**
     * Writes PNG files {@code folder/class/0000.png} and replaces those of an earlier call.
     *
     * @param folder the folder, which is created if it does not exist
     * @param perClass images per class, at least 1
     * @param seed seed of all random choices
     * @throws IllegalArgumentException if {@code perClass} is below 1
     * @throws IOException if the folder holds other files or cannot be written
     */
    public static void write(Path folder, int perClass, long seed) throws IOException {
        if (perClass < 1) {
            throw new IllegalArgumentException("The number of images per class must be at least 1, found " + perClass);
        }
        clear(folder);
        for (int f = 0; f < FIGURES.size(); f++) {
            Path sub = Files.createDirectories(folder.resolve(FIGURES.get(f).name()));
            Random random = new Random(seed * 31 + f);
            for (int i = 0; i < perClass; i++) {
                RgbImage image = draw(f, random);
                BufferedImage out = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
                for (int p = 0; p < SIZE * SIZE; p++) {
                    byte[] b = image.rgb();
                    out.setRGB(
                            p % SIZE,
                            p / SIZE,
                            (b[3 * p] & 255) << 16 | (b[3 * p + 1] & 255) << 8 | b[3 * p + 2] & 255);
                }
                ImageIO.write(
                        out,
                        "png",
                        sub.resolve(String.format(Locale.ROOT, "%04d.png", i)).toFile());
            }
        }
    }

    private static void clear(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return;
        }
        List<Path> old;
        try (Stream<Path> files = Files.walk(folder)) {
            old = files.filter(f -> !Files.isDirectory(f)).toList();
        }
        for (Path f : old) {
            Path name = folder.relativize(f);
            boolean ours = name.getNameCount() == 2
                    && classNames().contains(name.getName(0).toString())
                    && name.getName(1).toString().matches("\\d{4,}\\.png");
            if (!ours) {
                throw new IOException(folder + " holds files other than the built-in images, such as " + name
                        + ": choose another folder");
            }
        }
        for (Path f : old) {
            Files.delete(f);
        }
    }

    private static double[] colour(Random random) {
        return new double[] {random.nextDouble(), random.nextDouble(), random.nextDouble()};
    }

    private static double luma(double[] c) {
        return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2];
    }

    private static double[] mix(double[] a, double[] b, double share) {
        return new double[] {a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])};
    }
}
