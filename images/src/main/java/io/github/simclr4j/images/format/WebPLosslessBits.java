package io.github.simclr4j.images.format;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reads the bits of lossless WebP data, the lowest bit of a byte first (RFC 9649, section 3.1). */
final class WebPLosslessBits {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] data;
    private final int end;
    private int next;
    private long bits;
    /** How many of {@link #bits} are valid. Beyond the end of the data zeros are supplied, at most 64 before it is noticed. */
    private int count;

    /** Reads from {@code data[from]} up to {@code data[end - 1]}. */
    WebPLosslessBits(byte[] data, int from, int end) {
        this.data = data;
        this.next = from;
        this.end = end;
    }

    /** Makes bits available to {@link #peek} and {@link #skip}, at most 56. */
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

    /** Returns the next bits without using them up; the upper ones are undefined unless {@link #fill} provided them. */
    int peek() {
        return (int) bits;
    }

    /** Uses bits up. */
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

    /** Refuses data that ended before what was read from it. */
    void checkEnd() throws IOException {
        if (8L * (next - end) > count) {
            throw new IOException("damaged or cut WebP image: its lossless data end before the last pixel");
        }
    }
}
