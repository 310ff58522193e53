// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/** Bytes that are read by position. Thread-safe. */
interface Bytes extends Closeable {
    long length();

    /**
     * Reads bytes into the first {@code count} elements of an array.
     *
     * @throws IOException if there are fewer bytes
     */
    void read(long at, byte[] into, int count) throws IOException;

    default byte[] read(long at, int count) throws IOException {
        byte[] bytes = new byte[count];
        read(at, bytes, count);
        return bytes;
    }

    /** Tells whether the first byte can be read now; used to notice a file that is gone. */
    default boolean isReadable() {
        try {
            return read(0, 1).length == 1;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    default void close() throws IOException {}

    static Bytes of(byte[] bytes) {
        return new Bytes() {
            @Override
            public long length() {
                return bytes.length;
            }

            @Override
            public void read(long at, byte[] into, int count) {
                System.arraycopy(bytes, Math.toIntExact(at), into, 0, count);
            }
        };
    }

    /** Returns a part of these bytes. Closing it does nothing. */
    default Bytes part(long from, long length) {
        Bytes whole = this;
        return new Bytes() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public void read(long at, byte[] into, int count) throws IOException {
                whole.read(from + at, into, count);
            }
        };
    }

    /** Returns the bytes as a stream. */
    default InputStream stream() {
        Bytes whole = this;
        return new InputStream() {
            private long at;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 255;
            }

            @Override
            public int read(byte[] into, int offset, int count) throws IOException {
                int n = (int) Math.min(count, whole.length() - at);
                if (n <= 0) {
                    return count == 0 ? 0 : -1;
                }
                byte[] bytes = whole.read(at, n);
                System.arraycopy(bytes, 0, into, offset, n);
                at += n;
                return n;
            }
        };
    }

    /** Returns whether the bytes begin with given values. */
    default boolean startsWith(int... first) throws IOException {
        byte[] expected = new byte[first.length];
        for (int i = 0; i < first.length; i++) {
            expected[i] = (byte) first[i];
        }
        return length() >= first.length && Arrays.equals(expected, read(0, first.length));
    }
}
