// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/**
 * Decodes the colour indices of a GIF frame: LZW codes of variable length in blocks of up to 255 bytes (GIF89a, section 22,
 * appendix F).
 */
final class GifPixels {
    private static final int MAX_CODES = 4096;
    /** Maximum size of literal codes; more than the 8 bits of an index leave room only for the two special codes. */
    private static final int MAX_LITERAL_BITS = 11;

    private final byte[] file;
    private final int literals;
    private final int clear;
    private final int start;
    /** The prefix of each code: the sequence of a code is that of its prefix and one more index. */
    private final short[] prefix = new short[MAX_CODES];

    private final byte[] last = new byte[MAX_CODES];
    /** Indices that are decoded but not yet returned, the next one on top. */
    private final byte[] stack = new byte[MAX_CODES + 1];

    private int height;
    private int at;
    private int left;
    private int bits;
    private int bitCount;
    private int codes;
    private int codeSize;
    private int previous = -1;
    private int first;

    /**
     * Starts to decode.
     *
     * @param at position of the frame's data, which begin with the size of literal codes
     * @throws IOException if there are no data, or if that size is impossible
     */
    GifPixels(byte[] file, int at) throws IOException {
        this.file = file;
        if (at >= file.length) {
            throw incomplete();
        }
        literals = file[at] & 0xff;
        if (literals < 1 || literals > MAX_LITERAL_BITS) {
            throw new IOException("damaged GIF image: impossible code size " + literals);
        }
        clear = 1 << literals;
        start = at + 1;
        this.at = start;
        reset();
    }

    static IOException incomplete() {
        return new IOException("damaged GIF image: it ends before its first frame is complete");
    }

    private void reset() {
        codes = clear + 2;
        codeSize = literals + 1;
        previous = -1;
    }

    /** Returns an upper bound of the number of pixels in the data: the sequence of a code is at most 1 longer than all before it. */
    long most() {
        long bytes = 0;
        for (int p = start; p < file.length && file[p] != 0; p += 1 + (file[p] & 0xff)) {
            bytes += file[p] & 0xff;
        }
        long most = bytes * 8 / (literals + 1);
        return most * Math.min(most, MAX_CODES);
    }

    /**
     * Returns the next pixel's index, from 0 to 255.
     *
     * @throws IOException if the data end or are damaged
     */
    int next() throws IOException {
        if (height == 0) {
            decode();
        }
        return stack[--height] & 0xff;
    }

    /** Puts the sequence of the next code on the stack. */
    private void decode() throws IOException {
        int code = code();
        while (code == clear) {
            reset();
            code = code();
        }
        if (code == clear + 1) {
            throw incomplete();
        }
        if (code > codes
                || code == codes && (previous < 0 || codes == MAX_CODES)
                || previous < 0 && code > clear
                || code < clear && code > 255) {
            throw new IOException("damaged GIF image: impossible code");
        }
        int c = code;
        if (code == codes) {
            // The sequence that is being added: the previous one followed by its own first index.
            stack[height++] = (byte) first;
            c = previous;
        }
        while (c > clear) {
            stack[height++] = last[c];
            c = prefix[c];
        }
        stack[height++] = (byte) c;
        first = c;
        if (previous >= 0 && codes < MAX_CODES) {
            prefix[codes] = (short) previous;
            last[codes] = (byte) first;
            codes++;
            if (codes == 1 << codeSize && codeSize < 12) {
                codeSize++;
            }
        }
        previous = code;
    }

    private int code() throws IOException {
        while (bitCount < codeSize) {
            if (left == 0) {
                left = at < file.length ? file[at++] & 0xff : 0;
                if (left == 0) {
                    throw incomplete();
                }
            }
            if (at >= file.length) {
                throw incomplete();
            }
            bits |= (file[at++] & 0xff) << bitCount;
            bitCount += 8;
            left--;
        }
        int code = bits & (1 << codeSize) - 1;
        bits >>>= codeSize;
        bitCount -= codeSize;
        return code;
    }
}
