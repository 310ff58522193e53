// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.nio.ByteOrder;

/** Reverses predictor 2 (TIFF 6.0, section 14) by summing up the differences between neighbours, of 8 or 16 bits. */
final class TiffDifferences implements TiffRows {
    private final TiffRows in;
    private final int samples;
    private final int bits;
    private final ByteOrder order;

    TiffDifferences(TiffRows in, int samples, int bits, ByteOrder order) {
        this.in = in;
        this.samples = samples;
        this.bits = bits;
        this.order = order;
    }

    @Override
    public void next(byte[] row) throws IOException {
        in.next(row);
        if (bits == 8) {
            for (int i = samples; i < row.length; i++) {
                row[i] += row[i - samples];
            }
            return;
        }
        int low = order == ByteOrder.LITTLE_ENDIAN ? 0 : 1;
        int high = 1 - low;
        for (int i = 2 * samples; i < row.length; i += 2) {
            int before = i - 2 * samples;
            int sum = (row[i + low] & 255) + (row[before + low] & 255);
            row[i + low] = (byte) sum;
            row[i + high] += row[before + high] + (sum >> 8);
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
