// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Arrays;

/** Decodes the opacity of lossy WebP images (<a href="https://www.rfc-editor.org/rfc/rfc9649">RFC 9649</a>, section 2.7.1.2). */
final class WebPAlpha {
    private WebPAlpha() {}

    /**
     * Decodes the payload of an ALPH chunk.
     *
     * @param data an array with the payload from {@code from} to {@code end - 1}
     * @return the opacity, [height, width], 0 to 255
     */
    static byte[] decode(byte[] data, int from, int end, int width, int height) throws IOException {
        int kind = end > from ? data[from] & 255 : 0;
        int compression = kind & 3;
        if (end <= from || compression > 1 || (kind >> 4 & 3) > 1 || kind >> 6 != 0) {
            throw new IOException("damaged WebP image: its opacity is stored in an unknown way");
        }
        int pixels = width * height;
        byte[] alpha;
        if (compression == 0) {
            if (end - from - 1 < pixels) {
                throw new IOException("damaged or cut WebP image: its opacity ends before the last pixel");
            }
            alpha = Arrays.copyOfRange(data, from + 1, from + 1 + pixels);
        } else {
            int[] argb = WebPLossless.decode(new WebPLosslessBits(data, from + 1, end), width, height);
            alpha = new byte[pixels];
            for (int i = 0; i < pixels; i++) {
                alpha[i] = (byte) (argb[i] >> 8);
            }
        }
        unfilter(alpha, width, height, kind >> 2 & 3);
        return alpha;
    }

    private static void unfilter(byte[] a, int width, int height, int filter) {
        if (filter == 0) {
            return;
        }
        for (int x = 1; x < width; x++) {
            a[x] += a[x - 1];
        }
        for (int row = width; row < width * height; row += width) {
            a[row] += a[row - width];
            for (int i = row + 1; i < row + width; i++) {
                int left = a[i - 1] & 255;
                int top = a[i - width] & 255;
                int prediction = switch (filter) {
                    case 1 -> left;
                    case 2 -> top;
                    default -> Math.max(0, Math.min(255, left + top - (a[i - width - 1] & 255)));
                };
                a[i] += (byte) prediction;
            }
        }
    }
}
