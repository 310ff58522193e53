// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/** Converts YCbCr to RGB with the integer arithmetic of libjpeg and libtiff, so that the results are the same. */
final class TiffYcc {
    private static final int HALF = 1 << 15;

    private final int redOfCr;
    private final int greenOfCr;
    private final int blueOfCb;
    private final int greenOfCb;
    /** The values of codes 0 to 255 of luma, Cb and Cr. */
    private final int[][] values = new int[3][256];

    private TiffYcc(int redOfCr, int greenOfCr, int blueOfCb, int greenOfCb) {
        this.redOfCr = redOfCr;
        this.greenOfCr = greenOfCr;
        this.blueOfCb = blueOfCb;
        this.greenOfCb = greenOfCb;
    }

    /** Returns the conversion of JFIF, which applies to JPEG compression regardless of the directory, as in libtiff. */
    static TiffYcc jpeg() {
        TiffYcc ycc = new TiffYcc(91881, 46802, 116130, 22554);
        for (int i = 0; i < 256; i++) {
            ycc.values[0][i] = i;
            ycc.values[1][i] = ycc.values[2][i] = i - 128;
        }
        return ycc;
    }

    /**
     * Returns the conversion that a directory describes (TIFF 6.0, section 21). The default is that of CCIR 601-1 with full range.
     *
     * @throws IOException if its coefficients are invalid
     */
    static TiffYcc of(TiffDirectory d) throws IOException {
        double red = d.realOr(TiffTag.YCBCR_COEFFICIENTS, 0, 0.299);
        double green = d.realOr(TiffTag.YCBCR_COEFFICIENTS, 1, 0.587);
        double blue = d.realOr(TiffTag.YCBCR_COEFFICIENTS, 2, 0.114);
        if (!(red >= 0 && red <= 1 && green > 0 && green <= 1 && blue >= 0 && blue <= 1)) {
            throw new IOException("damaged image: the YCbCr coefficients are not from 0 to 1");
        }
        TiffYcc ycc = new TiffYcc(
                fixed(2 - 2 * red),
                fixed(red * (2 - 2 * red) / green),
                fixed(2 - 2 * blue),
                fixed(blue * (2 - 2 * blue) / green));
        double[] range = {0, 255, 128, 255, 128, 255};
        for (int i = 0; i < range.length; i++) {
            range[i] = d.realOr(TiffTag.REFERENCE_BLACK_WHITE, i, range[i]);
        }
        for (int k = 0; k < 3; k++) {
            double width = range[2 * k + 1] - range[2 * k];
            for (int i = 0; i < 256; i++) {
                double value = (i - range[2 * k]) * (k == 0 ? 255 : 127) / (width == 0 ? 1 : width);
                ycc.values[k][i] = (int) Math.max(-512, Math.min(512, value));
            }
        }
        return ycc;
    }

    private static int fixed(double factor) {
        return (int) (Math.min(factor, 2) * 65536 + 0.5);
    }

    /** Converts a pixel, and writes three bytes at an index. */
    void convert(int luma, int blue, int red, byte[] rgb, int at) {
        int y = values[0][luma];
        int cb = values[1][blue];
        int cr = values[2][red];
        rgb[at] = limit(y + (redOfCr * cr + HALF >> 16));
        rgb[at + 1] = limit(y + (-greenOfCb * cb - greenOfCr * cr + HALF >> 16));
        rgb[at + 2] = limit(y + (blueOfCb * cb + HALF >> 16));
    }

    private static byte limit(int value) {
        return (byte) Math.max(0, Math.min(255, value));
    }
}
