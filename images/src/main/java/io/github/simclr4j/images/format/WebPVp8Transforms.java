package io.github.simclr4j.images.format;

/** The inverse transforms of VP8 (RFC 6386, section 14). */
final class WebPVp8Transforms {
    private WebPVp8Transforms() {}

    /** Puts the first coefficients of 16 blocks, which have a transform of their own, into {@code values[16 * block]}. */
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
     * @param in the coefficients, from {@code from} on
     * @param count how many there are: 1 if all but the first are 0
     * @param plane the prediction, [rows, stride]
     * @param at the block's first pixel
     */
    static void add(short[] in, int from, int count, byte[] plane, int at, int stride) {
        if (count == 1) {
            int dc = in[from] + 4 >> 3;
            for (int y = 0; y < 4; y++) {
                for (int p = at + y * stride, end = p + 4; p < end; p++) {
                    plane[p] = clamp((plane[p] & 255) + dc);
                }
            }
            return;
        }
        int[] t = new int[16];
        for (int i = 0; i < 4; i++) {
            int p = from + i;
            int a = in[p] + in[p + 8];
            int b = in[p] - in[p + 8];
            int c = sine(in[p + 4]) - cosine(in[p + 12]);
            int d = cosine(in[p + 4]) + sine(in[p + 12]);
            t[4 * i] = a + d;
            t[4 * i + 1] = b + c;
            t[4 * i + 2] = b - c;
            t[4 * i + 3] = a - d;
        }
        for (int y = 0; y < 4; y++) {
            int a = t[y] + 4 + t[y + 8];
            int b = t[y] + 4 - t[y + 8];
            int c = sine(t[y + 4]) - cosine(t[y + 12]);
            int d = cosine(t[y + 4]) + sine(t[y + 12]);
            int p = at + y * stride;
            plane[p] = clamp((plane[p] & 255) + (a + d >> 3));
            plane[p + 1] = clamp((plane[p + 1] & 255) + (b + c >> 3));
            plane[p + 2] = clamp((plane[p + 2] & 255) + (b - c >> 3));
            plane[p + 3] = clamp((plane[p + 3] & 255) + (a - d >> 3));
        }
    }

    /** Multiplies by the root of 2 times the sine of an eighth of a circle's half. */
    private static int sine(int v) {
        return v * 35468 >> 16;
    }

    /** Multiplies by the root of 2 times the cosine of the same. */
    private static int cosine(int v) {
        return (v * 20091 >> 16) + v;
    }

    private static byte clamp(int v) {
        return (byte) (v < 0 ? 0 : Math.min(v, 255));
    }
}
