// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.InputStream;

/** Decompresses PackBits data (TIFF 6.0, section 9): literal runs of 1 to 128 bytes, and 2 to 128 repetitions of a byte. */
final class TiffPackBits extends InputStream {
    private final byte[] in;
    private final int end;
    private int at;
    private int run;
    private boolean repeated;

    TiffPackBits(byte[] in, int from, int to) {
        this.in = in;
        at = from;
        end = to;
    }

    @Override
    public int read() {
        while (run == 0) {
            if (at >= end) {
                return -1;
            }
            int n = in[at++];
            // -128 means nothing.
            repeated = n < 0;
            run = n == -128 ? 0 : repeated ? 1 - n : n + 1;
        }
        if (at >= end) {
            return -1;
        }
        run--;
        int value = in[at] & 255;
        if (!repeated || run == 0) {
            at++;
        }
        return value;
    }

    @Override
    public int read(byte[] to, int from, int length) {
        for (int i = 0; i < length; i++) {
            int value = read();
            if (value < 0) {
                return i == 0 ? -1 : i;
            }
            to[from + i] = (byte) value;
        }
        return length;
    }
}
