package io.github.simclr4j.images.format;

import java.util.Arrays;

/**
 * One of the three planes of a VP8 frame, in whole macroblocks, with the border that predictions look at: 127 above, 129 to the
 * left (RFC 6386, section 12.2).
 */
final class WebPVp8Plane {
    /** One column of border to the left, and four pixels above the right. */
    private static final int BORDER = 5;

    final byte[] data;
    final int stride;

    /** {@code width} and {@code height} are those of whole macroblocks, in pixels. */
    WebPVp8Plane(int width, int height) {
        stride = width + BORDER;
        data = new byte[Math.multiplyExact(stride, height + 1)];
        Arrays.fill(data, 0, stride, (byte) 127);
        for (int y = 1; y <= height; y++) {
            data[y * stride] = (byte) 129;
        }
    }

    /** Returns where a pixel is in {@link #data}. */
    int at(int x, int y) {
        return (y + 1) * stride + x + 1;
    }
}
