// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reads the bits of lossless WebP data, with the lowest bit of a byte first (RFC 9649, section 3.1). */
final class WebPLosslessBits {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] data;
    private final int end;
    private int next;
    private long bits;
    /** Number of valid bits in {@link #bits}. After the end of the data zeros follow, at most 64 before that is detected. */
    private int count;

    /** Creates a reader of {@code data[from]} to {@code data[end - 1]}. */
    WebPLosslessBits(byte[] data, int from, int end) {
        this.data = data;
        this.next = from;
        this.end = end;
    }

    /** Makes at most 56 bits available to {@link #peek} and {@link #skip}. */
    void fill(int wanted) throws IOException {
        if (count < wanted) {
            load();
        }
    }

    private void load() throws IOException {
        if (next + 8 <= end) {
            bits |= (long) LONG.get(data, next) << count;
            next += 63 - count >>> 3;
            count |= 56;
            return;
        }
        checkEnd();
        for (; count <= 55; count += 8) {
            if (next < end) {
                bits |= (data[next] & 255L) << count;
            }
            next++;
        }
    }

    /** Returns the next bits without consuming them. Bits that {@link #fill} did not provide are undefined. */
    int peek() {
        return (int) bits;
    }

    /** Consumes bits. */
    void skip(int n) {
        bits >>>= n;
        count -= n;
    }

    /** Reads a number of at most 24 bits. */
    int read(int n) throws IOException {
        fill(n);
        int value = (int) bits & (1 << n) - 1;
        skip(n);
        return value;
    }

    /** Throws an exception if more was read than there are data. */
    void checkEnd() throws IOException {
        if (8L * (next - end) > count) {
            throw new IOException("damaged or cut WebP image: its lossless data end before the last pixel");
        }
    }
}
