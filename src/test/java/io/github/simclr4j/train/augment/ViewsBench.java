// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/**
 * How many views one thread makes in a second. {@code src/test/python/views_bench.py} measures the same of torchvision.
 *
 * <p>Arguments: a folder of JPEG photographs of 32x32 pixels, for example those of CIFAR-10; rounds, 7 unless told; seconds of a
 * round, 2 unless told. The rate of the CPU leaves out the time that other programs took. Images are decoded beforehand; 256x256 ones are the same photographs, enlarged.
 */
final class ViewsBench {
    private static final int PHOTOS = 512;

    private ViewsBench() {}

    private record Setting(String name, ViewGenerator generator, int side, List<byte[]> images) {}

    public static void main(String[] args) throws IOException {
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 7;
        double seconds = args.length > 2 ? Double.parseDouble(args[2]) : 2;
        List<BufferedImage> photos = photos(Path.of(args[0]));
        List<Setting> settings = List.of(
                new Setting(
                        "simclr-cifar, 32 -> 32",
                        new ViewGenerator(AugmentationPipeline.of("simclr-cifar"), 32),
                        32,
                        photos.stream().map(p -> pixels(p, 32)).toList()),
                new Setting(
                        "simclr, 256 -> 224",
                        new ViewGenerator(AugmentationPipeline.of("simclr"), 224),
                        256,
                        photos.stream().map(p -> pixels(p, 256)).toList()));
        List<List<Double>> clock = List.of(new ArrayList<>(), new ArrayList<>());
        List<List<Double>> processor = List.of(new ArrayList<>(), new ArrayList<>());
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long seed = 1;
        for (int r = -1; r < rounds; r++) {
            for (int s = 0; s < settings.size(); s++) {
                Setting setting = settings.get(s);
                FloatBuffer out = ByteBuffer.allocateDirect(
                                16 * 4 * setting.generator().values())
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer();
                int made = 0;
                long cpu = threads.getCurrentThreadCpuTime();
                long start = System.nanoTime();
                while (System.nanoTime() - start < seconds * 1e9) {
                    for (int i = 0; i < 16; i++, made++) {
                        setting.generator()
                                .view(
                                        setting.images()
                                                .get(made % setting.images().size()),
                                        setting.side(),
                                        seed++,
                                        out,
                                        i * setting.generator().values());
                    }
                }
                if (r >= 0) {
                    clock.get(s).add(made / ((System.nanoTime() - start) / 1e9));
                    processor.get(s).add(made / ((threads.getCurrentThreadCpuTime() - cpu) / 1e9));
                }
            }
        }
        for (int s = 0; s < settings.size(); s++) {
            System.out.printf(
                    Locale.ROOT,
                    "simclr4j, %s: %s of the clock, %s of the CPU%n",
                    settings.get(s).name(),
                    summary(clock.get(s)),
                    summary(processor.get(s)));
        }
    }

    private static String summary(List<Double> rates) {
        double[] sorted = rates.stream().mapToDouble(d -> d).sorted().toArray();
        return String.format(
                Locale.ROOT,
                "%.0f views/s (quartiles %.0f to %.0f)",
                quantile(sorted, 0.5),
                quantile(sorted, 0.25),
                quantile(sorted, 0.75));
    }

    /** Interpolates linearly, as {@code statistics.quantiles(method="inclusive")} of Python. */
    private static double quantile(double[] sorted, double q) {
        double place = q * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    private static List<BufferedImage> photos(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(f -> f.toString().endsWith(".jpg")).sorted().toList();
        }
        int step = Math.max(1, files.size() / PHOTOS);
        return Stream.iterate(0, i -> i < files.size(), i -> i + step)
                .limit(PHOTOS)
                .map(i -> {
                    try {
                        return ImageIO.read(files.get(i).toFile());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .toList();
    }

    /** The image, enlarged, as uint8 [side, side, 3]. */
    private static byte[] pixels(BufferedImage photo, int side) {
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        g.drawImage(photo, 0, 0, side, side, null);
        g.dispose();
        byte[] bytes = new byte[3 * side * side];
        for (int i = 0; i < side * side; i++) {
            int rgb = image.getRGB(i % side, i / side);
            bytes[3 * i] = (byte) (rgb >> 16);
            bytes[3 * i + 1] = (byte) (rgb >> 8);
            bytes[3 * i + 2] = (byte) rgb;
        }
        return bytes;
    }
}
