// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.format;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** VP8's arithmetic decoder of single bits (RFC 6386, section 7). */
final class WebPVp8Bits {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private final byte[] data;
    private final int end;
    private int next;
    private long value;
    /** Size of the current interval minus 1, 127 to 254. */
    private int range = 254;
    /** Number of bits of {@link #value} beyond the eight that are compared. */
    private int spare = -8;

    private final boolean impossible;
    private boolean ended;

    /** Creates a decoder of {@code data[from]} to {@code data[end - 1]}. */
    WebPVp8Bits(byte[] data, int from, int end) {
        this.data = data;
        this.next = from;
        this.end = end;
        load();
        // The interval ends below the value of eight ones, so no encoder begins with them.
        impossible = value >>> spare == 255;
    }

    /** Throws an exception if more was read than there are data (zeros follow them), or if no encoder can have written them. */
    void check() throws IOException {
        if (ended || impossible) {
            throw new IOException(
                    impossible
                            ? "damaged WebP image: its lossy data cannot be decoded"
                            : "damaged or cut WebP image: its lossy data end before the last pixel");
        }
    }

    /** Reads a bit that is 0 with a probability of about {@code probability / 256}. */
    int bit(int probability) {
        if (spare < 0) {
            load();
        }
        int split = range * probability >> 8;
        int bit;
        int left;
        if ((int) (value >>> spare) > split) {
            value -= (long) (split + 1) << spare;
            left = range - split;
            bit = 1;
        } else {
            left = split + 1;
            bit = 0;
        }
        int shift = Integer.numberOfLeadingZeros(left) - 24;
        range = (left << shift) - 1;
        spare -= shift;
        return bit;
    }

    /** Reads a bit with probability 1/2. */
    boolean flag() {
        return bit(128) == 1;
    }

    /** Reads an unsigned number, with its highest bit first. */
    int number(int bits) {
        int v = 0;
        for (int i = 0; i < bits; i++) {
            v = v << 1 | bit(128);
        }
        return v;
    }

    /** Reads a number and its sign. */
    int signed(int bits) {
        int v = number(bits);
        return flag() ? -v : v;
    }

    /** Reads an optional number and its sign; returns 0 if it is absent. */
    int optional(int bits) {
        return flag() ? signed(bits) : 0;
    }

    private void load() {
        if (next + 8 <= end) {
            value = value << 56 | (long) LONG.get(data, next) >>> 8;
            next += 7;
            spare += 56;
        } else if (next < end) {
            value = value << 8 | data[next++] & 255;
            spare += 8;
        } else {
            ended = true;
            value <<= 8;
            spare += 8;
        }
    }
}
