// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.testing;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.util.Progress;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/** Image files, and views as images. */
public final class Pictures {
    private Pictures() {}

    /** Writes images of noise in blocks, 00.png and so on. */
    public static Path write(Path folder, int count, int width, int height) throws IOException {
        Files.createDirectories(folder);
        Random random = new Random(4);
        for (int i = 0; i < count; i++) {
            BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            for (int y = 0; y < height; y += 8) {
                for (int x = 0; x < width; x += 8) {
                    int rgb = random.nextInt(1 << 24);
                    for (int p = 0; p < 64; p++) {
                        image.setRGB(x + p % 8, y + p / 8, rgb);
                    }
                }
            }
            ImageIO.write(
                    image, "png", folder.resolve(String.format("%02d.png", i)).toFile());
        }
        return folder;
    }

    /** Reads a source into memory. */
    public static ImageSet read(ImageSource source, int imageSize) throws IOException {
        return ImageSet.of(ResidentImages.read(source, imageSize, Progress.NONE), source);
    }

    /** Returns views in [0, 1], [n, 3, side, side], as images. */
    public static List<RgbImage> of(NDArray views) {
        int n = (int) views.getShape().get(0);
        int side = (int) views.getShape().get(2);
        float[] x = views.toFloatArray();
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            byte[] rgb = new byte[3 * side * side];
            for (int k = 0; k < rgb.length; k++) {
                rgb[k] = (byte) Math.round(255 * x[(3 * i + k % 3) * side * side + k / 3]);
            }
            images.add(new RgbImage(side, side, rgb));
        }
        return images;
    }
}
