// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/** The inverse transforms of VP8 (RFC 6386, section 14). */
final class WebPVp8Transforms {
    private WebPVp8Transforms() {}

    /** Transforms the first coefficients of 16 blocks, and writes them to {@code values[16 * block]}. */
    static void walshHadamard(short[] in, short[] values) {
        int[] t = new int[16];
        for (int i = 0; i < 4; i++) {
            int a = in[i] + in[12 + i];
            int b = in[4 + i] + in[8 + i];
            int c = in[4 + i] - in[8 + i];
            int d = in[i] - in[12 + i];
            t[i] = a + b;
            t[4 + i] = d + c;
            t[8 + i] = a - b;
            t[12 + i] = d - c;
        }
        for (int i = 0; i < 16; i += 4) {
            int a = t[i] + 3 + t[i + 3];
            int b = t[i + 1] + t[i + 2];
            int c = t[i + 1] - t[i + 2];
            int d = t[i] + 3 - t[i + 3];
            values[16 * i] = (short) (a + b >> 3);
            values[16 * i + 16] = (short) (d + c >> 3);
            values[16 * i + 32] = (short) (a - b >> 3);
            values[16 * i + 48] = (short) (d - c >> 3);
        }
    }

    /**
     * Adds a block of 4x4 pixels to its prediction.
     *
     * @param in the coefficients, starting at {@code from}
     * @param count number of coefficients in zigzag order, at least 1
     * @param plane the prediction, [rows, stride]
     * @param at index of the block's first pixel
     */
    static void add(short[] in, int from, int count, byte[] plane, int at, int stride) {
        if (count == 1) {
            int dc = in[from] + 4 >> 3;
            for (int y = 0, p = at; y < 4; y++, p += stride) {
                row(plane, p, dc, dc, dc, dc);
            }
        } else if (count <= 3) {
            addThree(in[from] + 4, in[from + 1], in[from + 4], plane, at, stride);
        } else {
            addAll(in, from, plane, at, stride);
        }
    }

    /** Adds a block in which only the first coefficient and its neighbours are not 0. */
    private static void addThree(int first, int right, int below, byte[] plane, int at, int stride) {
        int c = sine(right);
        int d = cosine(right);
        int[] rows = {first + cosine(below), first + sine(below), first - sine(below), first - cosine(below)};
        for (int y = 0, p = at; y < 4; y++, p += stride) {
            row(plane, p, rows[y] + d >> 3, rows[y] + c >> 3, rows[y] - c >> 3, rows[y] - d >> 3);
        }
    }

    /** Adds a block with all coefficients. Sums wrap at 16 bits, as in libwebp's vector instructions; only damaged data reach that. */
    private static void addAll(short[] in, int from, byte[] plane, int at, int stride) {
        short[] t = new short[16];
        for (int i = 0; i < 4; i++) {
            int p = from + i;
            int a = in[p] + in[p + 8];
            int b = in[p] - in[p + 8];
            int c = sine(in[p + 4]) - cosine(in[p + 12]);
            int d = cosine(in[p + 4]) + sine(in[p + 12]);
            t[4 * i] = (short) (a + d);
            t[4 * i + 1] = (short) (b + c);
            t[4 * i + 2] = (short) (b - c);
            t[4 * i + 3] = (short) (a - d);
        }
        for (int y = 0, p = at; y < 4; y++, p += stride) {
            int a = t[y] + 4 + t[y + 8];
            int b = t[y] + 4 - t[y + 8];
            int c = sine(t[y + 4]) - cosine(t[y + 12]);
            int d = cosine(t[y + 4]) + sine(t[y + 12]);
            row(plane, p, (short) (a + d) >> 3, (short) (b + c) >> 3, (short) (b - c) >> 3, (short) (a - d) >> 3);
        }
    }

    private static void row(byte[] plane, int p, int first, int second, int third, int fourth) {
        plane[p] = clamp((plane[p] & 255) + first);
        plane[p + 1] = clamp((plane[p + 1] & 255) + second);
        plane[p + 2] = clamp((plane[p + 2] & 255) + third);
        plane[p + 3] = clamp((plane[p + 3] & 255) + fourth);
    }

    /** Multiplies by the square root of 2 times sin(pi/8). */
    private static int sine(int v) {
        return v * 35468 >> 16;
    }

    /** Multiplies by the square root of 2 times cos(pi/8). */
    private static int cosine(int v) {
        return (v * 20091 >> 16) + v;
    }

    private static byte clamp(int v) {
        return (byte) (v < 0 ? 0 : Math.min(v, 255));
    }
}
