// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.util.Arrays;

/** Reads the coefficients of macroblocks (RFC 6386, section 13) and multiplies them by the quantizer's steps. */
final class WebPVp8Residuals {
    /** The kinds of blocks: luma without first coefficients, first coefficients of luma, chroma, luma with all coefficients. */
    private static final int LUMA_REST = 0;

    private static final int SECOND = 1;
    private static final int CHROMA = 2;
    private static final int LUMA = 3;
    private static final int CONTEXT = 11;
    private static final int BAND = 3 * CONTEXT;
    private static final int KIND = 8 * BAND;
    /** Offset of each coefficient's band in the probabilities; the last entry is never read. */
    private static final int[] BANDS = new int[17];

    private static final int[] ZIGZAG = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};
    private static final int[][] CATEGORIES = {
        {173, 148, 140},
        {176, 155, 140, 135},
        {180, 157, 141, 134, 130},
        {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}
    };

    static {
        int[] bands = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0};
        for (int i = 0; i < bands.length; i++) {
            BANDS[i] = bands[i] * BAND;
        }
    }

    /** Coefficients of the macroblock that was read last: 16 blocks of luma and 4 of each chroma, with 16 each, row by row. */
    final short[] values = new short[24 * 16];
    /** Number of coefficients of each block: 0, 1 (only the first), or more. */
    final int[] counts = new int[24];

    private final short[] probabilities;
    /** Whether blocks above had coefficients: 4 of luma, 2 of each chroma, and 1 of second-order luma. */
    private final boolean[][] above;

    private final boolean[] left = new boolean[9];
    private final short[] second = new short[16];

    /** Starts a frame; {@code columns} is its width in macroblocks. */
    WebPVp8Residuals(short[] probabilities, int columns) {
        this.probabilities = probabilities;
        this.above = new boolean[columns][9];
    }

    /** Starts a row. */
    void beginRow() {
        Arrays.fill(left, false);
    }

    /** Records a macroblock without coefficients. */
    void skip(int column, boolean inBlocks) {
        boolean[] top = above[column];
        int kept = inBlocks ? 8 : 9;
        Arrays.fill(top, 0, kept, false);
        Arrays.fill(left, 0, kept, false);
        Arrays.fill(counts, 0);
    }

    /**
     * Reads a macroblock.
     *
     * @param inBlocks whether the macroblock is predicted in 4x4 blocks
     * @param steps the quantizer steps of its segment, see {@link WebPVp8Header#steps}
     * @return whether any coefficient is not 0
     */
    boolean read(WebPVp8Bits in, int column, boolean inBlocks, int[] steps) {
        boolean[] top = above[column];
        Arrays.fill(values, (short) 0);
        int first = 0;
        if (!inBlocks) {
            Arrays.fill(second, (short) 0);
            int count = block(in, SECOND, context(top, 8, 8), steps[2], steps[3], 0, second, 0);
            top[8] = count > 0;
            left[8] = count > 0;
            WebPVp8Transforms.walshHadamard(second, values);
            first = 1;
        }
        int kind = inBlocks ? LUMA : LUMA_REST;
        boolean any = false;
        for (int b = 0; b < 16; b++) {
            any |= block(in, top, b & 3, b >> 2, kind, steps[0], steps[1], first, b);
        }
        for (int b = 16; b < 24; b++) {
            int plane = 4 + (b - 16 >> 2) * 2;
            any |= block(in, top, plane + (b & 1), plane + (b >> 1 & 1), CHROMA, steps[4], steps[5], 0, b);
        }
        return any;
    }

    private int context(boolean[] top, int x, int y) {
        return (top[x] ? 1 : 0) + (left[y] ? 1 : 0);
    }

    private boolean block(WebPVp8Bits in, boolean[] top, int x, int y, int kind, int dc, int ac, int first, int b) {
        int count = block(in, kind, context(top, x, y), dc, ac, first, values, 16 * b);
        top[x] = count > first;
        left[y] = count > first;
        counts[b] = count > 1 ? count : values[16 * b] != 0 ? 1 : 0;
        return counts[b] > 0;
    }

    /** Reads a block, and returns the index after its last coefficient that is not 0. */
    private int block(WebPVp8Bits in, int kind, int context, int dc, int ac, int first, short[] out, int at) {
        short[] p = probabilities;
        int base = kind * KIND;
        int node = base + BANDS[first] + context * CONTEXT;
        for (int n = first; n < 16; ) {
            if (in.bit(p[node]) == 0) {
                return n;
            }
            while (in.bit(p[node + 1]) == 0) {
                if (++n == 16) {
                    return 16;
                }
                node = base + BANDS[n];
            }
            int next = base + BANDS[n + 1];
            int value = 1;
            if (in.bit(p[node + 2]) == 1) {
                value = large(in, node);
                node = next + 2 * CONTEXT;
            } else {
                node = next + CONTEXT;
            }
            out[at + ZIGZAG[n]] = (short) ((in.flag() ? -value : value) * (n > 0 ? ac : dc));
            n++;
        }
        return 16;
    }

    private int large(WebPVp8Bits in, int node) {
        short[] p = probabilities;
        if (in.bit(p[node + 3]) == 0) {
            return in.bit(p[node + 4]) == 0 ? 2 : 3 + in.bit(p[node + 5]);
        }
        if (in.bit(p[node + 6]) == 0) {
            if (in.bit(p[node + 7]) == 0) {
                return 5 + in.bit(159);
            }
            int high = in.bit(165);
            return 7 + 2 * high + in.bit(145);
        }
        int high = in.bit(p[node + 8]);
        int category = 2 * high + in.bit(p[node + 9 + high]);
        int extra = 0;
        for (int probability : CATEGORIES[category]) {
            extra = 2 * extra + in.bit(probability);
        }
        return extra + 3 + (8 << category);
    }
}
