// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/** The header of a VP8 key frame (RFC 6386, section 9), with the quantizers and filters that follow from it. */
final class WebPVp8Header {
    private static final int SEGMENTS = 4;

    /** The bits of the macroblocks' modes. */
    final WebPVp8Bits modes;
    /** The bits of the coefficients: row y of macroblocks is in part {@code y % parts.length}. */
    final WebPVp8Bits[] parts;
    /** The probabilities of the segments' tree, or null if the macroblocks do not name their segments. */
    final int[] segmentTree;
    /** Quantizer steps of each segment, for the first and the other coefficients of luma, second-order luma and chroma. */
    final int[][] steps = new int[SEGMENTS][];
    /** Filter strengths of each segment, 0 to 63, for macroblocks predicted as a whole and in 4x4 blocks. */
    final int[][] strengths = new int[SEGMENTS][2];

    final boolean simpleFilter;
    final int sharpness;
    /** The probabilities of coefficients, in the layout of {@link WebPVp8Tables#COEFFICIENTS}. */
    final short[] coefficients = new short[WebPVp8Tables.COEFFICIENTS.length];
    /** The probability that a macroblock has coefficients, or -1 if macroblocks are not marked. */
    final int skip;

    /** Reads the header of {@code data[from]} to {@code data[end - 1]}, whose signature and size were checked. */
    WebPVp8Header(byte[] data, int from, int end) throws IOException {
        int first = (data[from] & 255 | (data[from + 1] & 255) << 8 | (data[from + 2] & 255) << 16) >> 5;
        int begin = from + 10;
        if (first > end - begin) {
            throw ended();
        }
        modes = new WebPVp8Bits(data, begin, begin + first);
        modes.number(2); // Colour space and clamping do not affect decoding.
        int[] quantizers = new int[SEGMENTS];
        int[] levels = new int[SEGMENTS];
        boolean segments = modes.flag();
        boolean absolute = true;
        int[] tree = null;
        if (segments) {
            boolean map = modes.flag();
            if (modes.flag()) {
                absolute = modes.flag();
                for (int i = 0; i < SEGMENTS; i++) {
                    quantizers[i] = modes.optional(7);
                }
                for (int i = 0; i < SEGMENTS; i++) {
                    levels[i] = modes.optional(6);
                }
            }
            if (map) {
                tree = new int[3];
                for (int i = 0; i < tree.length; i++) {
                    tree[i] = modes.flag() ? modes.number(8) : 255;
                }
            }
        }
        segmentTree = tree;
        simpleFilter = modes.flag();
        int level = modes.number(6);
        sharpness = modes.number(3);
        filters(level, segments, absolute, levels);
        parts = parts(data, begin + first, end, 1 << modes.number(2));
        quantizers(segments, absolute, quantizers);
        modes.flag(); // Whether the probabilities apply to later frames.
        for (int i = 0; i < coefficients.length; i++) {
            coefficients[i] =
                    modes.bit(WebPVp8Tables.UPDATES[i]) == 1 ? (short) modes.number(8) : WebPVp8Tables.COEFFICIENTS[i];
        }
        skip = modes.flag() ? modes.number(8) : -1;
        modes.check();
    }

    private static IOException ended() {
        return new IOException("damaged or cut WebP image: its lossy data end in their header");
    }

    private void filters(int level, boolean segments, boolean absolute, int[] levels) {
        int forKeyFrames = 0;
        int forBlocks = 0;
        if (modes.flag() && modes.flag()) {
            int[] changes = new int[8];
            for (int i = 0; i < changes.length; i++) {
                changes[i] = modes.optional(6);
            }
            forKeyFrames = changes[0];
            forBlocks = changes[4];
        }
        for (int i = 0; i < SEGMENTS && level > 0; i++) {
            int base = forKeyFrames + (segments ? levels[i] + (absolute ? 0 : level) : level);
            strengths[i][0] = clamp(base, 63);
            strengths[i][1] = clamp(base + forBlocks, 63);
        }
    }

    private static WebPVp8Bits[] parts(byte[] data, int from, int end, int count) throws IOException {
        WebPVp8Bits[] parts = new WebPVp8Bits[count];
        int begin = from + 3 * (count - 1);
        for (int i = 0; i < count; i++) {
            if (begin >= end) {
                throw ended();
            }
            int at = from + 3 * i;
            int size = i == count - 1
                    ? end - begin
                    : Math.min(end - begin, data[at] & 255 | (data[at + 1] & 255) << 8 | (data[at + 2] & 255) << 16);
            parts[i] = new WebPVp8Bits(data, begin, begin + size);
            begin += size;
        }
        return parts;
    }

    private void quantizers(boolean segments, boolean absolute, int[] quantizers) {
        int base = modes.number(7);
        int lumaDc = modes.optional(4);
        int secondDc = modes.optional(4);
        int secondAc = modes.optional(4);
        int chromaDc = modes.optional(4);
        int chromaAc = modes.optional(4);
        for (int i = 0; i < SEGMENTS; i++) {
            int q = segments ? quantizers[i] + (absolute ? 0 : base) : base;
            steps[i] = new int[] {
                WebPVp8Tables.DC[clamp(q + lumaDc, 127)],
                WebPVp8Tables.AC[clamp(q, 127)],
                2 * WebPVp8Tables.DC[clamp(q + secondDc, 127)],
                Math.max(8, WebPVp8Tables.AC[clamp(q + secondAc, 127)] * 155 / 100),
                WebPVp8Tables.DC[clamp(q + chromaDc, 117)],
                WebPVp8Tables.AC[clamp(q + chromaAc, 127)]
            };
        }
    }

    private static int clamp(int v, int max) {
        return v < 0 ? 0 : Math.min(v, max);
    }
}
