// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.util.Arrays;

/**
 * One of the three planes of a VP8 frame, in whole macroblocks, with the border that predictions use: 127 above and 129 to the left (RFC
 * 6386, section 12.2).
 */
final class WebPVp8Plane {
    /** Width of the border: one column to the left, and four pixels above and to the right. */
    private static final int BORDER = 5;

    final byte[] data;
    final int stride;

    /** Creates a plane; {@code width} and {@code height} are in pixels, rounded up to whole macroblocks. */
    WebPVp8Plane(int width, int height) {
        stride = width + BORDER;
        data = new byte[Math.multiplyExact(stride, height + 1)];
        Arrays.fill(data, 0, stride, (byte) 127);
        for (int y = 1; y <= height; y++) {
            data[y * stride] = (byte) 129;
        }
    }

    /** Returns the index of a pixel in {@link #data}. */
    int at(int x, int y) {
        return (y + 1) * stride + x + 1;
    }
}
