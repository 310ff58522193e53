// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.util.Arrays;

/** Predicts blocks from the pixels above and to the left of them (RFC 6386, section 12). */
final class WebPVp8Prediction {
    static final int DC = 0;
    static final int TRUE_MOTION = 1;
    static final int VERTICAL = 2;
    static final int HORIZONTAL = 3;
    private static final int RIGHT_DOWN = 4;
    private static final int VERTICAL_RIGHT = 5;
    private static final int LEFT_DOWN = 6;
    private static final int VERTICAL_LEFT = 7;
    private static final int HORIZONTAL_DOWN = 8;

    private WebPVp8Prediction() {}

    /**
     * Predicts a square of 8 or 16 pixels.
     *
     * @param mode one of the constants
     * @param plane the plane with the pixels
     * @param at index of the square's first pixel
     * @param above whether there are pixels above it
     * @param left whether there are pixels to the left of it
     */
    static void square(int mode, WebPVp8Plane plane, int at, int size, boolean above, boolean left) {
        byte[] p = plane.data;
        int stride = plane.stride;
        switch (mode) {
            case TRUE_MOTION -> trueMotion(p, at, stride, size);
            case VERTICAL -> {
                for (int y = 0; y < size; y++) {
                    System.arraycopy(p, at - stride, p, at + y * stride, size);
                }
            }
            case HORIZONTAL -> {
                for (int y = 0; y < size; y++) {
                    int row = at + y * stride;
                    Arrays.fill(p, row, row + size, p[row - 1]);
                }
            }
            default -> {
                int sum = 0;
                for (int i = 0; i < size; i++) {
                    sum += (above ? p[at - stride + i] & 255 : 0) + (left ? p[at + i * stride - 1] & 255 : 0);
                }
                int count = (above ? size : 0) + (left ? size : 0);
                fill(p, at, stride, size, count == 0 ? 128 : (sum + count / 2) / count);
            }
        }
    }

    private static void fill(byte[] p, int at, int stride, int size, int value) {
        for (int y = 0; y < size; y++) {
            Arrays.fill(p, at + y * stride, at + y * stride + size, (byte) value);
        }
    }

    private static void trueMotion(byte[] p, int at, int stride, int size) {
        int corner = p[at - stride - 1] & 255;
        for (int y = 0; y < size; y++) {
            int row = at + y * stride;
            int difference = (p[row - 1] & 255) - corner;
            for (int x = 0; x < size; x++) {
                int v = (p[at - stride + x] & 255) + difference;
                p[row + x] = (byte) (v < 0 ? 0 : Math.min(v, 255));
            }
        }
    }

