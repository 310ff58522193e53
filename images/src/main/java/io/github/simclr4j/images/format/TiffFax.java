// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.util.Arrays;

/**
 * Decompresses CCITT data (ITU-T T.4 and T.6; TIFF 6.0, sections 10 and 11): rows of runs, or of differences from the previous row.
 * A set bit is black. The JDK's decoder is not used, because it rejects files whose rows end at whole bytes.
 */
final class TiffFax implements TiffRows {
    private final byte[] in;
    private final long end;
    private final int compression;
    private final boolean twoDimensional;
    private final int width;
    /** Positions of the colour changes in the previous row and in this one, beginning with white, filled up with the width. */
    private int[] before;

    private int[] changes;
    private int count;
    /** Position of the next bit. */
    private long at;

    /**
     * Starts to decompress a block.
     *
     * @param compression one of {@link TiffCompression}
     * @param twoDimensional whether rows of T.4 may be differences from previous rows
     * @param in the data from {@code from} to {@code to}, most significant bit first
     * @param width width of the block in pixels
     */
    TiffFax(int compression, boolean twoDimensional, byte[] in, int from, int to, int width) {
        this.in = in;
        at = 8L * from;
        end = 8L * to;
        this.compression = compression;
        this.twoDimensional = twoDimensional;
        this.width = width;
        before = new int[width + 6];
        changes = new int[width + 6];
        Arrays.fill(changes, width);
    }

    @Override
    public void next(byte[] row) throws IOException {
        int[] free = before;
        before = changes;
        changes = free;
        count = 0;
        if (isDifference()) {
            differences();
        } else {
            runs();
        }
        if (at > end) {
            throw damaged("the end is missing");
        }
        Arrays.fill(changes, count, changes.length, width);
        Arrays.fill(row, (byte) 0);
        for (int i = 0; changes[i] < width; i += 2) {
            fill(row, changes[i], changes[i + 1]);
        }
    }

    /** Moves to the data of the next row, and returns whether they are differences from the previous row. */
    private boolean isDifference() throws IOException {
        switch (compression) {
            case TiffCompression.FAX_4 -> {
                return true;
            }
            case TiffCompression.FAX_3 -> {
                boolean found = skipEndOfLine();
                if (!found && twoDimensional) {
                    throw damaged("an end of line is missing");
                }
                return twoDimensional && take(1) == 0;
            }
            default -> at = (at + 7) / 8 * 8;
        }
        return false;
    }

    /** Skips an end of line (at least 11 zeros and a one) if it comes next. */
    private boolean skipEndOfLine() {
        if (peek(11) != 0) {
            return false;
        }
        while (at < end && peek(1) == 0) {
            at++;
        }
        at++;
        return true;
    }

    private void runs() throws IOException {
        int x = 0;
        for (int colour = 0; x < width; colour = 1 - colour) {
            x += run(colour);
            change(x);
        }
    }

    private void differences() throws IOException {
        int colour = 0;
        int x = -1;
        // Find the first change to the other colour in the previous row that is right of x.
        int b = 0;
        while (x < width) {
            while (before[b] <= x && before[b] < width) {
                b += 2;
            }
            int shift = 0;
            if (peek(1) == 1) {
                at++;
            } else if (peek(3) == 1) {
                at += 3;
                x = Math.max(x, 0) + run(colour);
                change(x);
                x += run(1 - colour);
                change(x);
                continue;
            } else if (peek(4) == 1) {
                at += 4;
                x = before[b + 1];
                continue;
            } else {
                shift = shift();
            }
            int next = before[b] + shift;
            if (next < Math.max(x, 0)) {
                throw damaged("a run of negative length");
            }
            x = next;
            change(x);
            colour = 1 - colour;
            b = b > 0 ? b - 1 : 1;
        }
    }

    /** Reads the offset of a change from that in the previous row: 1 to 3 or -1 to -3 pixels to the right. */
    private int shift() throws IOException {
        for (int distance = 1; distance <= 3; distance++) {
            // The codes are 011 and 010, 000011 and 000010, 0000011 and 0000010.
            int length = distance == 1 ? 3 : distance + 4;
            int code = peek(length);
            if (code >> 1 == 1) {
                at += length;
                return code == 3 ? distance : -distance;
            }
        }
        throw damaged(at >= end ? "the end is missing" : "an unknown code");
    }

    private int run(int colour) throws IOException {
        int sum = 0;
        while (true) {
            int found = TiffFaxCodes.run(colour, peek(TiffFaxCodes.BITS));
            if (found == 0) {
                throw damaged(at >= end ? "the end is missing" : "an unknown code");
            }
            at += found & 15;
            sum += found >> 4;
            if (found >> 4 < 64) {
                return sum;
            } else if (sum > width) {
                throw damaged("a row is too long");
            }
        }
    }

    private void change(int x) throws IOException {
        if (x > width || count == width + 2) {
            throw damaged("a row is too long");
        }
        changes[count++] = x;
    }

    private int take(int bits) {
        int value = peek(bits);
        at += bits;
        return value;
    }

    /** Returns the next bits, at most 16. After the end they are 0. */
    private int peek(int bits) {
        int value = 0;
        for (int i = 0; i < 3; i++) {
            long index = (at >> 3) + i;
            value = value << 8 | (8 * index < end ? in[(int) index] & 255 : 0);
        }
        return value >>> 24 - (int) (at & 7) - bits & (1 << bits) - 1;
    }

    private static void fill(byte[] row, int from, int to) {
        for (int x = from; x < to; x++) {
            if ((x & 7) == 0 && to - x >= 8) {
                row[x >> 3] = -1;
                x += 7;
            } else {
                row[x >> 3] |= (byte) (0x80 >> (x & 7));
            }
        }
    }

    private static IOException damaged(String what) {
        return new IOException("damaged image: CCITT data in a strip or tile: " + what);
    }
}
