// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/**
 * Converts VP8's planes to RGB. The specification does not prescribe how chroma is interpolated; the results are exactly those of libwebp's
 * "fancy upsampling".
 */
final class WebPColours {
    private WebPColours() {}

    /** Returns the pixels, [height, width, 3]. */
    static byte[] rgb(WebPVp8Plane luma, WebPVp8Plane u, WebPVp8Plane v, int width, int height) {
        byte[] rgb = new byte[Math.multiplyExact(3, Math.multiplyExact(width, height))];
        int halfWidth = width + 1 >> 1;
        int halfHeight = height + 1 >> 1;
        int[] blue = new int[halfWidth + 2];
        int[] red = new int[halfWidth + 2];
        for (int y = 0; y < height; y++) {
            int near = y >> 1;
            int far = Math.max(0, Math.min(halfHeight - 1, (y & 1) == 0 ? near - 1 : near + 1));
            blend(u, near, far, halfWidth, blue);
            blend(v, near, far, halfWidth, red);
            row(luma.data, luma.at(0, y), blue, red, width, rgb, 3 * y * width);
        }
        return rgb;
    }

    /** Computes 4 times the sum of 3/4 of a row and 1/4 of the next one; the first and last values are repeated at the ends. */
    private static void blend(WebPVp8Plane plane, int near, int far, int width, int[] out) {
        byte[] p = plane.data;
        int a = plane.at(0, near);
        int b = plane.at(0, far);
        for (int x = 0; x < width; x++) {
            out[x + 1] = 3 * (p[a + x] & 255) + (p[b + x] & 255);
        }
        out[0] = out[1];
        out[width + 1] = out[width];
    }

    private static void row(byte[] luma, int at, int[] blue, int[] red, int width, byte[] rgb, int out) {
        int u = blue[1];
        int v = red[1];
        for (int x = 0, half = 1; x < width; x += 2, half++) {
            pixel(luma[at + x], 3 * u + blue[half - 1] + 8 >> 4, 3 * v + red[half - 1] + 8 >> 4, rgb, out + 3 * x);
            int nextU = blue[half + 1];
            int nextV = red[half + 1];
            if (x + 1 < width) {
                pixel(luma[at + x + 1], 3 * u + nextU + 8 >> 4, 3 * v + nextV + 8 >> 4, rgb, out + 3 * x + 3);
            }
            u = nextU;
            v = nextV;
        }
    }

    private static void pixel(byte luma, int u, int v, byte[] rgb, int out) {
        int y = (luma & 255) * 19077 >> 8;
        rgb[out] = clamp(y + (v * 26149 >> 8) - 14234);
        rgb[out + 1] = clamp(y - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708);
        rgb[out + 2] = clamp(y + (u * 33050 >> 8) - 17685);
    }

    private static byte clamp(int v) {
        return (byte) (v < 0 ? 0 : Math.min(v >> 6, 255));
    }
}