    /**
     * Predicts a block of 4x4 pixels.
     *
     * @param mode the mode, 0 to 9
     * @param p the plane's pixels
     * @param at index of the block's first pixel
     * @param right index of the four pixels to use as those above and to the right
     */
    static void block(int mode, byte[] p, int at, int stride, int right) {
        int up = at - stride;
        if (mode == TRUE_MOTION) {
            trueMotion(p, at, stride, 4);
            return;
        }
        if (mode == DC) {
            int sum = 4;
            for (int i = 0; i < 4; i++) {
                sum += (p[up + i] & 255) + (p[at + i * stride - 1] & 255);
            }
            fill(p, at, stride, 4, sum >> 3);
            return;
        }
        // Names as in the specification: the left column from the bottom, the corner, the row above.
        int l = p[at + 3 * stride - 1] & 255;
        int k = p[at + 2 * stride - 1] & 255;
        int j = p[at + stride - 1] & 255;
        int i = p[at - 1] & 255;
        int x = p[up - 1] & 255;
        int a = p[up] & 255;
        int b = p[up + 1] & 255;
        int c = p[up + 2] & 255;
        int d = p[up + 3] & 255;
        int e = p[right] & 255;
        int f = p[right + 1] & 255;
        int g = p[right + 2] & 255;
        int h = p[right + 3] & 255;
        switch (mode) {
            case VERTICAL -> {
                int row = of(three(x, a, b), three(a, b, c), three(b, c, d), three(c, d, e));
                put(p, at, stride, row, row, row, row);
            }
            case HORIZONTAL ->
                put(
                        p,
                        at,
                        stride,
                        0x1010101 * three(x, i, j),
                        0x1010101 * three(i, j, k),
                        0x1010101 * three(j, k, l),
                        0x1010101 * three(k, l, l));
            case RIGHT_DOWN ->
                slide(
                        p,
                        at,
                        stride,
                        of(three(x, i, j), three(i, j, k), three(j, k, l), 0),
                        of(three(a, x, i), three(b, a, x), three(c, b, a), three(d, c, b)));
            case VERTICAL_RIGHT -> {
                int first = of(two(x, a), two(a, b), two(b, c), two(c, d));
                int second = of(three(i, x, a), three(x, a, b), three(a, b, c), three(b, c, d));
                put(p, at, stride, first, second, first << 8 | three(j, i, x), second << 8 | three(k, j, i));
            }
            case LEFT_DOWN -> {
                int near = of(three(a, b, c), three(b, c, d), three(c, d, e), three(d, e, f));
                int efg = three(e, f, g);
                int fgh = three(f, g, h);
                int second = near >>> 8 | efg << 24;
                int third = second >>> 8 | fgh << 24;
                put(p, at, stride, near, second, third, third >>> 8 | three(g, h, h) << 24);
            }
            case VERTICAL_LEFT -> {
                int first = of(two(a, b), two(b, c), two(c, d), two(d, e));
                int second = of(three(a, b, c), three(b, c, d), three(c, d, e), three(d, e, f));
                put(
                        p,
                        at,
                        stride,
                        first,
                        second,
                        first >>> 8 | three(e, f, g) << 24,
                        second >>> 8 | three(f, g, h) << 24);
            }
            case HORIZONTAL_DOWN -> {
                int last = of(two(l, k), three(l, k, j), two(k, j), three(k, j, i));
                int third = last >>> 16 | two(j, i) << 16 | three(j, i, x) << 24;
                int second = third >>> 16 | two(i, x) << 16 | three(i, x, a) << 24;
                put(p, at, stride, second >>> 16 | three(x, a, b) << 16 | three(a, b, c) << 24, second, third, last);
            }
            default -> {
                int first = of(two(i, j), three(i, j, k), two(j, k), three(j, k, l));
                int second = first >>> 16 | two(k, l) << 16 | three(k, l, l) << 24;
                put(p, at, stride, first, second, second >>> 16 | l << 16 | l << 24, 0x1010101 * l);
            }
        }
    }

    /** Predicts down to the right: each row is the row above, shifted by one pixel, after the next value of the column. */
    private static void slide(byte[] p, int at, int stride, int column, int first) {
        int second = first << 8 | column & 255;
        int third = second << 8 | column >> 8 & 255;
        put(p, at, stride, first, second, third, third << 8 | column >> 16 & 255);
    }

    private static int two(int a, int b) {
        return a + b + 1 >> 1;
    }

    private static int three(int a, int b, int c) {
        return a + 2 * b + c + 2 >> 2;
    }

    /** Packs four pixels of a row, with the first in the lowest byte. */
    private static int of(int first, int second, int third, int fourth) {
        return first | second << 8 | third << 16 | fourth << 24;
    }

    private static void put(byte[] p, int at, int stride, int first, int second, int third, int fourth) {
        row(p, at, first);
        row(p, at + stride, second);
        row(p, at + 2 * stride, third);
        row(p, at + 3 * stride, fourth);
    }

    private static void row(byte[] p, int at, int pixels) {
        p[at] = (byte) pixels;
        p[at + 1] = (byte) (pixels >> 8);
        p[at + 2] = (byte) (pixels >> 16);
        p[at + 3] = (byte) (pixels >> 24);
    }
}
