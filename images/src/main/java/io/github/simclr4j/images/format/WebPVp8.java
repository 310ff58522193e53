// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Arrays;

/**
 * Decodes a VP8 key frame (<a href="https://www.rfc-editor.org/rfc/rfc6386">RFC 6386</a>), the content of a lossy WebP file. The
 * results equal those of libwebp exactly.
 */
final class WebPVp8 {
    private final WebPVp8Header header;
    private final int columns;
    private final int rows;
    private final WebPVp8Plane luma;
    private final WebPVp8Plane u;
    private final WebPVp8Plane v;
    /** For each macroblock the filter's strength, plus 128 if its inner edges are filtered. */
    private final byte[] filters;

    private WebPVp8(WebPVp8Header header, int width, int height) {
        this.header = header;
        columns = width + 15 >> 4;
        rows = height + 15 >> 4;
        luma = new WebPVp8Plane(16 * columns, 16 * rows);
        u = new WebPVp8Plane(8 * columns, 8 * rows);
        v = new WebPVp8Plane(8 * columns, 8 * rows);
        filters = new byte[columns * rows];
    }

    /**
     * Decodes a frame whose size was accepted.
     *
     * @param data an array with the frame from {@code from} to {@code end - 1}, which is at least ten bytes long
     * @return the pixels, [height, width, 3]
     */
    static byte[] decode(byte[] data, int from, int end, int width, int height) throws IOException {
        WebPVp8 frame = new WebPVp8(new WebPVp8Header(data, from, end), width, height);
        frame.reconstruct();
        frame.filter();
        return WebPColours.rgb(frame.luma, frame.u, frame.v, width, height);
    }

    private void reconstruct() throws IOException {
        WebPVp8Modes modes = new WebPVp8Modes(header, columns);
        WebPVp8Residuals residuals = new WebPVp8Residuals(header.coefficients, columns);
        for (int y = 0; y < rows; y++) {
            WebPVp8Bits in = header.parts[y % header.parts.length];
            modes.beginRow();
            residuals.beginRow();
            for (int x = 0; x < columns; x++) {
                modes.read(x);
                boolean any = false;
                if (modes.skipped) {
                    residuals.skip(x, modes.inBlocks);
                } else {
                    any = residuals.read(in, x, modes.inBlocks, header.steps[modes.segment]);
                }
                int strength = header.strengths[modes.segment][modes.inBlocks ? 1 : 0];
                filters[y * columns + x] = (byte) (strength | (any || modes.inBlocks ? 128 : 0));
                luma(x, y, modes, residuals);
                chroma(u, x, y, modes.chroma, residuals, 16);
                chroma(v, x, y, modes.chroma, residuals, 20);
            }
            header.modes.check();
            in.check();
        }
    }

    private void luma(int column, int row, WebPVp8Modes modes, WebPVp8Residuals residuals) {
        byte[] p = luma.data;
        int stride = luma.stride;
        int at = luma.at(16 * column, 16 * row);
        if (!modes.inBlocks) {
            WebPVp8Prediction.square(modes.luma[0], luma, at, 16, row > 0, column > 0);
        }
        int right = at - stride + 16;
        if (row > 0 && column == columns - 1) {
            // There are no pixels above and right of the last column, so its last pixel is repeated in the border.
            Arrays.fill(p, right, right + 4, p[right - 1]);
        }
        for (int b = 0; b < 16; b++) {
            int block = at + (b >> 2) * 4 * stride + (b & 3) * 4;
            if (modes.inBlocks) {
                // Pixels right of the macroblock are not known yet, so its lower blocks use the row above the
                // macroblock.
                WebPVp8Prediction.block(modes.luma[b], p, block, stride, (b & 3) == 3 ? right : block - stride + 4);
            }
            if (residuals.counts[b] > 0) {
                WebPVp8Transforms.add(residuals.values, 16 * b, residuals.counts[b], p, block, stride);
            }
        }
    }

    private static void chroma(
            WebPVp8Plane plane, int column, int row, int mode, WebPVp8Residuals residuals, int first) {
        int at = plane.at(8 * column, 8 * row);
        WebPVp8Prediction.square(mode, plane, at, 8, row > 0, column > 0);
        for (int b = 0; b < 4; b++) {
            int count = residuals.counts[first + b];
            if (count > 0) {
                WebPVp8Transforms.add(
                        residuals.values,
                        16 * (first + b),
                        count == 1 ? 1 : 16,
                        plane.data,
                        at + (b >> 1) * 4 * plane.stride + (b & 1) * 4,
                        plane.stride);
            }
        }
    }

    /** Filters the whole frame after prediction, which uses unfiltered pixels. */
    private void filter() {
        WebPVp8Filter filter = new WebPVp8Filter(header, luma, u, v);
        for (int y = 0; y < rows; y++) {
            for (int x = 0; x < columns; x++) {
                int f = filters[y * columns + x];
                if ((f & 63) > 0) {
                    filter.macroblock(x, y, f & 63, f < 0);
                }
            }
        }
    }
}
