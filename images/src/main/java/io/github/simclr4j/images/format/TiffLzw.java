// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.io.InputStream;

/**
 * Decompresses LZW data (TIFF 6.0, section 13): codes of 9 to 12 bits, most significant bit first. Files from before 1988 begin with the
 * bytes 0 and 1. Their codes are stored least significant bit first, and grow by a bit one code later.
 */
final class TiffLzw extends InputStream {
    private static final int CLEAR = 256;
    private static final int END = 257;
    private static final int SIZE = 4096;

    private final byte[] in;
    private final int end;
    private final boolean old;
    private final short[] prefix = new short[SIZE];
    private final byte[] suffix = new byte[SIZE];
    /** The bytes of the last code, starting at {@code left}. */
    private final byte[] text = new byte[SIZE + 1];

    private int left = text.length;
    private int at;
    private int buffer;
    private int held;
    private int bits = 9;
    private int next = END + 1;
    private int last = -1;
    private int first;

    TiffLzw(byte[] in, int from, int to) {
        this.in = in;
        at = from;
        end = to;
        old = to - from >= 2 && in[from] == 0 && (in[from + 1] & 1) == 1;
    }

    @Override
    public int read() throws IOException {
        return left < text.length || fill() ? text[left++] & 255 : -1;
    }

    @Override
    public int read(byte[] to, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        } else if (left == text.length && !fill()) {
            return -1;
        }
        int n = Math.min(length, text.length - left);
        System.arraycopy(text, left, to, from, n);
        left += n;
        return n;
    }

    /** Reads the next code for bytes; returns false at the end. */
    private boolean fill() throws IOException {
        int code = code();
        while (code == CLEAR) {
            bits = 9;
            next = END + 1;
            last = -1;
            code = code();
        }
        if (code < 0 || code == END) {
            return false;
        } else if (code > next || code == next && last < 0 || code > END && last < 0) {
            throw new IOException("damaged image: an LZW code that is not defined");
        }
        // A code that is about to be defined stands for the last bytes followed by their own first byte.
        int walk = code == next ? last : code;
        left = text.length - (code == next ? 1 : 0);
        for (; walk > END; walk = prefix[walk]) {
            text[--left] = suffix[walk];
        }
        first = walk;
        text[--left] = (byte) first;
        if (code == next) {
            text[text.length - 1] = (byte) first;
        }
        if (last >= 0 && next < SIZE) {
            prefix[next] = (short) last;
            suffix[next++] = (byte) first;
            if (next == (old ? 1 << bits : (1 << bits) - 1) && bits < 12) {
                bits++;
            }
        }
        last = code;
        return true;
    }

    private int code() {
        while (held < bits) {
            if (at >= end) {
                return -1;
            }
            int b = in[at++] & 255;
            buffer = old ? buffer | b << held : buffer << 8 | b;
            held += 8;
        }
        held -= bits;
        int mask = (1 << bits) - 1;
        if (old) {
            int code = buffer & mask;
            buffer >>>= bits;
            return code;
        }
        return buffer >>> held & mask;
    }
}
