// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;

/**
 * A prefix code of lossless WebP data (RFC 9649, section 3.7.2), as a table that is indexed by the next bits. Codes longer than eight bits
 * continue in a second table.
 */
final class WebPPrefixCode {
    static final int MAX_LENGTH = 15;
    private static final int ROOT_BITS = 8;
    private static final int[] LENGTH_ORDER = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

    /** Entries: value * 16 + length, or, marked by the sign, index of a second table * 16 + its bits. */
    private final int[] table;

    private final int mask;

    private WebPPrefixCode(int[] table, int mask) {
        this.table = table;
        this.mask = mask;
    }

    /** Reads the next symbol. At least 15 bits must be available. */
    int read(WebPLosslessBits in) {
        int next = in.peek();
        int entry = table[next & mask];
        if (entry < 0) {
            in.skip(ROOT_BITS);
            next = in.peek();
            entry = table[(entry >>> 4 & 0x7ffffff) + (next & (1 << (entry & 15)) - 1)];
        }
        in.skip(entry & 15);
        return entry >>> 4;
    }

    /** Returns the number of entries, four bytes each. */
    int size() {
        return table.length;
    }

    /**
     * Reads the lengths of a code's symbols.
     *
     * @param symbols the size of the alphabet
     * @return lengths of 0 to 15, at least one for each symbol
     */
    static int[] readLengths(WebPLosslessBits in, int symbols) throws IOException {
        // The symbols of a simple code have eight bits, even if the alphabet is smaller.
        int[] lengths = new int[Math.max(256, symbols)];
        if (in.read(1) == 1) {
            boolean two = in.read(1) == 1;
            lengths[in.read(in.read(1) == 0 ? 1 : 8)] = 1;
            if (two) {
                lengths[in.read(8)] = 1;
            }
            return lengths;
        }
        int[] lengthLengths = new int[LENGTH_ORDER.length];
        int used = 4 + in.read(4);
        for (int i = 0; i < used; i++) {
            lengthLengths[LENGTH_ORDER[i]] = in.read(3);
        }
        WebPPrefixCode code = of(lengthLengths, LENGTH_ORDER.length);
        int left = symbols;
        if (in.read(1) == 1) {
            left = 2 + in.read(2 + 2 * in.read(3));
            if (left > symbols) {
                throw damaged();
            }
        }
        int previous = 8;
        for (int symbol = 0; symbol < symbols && left > 0; left--) {
            in.fill(MAX_LENGTH);
            int length = code.read(in);
            if (length < 16) {
                lengths[symbol++] = length;
                previous = length == 0 ? previous : length;
                continue;
            }
            int repeat = length == 16 ? 3 + in.read(2) : length == 17 ? 3 + in.read(3) : 11 + in.read(7);
            if (repeat > symbols - symbol) {
                throw damaged();
            }
            for (int end = symbol + repeat; symbol < end; symbol++) {
                lengths[symbol] = length == 16 ? previous : 0;
            }
        }
        in.checkEnd();
        return lengths;
    }

    /**
     * Builds a code, in which shorter codes come before longer ones and smaller symbols before larger ones.
     *
     * @param lengths the symbols' lengths, 0 to 15
     * @param symbols number of lengths to use
     * @throws IOException if the code is incomplete
     */
    static WebPPrefixCode of(int[] lengths, int symbols) throws IOException {
        int[] counts = new int[MAX_LENGTH + 1];
        int last = 0;
        int longest = 0;
        for (int s = 0; s < symbols; s++) {
            counts[lengths[s]]++;
            if (lengths[s] > 0) {
                last = s;
                longest = Math.max(longest, lengths[s]);
            }
        }
        int used = symbols - counts[0];
        if (used == 1) {
            return new WebPPrefixCode(new int[] {last << 4}, 0);
        }
        int[] next = new int[MAX_LENGTH + 1];
        int code = 0;
        int open = 1;
        for (int length = 1; length <= MAX_LENGTH; length++) {
            code = code + (length > 1 ? counts[length - 1] : 0) << 1;
            next[length] = code;
            open = (open << 1) - counts[length];
            if (open < 0) {
                throw damaged();
            }
        }
        if (used == 0 || open != 0) {
            throw damaged();
        }
        return fill(lengths, symbols, next, longest);
    }

    private static WebPPrefixCode fill(int[] lengths, int symbols, int[] next, int longest) {
        int rootBits = Math.min(ROOT_BITS, longest);
        int root = 1 << rootBits;
        int[] codes = new int[symbols];
        // The length of the longest code that begins with each root entry.
        int[] deepest = new int[root];
        for (int s = 0; s < symbols; s++) {
            if (lengths[s] > 0) {
                codes[s] = Integer.reverse(next[lengths[s]]++) >>> 32 - lengths[s];
                deepest[codes[s] & root - 1] = Math.max(deepest[codes[s] & root - 1], lengths[s]);
            }
        }
        int size = root;
        int[] starts = new int[root];
        for (int i = 0; i < root; i++) {
            if (deepest[i] > rootBits) {
                starts[i] = size;
                size += 1 << deepest[i] - rootBits;
            }
        }
        int[] table = new int[size];
        for (int i = 0; i < root; i++) {
            if (starts[i] > 0) {
                table[i] = 1 << 31 | starts[i] << 4 | deepest[i] - rootBits;
            }
        }
        for (int s = 0; s < symbols; s++) {
            int length = lengths[s];
            if (length == 0) {
                continue;
            }
            int entry = codes[s] & root - 1;
            if (length <= rootBits) {
                for (int i = codes[s]; i < root; i += 1 << length) {
                    table[i] = s << 4 | length;
                }
            } else {
                int bits = deepest[entry] - rootBits;
                for (int i = codes[s] >>> rootBits; i < 1 << bits; i += 1 << length - rootBits) {
                    table[starts[entry] + i] = s << 4 | length - rootBits;
                }
            }
        }
        return new WebPPrefixCode(table, root - 1);
    }

    private static IOException damaged() {
        return new IOException("damaged WebP image: its prefix codes are incomplete");
    }
}
