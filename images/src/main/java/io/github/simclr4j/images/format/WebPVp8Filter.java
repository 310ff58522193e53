// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

/** Smooths the edges between blocks (RFC 6386, section 15). */
final class WebPVp8Filter {
    private final boolean simple;
    private final int sharpness;
    private final WebPVp8Plane luma;
    private final WebPVp8Plane u;
    private final WebPVp8Plane v;

    WebPVp8Filter(WebPVp8Header header, WebPVp8Plane luma, WebPVp8Plane u, WebPVp8Plane v) {
        this.simple = header.simpleFilter;
        this.sharpness = header.sharpness;
        this.luma = luma;
        this.u = u;
        this.v = v;
    }

    /**
     * Filters the left, upper and inner edges of a macroblock. Previous macroblocks must be filtered already.
     *
     * @param strength the strength of the filter, 1 to 63
     * @param inner whether to filter the inner edges
     */
    void macroblock(int column, int row, int strength, boolean inner) {
        int interior = strength >> (sharpness > 4 ? 2 : sharpness > 0 ? 1 : 0);
        if (sharpness > 0) {
            interior = Math.min(interior, 9 - sharpness);
        }
        interior = Math.max(1, interior);
        int limit = 2 * strength + interior;
        int inside = 2 * limit + 1;
        int outside = 2 * (limit + 4) + 1;
        int variance = strength >= 40 ? 2 : strength >= 15 ? 1 : 0;
        byte[] y = luma.data;
        int stride = luma.stride;
        int at = luma.at(16 * column, 16 * row);
        if (simple) {
            if (column > 0) {
                simple(y, at, 1, stride, outside);
            }
            for (int i = 4; i < 16 && inner; i += 4) {
                simple(y, at + i, 1, stride, inside);
            }
            if (row > 0) {
                simple(y, at, stride, 1, outside);
            }
            for (int i = 4; i < 16 && inner; i += 4) {
                simple(y, at + i * stride, stride, 1, inside);
            }
            return;
        }
        int chroma = u.at(8 * column, 8 * row);
        int half = u.stride;
        if (column > 0) {
            outer(y, at, 1, stride, 16, outside, interior, variance);
            outer(u.data, chroma, 1, half, 8, outside, interior, variance);
            outer(v.data, chroma, 1, half, 8, outside, interior, variance);
        }
        if (inner) {
            for (int i = 4; i < 16; i += 4) {
                inner(y, at + i, 1, stride, 16, inside, interior, variance);
            }
            inner(u.data, chroma + 4, 1, half, 8, inside, interior, variance);
            inner(v.data, chroma + 4, 1, half, 8, inside, interior, variance);
        }
        if (row > 0) {
            outer(y, at, stride, 1, 16, outside, interior, variance);
            outer(u.data, chroma, half, 1, 8, outside, interior, variance);
            outer(v.data, chroma, half, 1, 8, outside, interior, variance);
        }
        if (inner) {
            for (int i = 4; i < 16; i += 4) {
                inner(y, at + i * stride, stride, 1, 16, inside, interior, variance);
            }
            inner(u.data, chroma + 4 * half, half, 1, 8, inside, interior, variance);
            inner(v.data, chroma + 4 * half, half, 1, 8, inside, interior, variance);
        }
    }

    /** Filters 16 positions along an edge; {@code step} is the distance across the edge, {@code along} to the next position. */
    private static void simple(byte[] p, int at, int step, int along, int edge) {
        for (int i = 0; i < 16; i++, at += along) {
            int difference = 4 * Math.abs((p[at - step] & 255) - (p[at] & 255))
                    + Math.abs((p[at - 2 * step] & 255) - (p[at + step] & 255));
            if (difference <= edge) {
                two(p, at, step);
            }
        }
    }

    private static void outer(byte[] p, int at, int step, int along, int size, int edge, int interior, int variance) {
        for (int i = 0; i < size; i++, at += along) {
            if (flat(p, at, step, edge, interior)) {
                if (varies(p, at, step, variance)) {
                    two(p, at, step);
                } else {
                    six(p, at, step);
                }
            }
        }
    }

    private static void inner(byte[] p, int at, int step, int along, int size, int edge, int interior, int variance) {
        for (int i = 0; i < size; i++, at += along) {
            if (flat(p, at, step, edge, interior)) {
                if (varies(p, at, step, variance)) {
                    two(p, at, step);
                } else {
                    four(p, at, step);
                }
            }
        }
    }

    private static boolean flat(byte[] p, int at, int step, int edge, int interior) {
        int p1 = p[at - 2 * step] & 255;
        int p0 = p[at - step] & 255;
        int q0 = p[at] & 255;
        int q1 = p[at + step] & 255;
        if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) > edge) {
            return false;
        }
        int p2 = p[at - 3 * step] & 255;
        int q2 = p[at + 2 * step] & 255;
        return Math.abs((p[at - 4 * step] & 255) - p2) <= interior
                && Math.abs(p2 - p1) <= interior
                && Math.abs(p1 - p0) <= interior
                && Math.abs((p[at + 3 * step] & 255) - q2) <= interior
                && Math.abs(q2 - q1) <= interior
                && Math.abs(q1 - q0) <= interior;
    }

    private static boolean varies(byte[] p, int at, int step, int variance) {
        return Math.abs((p[at - 2 * step] & 255) - (p[at - step] & 255)) > variance
                || Math.abs((p[at + step] & 255) - (p[at] & 255)) > variance;
    }

    private static void two(byte[] p, int at, int step) {
        int p0 = p[at - step] & 255;
        int q0 = p[at] & 255;
        int a = 3 * (q0 - p0) + signed((p[at - 2 * step] & 255) - (p[at + step] & 255));
        p[at - step] = pixel(p0 + fifth(a + 3 >> 3));
        p[at] = pixel(q0 - fifth(a + 4 >> 3));
    }

    private static void four(byte[] p, int at, int step) {
        int p0 = p[at - step] & 255;
        int q0 = p[at] & 255;
        int a = 3 * (q0 - p0);
        int first = fifth(a + 4 >> 3);
        int outer = first + 1 >> 1;
        p[at - 2 * step] = pixel((p[at - 2 * step] & 255) + outer);
        p[at - step] = pixel(p0 + fifth(a + 3 >> 3));
        p[at] = pixel(q0 - first);
        p[at + step] = pixel((p[at + step] & 255) - outer);
    }

    private static void six(byte[] p, int at, int step) {
        int p1 = p[at - 2 * step] & 255;
        int p0 = p[at - step] & 255;
        int q0 = p[at] & 255;
        int q1 = p[at + step] & 255;
        int a = signed(3 * (q0 - p0) + signed(p1 - q1));
        int near = 27 * a + 63 >> 7;
        int middle = 18 * a + 63 >> 7;
        int far = 9 * a + 63 >> 7;
        p[at - 3 * step] = pixel((p[at - 3 * step] & 255) + far);
        p[at - 2 * step] = pixel(p1 + middle);
        p[at - step] = pixel(p0 + near);
        p[at] = pixel(q0 - near);
        p[at + step] = pixel(q1 - middle);
        p[at + 2 * step] = pixel((p[at + 2 * step] & 255) - far);
    }

    private static int signed(int v) {
        return v < -128 ? -128 : Math.min(v, 127);
    }

    private static int fifth(int v) {
        return v < -16 ? -16 : Math.min(v, 15);
    }

    private static byte pixel(int v) {
        return (byte) (v < 0 ? 0 : Math.min(v, 255));
    }
}
