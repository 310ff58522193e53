// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.internal.Samples;
import java.awt.image.Raster;

/** Converts the four components of CMYK and YCCK JPEGs, which by Adobe's convention are 255 minus the ink. */
final class JpegInks {
    private static final int BITS = 16;
    private static final int HALF = 1 << BITS - 1;

    private JpegInks() {}

    /**
     * Converts an image to RGB.
     *
     * @param raster the four components as stored
     * @param ycck whether the first three components are luma and chroma of RGB, whose complement is CMY, as in libjpeg
     */
    static RgbImage toRgb(Raster raster, boolean ycck) {
        int w = raster.getWidth();
        int h = raster.getHeight();
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(w, h))];
        int[] line = new int[4 * w];
        int q = 0;
        for (int y = 0; y < h; y++) {
            raster.getPixels(0, y, w, 1, line);
            for (int p = 0; p < line.length; p += 4) {
                if (ycck) {
                    toCmy(line, p);
                }
                for (int c = 0; c < 3; c++) {
                    rgb[q++] = Samples.over(line[p + c], line[p + 3]);
                }
            }
        }
        return new RgbImage(w, h, rgb);
    }

    /** Converts by JFIF's formula (JFIF 1.02, page 3) with 16 fractional bits, and takes the complement. */
    private static void toCmy(int[] line, int p) {
        int luma = line[p];
        int cb = line[p + 1] - 128;
        int cr = line[p + 2] - 128;
        line[p] = complement(luma + (fixed(1.402) * cr + HALF >> BITS));
        line[p + 1] = complement(luma + (-fixed(0.34414) * cb - fixed(0.71414) * cr + HALF >> BITS));
        line[p + 2] = complement(luma + (fixed(1.772) * cb + HALF >> BITS));
    }

    private static int fixed(double x) {
        return (int) (x * (1 << BITS) + 0.5);
    }

    private static int complement(int value) {
        return 255 - Math.max(0, Math.min(255, value));
    }
}
