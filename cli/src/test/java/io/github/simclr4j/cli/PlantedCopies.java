// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;

/** Copies of photographs that are other files with other pixels: re-encoded, resized, cropped to 90% of the sides or recoloured. */
final class PlantedCopies {
    static final List<String> KINDS = List.of("reencoded", "resized", "cropped", "recoloured");

    private PlantedCopies() {}

    /**
     * Writes copies of some images, as many of each kind.
     *
     * @param originals image files to choose from, each copied once at most
     * @param folder where the copies go
     * @return the original of each copy
     */
    static Map<Path, Path> write(List<Path> originals, Path folder, int count, long seed) throws IOException {
        Random random = new Random(seed);
        List<Path> order = new ArrayList<>(originals);
        Collections.shuffle(order, random);
        Files.createDirectories(folder);
        Map<Path, Path> originalOf = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String kind = KINDS.get(i % KINDS.size());
            BufferedImage image = ImageIO.read(order.get(i).toFile());
            Path file = folder.resolve(String.format("%s-%04d.jpg", kind, i));
            BufferedImage copy = switch (kind) {
                case "resized" -> {
                    int width = image.getWidth() * (75 + random.nextInt(126)) / 100;
                    yield draw(
                            image,
                            0,
                            0,
                            image.getWidth(),
                            image.getHeight(),
                            width,
                            width * image.getHeight() / image.getWidth());
                }
                case "cropped" -> {
                    int w = (int) Math.round(0.9 * image.getWidth());
                    int h = (int) Math.round(0.9 * image.getHeight());
                    yield draw(
                            image,
                            random.nextInt(image.getWidth() - w + 1),
                            random.nextInt(image.getHeight() - h + 1),
                            w,
                            h,
                            w,
                            h);
                }
                case "recoloured" -> recolour(image, random);
                default -> image;
            };
            jpeg(copy, file, kind.equals("reencoded") ? 0.4f + 0.5f * random.nextFloat() : 0.9f);
            originalOf.put(file, order.get(i));
        }
        return originalOf;
    }

    private static BufferedImage draw(BufferedImage from, int x, int y, int w, int h, int width, int height) {
        BufferedImage to = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = to.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        g.drawImage(from, 0, 0, width, height, x, y, x + w, y + h, null);
        g.dispose();
        return to;
    }

    /** Hue by up to 36 degrees, saturation from none to 1.6 times, contrast and brightness by up to 40%; values are cut off. */
    private static BufferedImage recolour(BufferedImage from, Random random) {
        float hue = (random.nextFloat() - 0.5f) * 0.2f;
        float saturation = random.nextFloat() * 1.6f;
        float contrast = 0.6f + 0.8f * random.nextFloat();
        float brightness = 0.6f + 0.8f * random.nextFloat();
        BufferedImage to = new BufferedImage(from.getWidth(), from.getHeight(), BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < to.getHeight(); y++) {
            for (int x = 0; x < to.getWidth(); x++) {
                int rgb = from.getRGB(x, y);
                float[] hsb = java.awt.Color.RGBtoHSB(rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255, null);
                int turned = java.awt.Color.HSBtoRGB(hsb[0] + hue, Math.min(1, hsb[1] * saturation), hsb[2]);
                int out = 0;
                for (int shift = 16; shift >= 0; shift -= 8) {
                    float v = ((turned >> shift & 255) - 128) * contrast + 128 * brightness;
                    out |= Math.max(0, Math.min(255, Math.round(v))) << shift;
                }
                to.setRGB(x, y, out);
            }
        }
        return to;
    }

    private static void jpeg(BufferedImage image, Path file, float quality) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ImageWriteParam param = writer.getDefaultWriteParam();
        param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        param.setCompressionQuality(quality);
        BufferedImage rgb = draw(image, 0, 0, image.getWidth(), image.getHeight(), image.getWidth(), image.getHeight());
        try (var out = ImageIO.createImageOutputStream(file.toFile())) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(rgb, null, null), param);
        } finally {
            writer.dispose();
        }
    }
}
