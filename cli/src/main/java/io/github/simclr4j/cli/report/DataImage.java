// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import java.awt.image.BufferedImage;
import java.util.Base64;
import java.util.List;

/** Encodes images as {@code data:} URIs for self-contained pages. */
public final class DataImage {
    /** The longer side of a thumbnail in pixels. */
    private static final int LONGEST = 112;

    /** The longer side in pixels up to which an image is shown without scaling. */
    private static final int SMALL = 64;

    private DataImage() {}

    /** Returns a small image losslessly as PNG, and a {@link #thumbnail} of a larger one. */
    public static String exact(RgbImage image) {
        return Math.max(image.width(), image.height()) <= SMALL ? encoded(image, "png") : thumbnail(image);
    }

    /** Returns a thumbnail of an image as JPEG; a small image keeps its size. */
    public static String thumbnail(RgbImage image) {
        int longest = Math.max(image.width(), image.height());
        int width = Math.max(8, image.width() * Math.min(LONGEST, longest) / longest);
        int height = Math.max(8, image.height() * Math.min(LONGEST, longest) / longest);
        return encoded(
                new Preprocessing(
                                height,
                                width,
                                Preprocessing.Resize.STRETCH,
                                0,
                                Preprocessing.Interpolation.BILINEAR,
                                Preprocessing.Channels.RGB,
                                null)
                        .apply(image),
                "jpeg");
    }

    /** Returns the central square of an image, resized to a side in pixels. */
    public static RgbImage square(RgbImage image, int side) {
        return new Preprocessing(
                        side,
                        side,
                        Preprocessing.Resize.CENTER_SQUARE,
                        0,
                        Preprocessing.Interpolation.BILINEAR,
                        Preprocessing.Channels.RGB,
                        null)
                .apply(image);
    }

    /**
     * Returns a contact sheet as JPEG: tiles of equal size from left to right, row by row.
     *
     * @param images at least one image; the central square of each fills a tile
     * @param columns tiles per row
     * @param tile side of a tile in pixels
     */
    public static String sheet(List<RgbImage> images, int columns, int tile) {
        int rows = (images.size() + columns - 1) / columns;
        byte[] sheet = new byte[3 * columns * tile * rows * tile];
        for (int i = 0; i < images.size(); i++) {
            byte[] rgb = square(images.get(i), tile).rgb();
            int corner = 3 * ((i / columns * tile) * columns * tile + i % columns * tile);
            for (int y = 0; y < tile; y++) {
                System.arraycopy(rgb, 3 * y * tile, sheet, corner + 3 * y * columns * tile, 3 * tile);
            }
        }
        return encoded(new RgbImage(columns * tile, rows * tile, sheet), "jpeg");
    }

    private static String encoded(RgbImage image, String format) {
        BufferedImage buffered = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = image.rgb();
        for (int i = 0; i < image.width() * image.height(); i++) {
            buffered.setRGB(
                    i % image.width(),
                    i / image.width(),
                    (rgb[3 * i] & 255) << 16 | (rgb[3 * i + 1] & 255) << 8 | rgb[3 * i + 2] & 255);
        }
        return "data:image/" + format + ";base64,"
                + Base64.getEncoder().encodeToString(Images.encode(buffered, format));
    }
}
