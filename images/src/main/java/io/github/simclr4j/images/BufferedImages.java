// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import io.github.simclr4j.images.internal.Samples;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.DirectColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/** Converts Java's images to RGB bytes without Java's colour management. */
final class BufferedImages {
    private BufferedImages() {}

    /** Converts an image as described at {@link Images#of}. */
    static RgbImage toRgb(BufferedImage image) {
        int w = image.getWidth();
        int h = image.getHeight();
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(w, h))];
        Raster raster = image.getRaster();
        boolean whole = raster.getDataBuffer() instanceof DataBufferByte b
                && b.getData().length == rgb.length
                && b.getNumBanks() == 1;
        if (image.getType() == BufferedImage.TYPE_3BYTE_BGR && whole) {
            byte[] bgr = ((DataBufferByte) raster.getDataBuffer()).getData();
            for (int i = 0; i < rgb.length; i += 3) {
                rgb[i] = bgr[i + 2];
                rgb[i + 1] = bgr[i + 1];
                rgb[i + 2] = bgr[i];
            }
            return new RgbImage(w, h, rgb);
        }
        ColorModel model = image.getColorModel();
        if (model instanceof IndexColorModel || model instanceof DirectColorModel) {
            packed(image, rgb);
        } else {
            components(raster, model, rgb);
        }
        return new RgbImage(w, h, rgb);
    }

    private static void packed(BufferedImage image, byte[] rgb) {
        int w = image.getWidth();
        int[] line = new int[w];
        int q = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, w, 1, line, 0, w);
            for (int argb : line) {
                int a = argb >>> 24;
                // getRGB returns values that are not premultiplied.
                rgb[q++] = Samples.over(argb >> 16 & 255, a);
                rgb[q++] = Samples.over(argb >> 8 & 255, a);
                rgb[q++] = Samples.over(argb & 255, a);
            }
        }
    }

    private static void components(Raster raster, ColorModel model, byte[] rgb) {
        int type = model.getTransferType();
        int space = model.getColorSpace().getType();
        boolean alpha = model.hasAlpha();
        int colours = model.getNumColorComponents();
        boolean known = space == ColorSpace.TYPE_GRAY && colours == 1
                || space == ColorSpace.TYPE_RGB && colours == 3
                || space == ColorSpace.TYPE_CMYK && colours == 4;
        if (!known || type != DataBuffer.TYPE_BYTE && type != DataBuffer.TYPE_USHORT) {
            throw new IllegalArgumentException(
                    "expected 8 or 16 bits of grey, RGB or CMYK, found " + colours + " components of " + model);
        }
        int bands = raster.getNumBands();
        int[] bits = model.getComponentSize();
        boolean multiply = alpha && !model.isAlphaPremultiplied();
        int[] line = new int[raster.getWidth() * bands];
        int q = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, line);
            for (int p = 0; p < line.length; p += bands) {
                int opacity = multiply ? Samples.eight(line[p + colours], bits[colours]) : 255;
                if (colours == 4) {
                    int k = 255 - Samples.eight(line[p + 3], bits[3]);
                    for (int c = 0; c < 3; c++) {
                        rgb[q++] =
                                Samples.over(Samples.over(255 - Samples.eight(line[p + c], bits[c]), k) & 255, opacity);
                    }
                } else {
                    for (int c = 0; c < 3; c++) {
                        int band = colours == 1 ? 0 : c;
                        rgb[q++] = Samples.over(Samples.eight(line[p + band], bits[band]), opacity);
                    }
                }
            }
        }
    }
}
