// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.util.Arrays;

/** Reads the prediction modes of macroblocks (RFC 6386, sections 10 and 11). */
final class WebPVp8Modes {
    /** The tree of the modes of 4x4 blocks: positive numbers are indices of the next nodes, other numbers are negated modes. */
    private static final int[] TREE = {0, 2, -1, 4, -2, 6, 8, 12, -3, 10, -4, -5, -6, 14, -7, 16, -8, -9};

    /** The segment of the macroblock that was read last. */
    int segment;
    /** Whether that macroblock is marked as having no coefficients. */
    boolean skipped;
    /** Whether that macroblock is predicted in 4x4 blocks. */
    boolean inBlocks;
    /** The modes of the blocks, or the mode of the whole luma at index 0. */
    final int[] luma = new int[16];

    int chroma;

    private final WebPVp8Header header;
    private final int[] above;
    private final int[] left = new int[4];

    /** Starts a frame; {@code columns} is its width in macroblocks. */
    WebPVp8Modes(WebPVp8Header header, int columns) {
        this.header = header;
        this.above = new int[4 * columns];
    }

    /** Starts a row. */
    void beginRow() {
        Arrays.fill(left, WebPVp8Prediction.DC);
    }

    /** Reads a macroblock. */
    void read(int column) {
        WebPVp8Bits in = header.modes;
        int[] tree = header.segmentTree;
        if (tree != null) {
            segment = in.bit(tree[0]) == 0 ? in.bit(tree[1]) : 2 + in.bit(tree[2]);
        }
        skipped = header.skip >= 0 && in.bit(header.skip) == 1;
        inBlocks = in.bit(145) == 0;
        int begin = 4 * column;
        if (inBlocks) {
            for (int b = 0; b < 16; b++) {
                int x = begin + (b & 3);
                int mode = block(in, 9 * (10 * above[x] + left[b >> 2]));
                above[x] = mode;
                left[b >> 2] = mode;
                luma[b] = mode;
            }
        } else {
            luma[0] = in.bit(156) == 1
                    ? in.bit(128) == 1 ? WebPVp8Prediction.TRUE_MOTION : WebPVp8Prediction.HORIZONTAL
                    : in.bit(163) == 1 ? WebPVp8Prediction.VERTICAL : WebPVp8Prediction.DC;
            Arrays.fill(above, begin, begin + 4, luma[0]);
            Arrays.fill(left, luma[0]);
        }
        chroma = in.bit(142) == 0
                ? WebPVp8Prediction.DC
                : in.bit(114) == 0
                        ? WebPVp8Prediction.VERTICAL
                        : in.bit(183) == 1 ? WebPVp8Prediction.TRUE_MOTION : WebPVp8Prediction.HORIZONTAL;
    }

    private static int block(WebPVp8Bits in, int probabilities) {
        int node = 0;
        do {
            node = TREE[node + in.bit(WebPVp8Tables.MODES[probabilities + (node >> 1)])];
        } while (node > 0);
        return -node;
    }
}
