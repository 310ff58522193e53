// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.TemporaryFile;
import io.github.simclr4j.util.TemporarySpace;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.LongSupplier;
import java.util.zip.GZIPInputStream;
import org.apache.commons.io.output.UnsynchronizedByteArrayOutputStream;

/**
 * Collects decompressed bytes, first in memory and then in a temporary file. It rejects content that is implausibly large for its
 * compressed size (a decompression bomb) or for which there is no room on disk. Close it unless {@link #finish} was called.
 */
final class Spool implements Closeable {
    /** Number of bytes that any file may decompress to. */
    private static final long ALWAYS = 256L << 20;
    /** Maximum compression ratio of larger files. Photographs reach 10 at best; drawings reach more, but not in large amounts. */
    private static final long RATIO = 100;

    private final int memory;
    private final long most;
    private final LongSupplier free;
    /** The bytes in memory; null once there is a file. */
    private UnsynchronizedByteArrayOutputStream first =
            UnsynchronizedByteArrayOutputStream.builder().get();

    private TemporaryFile file;
    private long length;
    private boolean finished;

    /**
     * Creates an empty spool.
     *
     * @param compressed size of the compressed data in bytes
     */
    Spool(long compressed) {
        this(
                (int) Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 16),
                Math.max(ALWAYS, RATIO * compressed),
                TemporarySpace::free);
    }

    /**
     * Creates an empty spool.
     *
     * @param memory maximum number of bytes to keep in memory
     * @param most maximum number of bytes
     * @param free returns the number of bytes available for a temporary file
     */
    Spool(int memory, long most, LongSupplier free) {
        this.memory = memory;
        this.most = most;
        this.free = free;
    }

    long length() {
        return length;
    }

    /**
     * Checks that there is room for a number of bytes before any of them is added.
     *
     * @param bytes number of bytes to be added
     * @throws IOException if there are too many
     */
    void expect(long bytes) throws IOException {
        long expected = length + bytes;
        if (expected > most) {
            throw new IOException("its content is implausibly large for its compressed size: more than " + (most >> 20)
                    + " MB; if that is intended, decompress it first");
        }
        if (expected > memory) {
            // The bytes in memory are also moved to the file.
            long needed = file == null ? expected : bytes;
            long room = free.getAsLong();
            if (needed > room) {
                throw TemporarySpace.unusable(new IOException("the decompressed content needs " + (needed >> 20)
                        + " MB more, " + (room >> 20) + " MB are free"));
            }
        }
    }

    /**
     * Adds all bytes of a stream.
     *
     * @throws IOException if the bytes can't be read, are too many, or can't be stored
     */
    void add(InputStream in) throws IOException {
        byte[] buffer = new byte[1 << 16];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            expect(n);
            try {
                keep(buffer, n);
            } catch (IOException e) {
                throw TemporarySpace.unusable(e);
            }
        }
    }

    private void keep(byte[] bytes, int count) throws IOException {
        if (file == null && length + count > memory) {
            file = TemporaryFile.beside(TemporarySpace.folder().resolve("simclr4j.spool"));
            first.writeTo(file.stream());
            first = null;
        }
        if (file == null) {
            first.write(bytes, 0, count);
        } else {
            file.stream().write(bytes, 0, count);
        }
        length += count;
    }

    /** Returns the bytes that were added. The caller closes them. */
    Bytes finish() throws IOException {
        finished = true;
        if (file == null) {
            return Bytes.of(first.toByteArray());
        }
        try {
            file.stream().flush();
        } catch (IOException e) {
            file.close();
            throw TemporarySpace.unusable(e);
        }
        // In case the JVM ends before the bytes are closed.
        file.path().toFile().deleteOnExit();
        return new FileBytes(file.path(), file);
    }

    @Override
    public void close() throws IOException {
        if (!finished && file != null) {
            file.close();
        }
    }

    /**
     * Decompresses gzip.
     *
     * @param name the file's name in messages
     * @param compressed the compressed bytes, which are not closed
     */
    static Bytes gunzip(String name, Bytes compressed) throws IOException {
        try (Spool spool = new Spool(compressed.length());
                InputStream in = new GZIPInputStream(compressed.stream(), 1 << 16)) {
            spool.add(in);
            return spool.finish();
        } catch (IOException e) {
            throw new IOException(name + " is truncated or damaged: " + Unreadable.reason(e), e);
        }
    }
}
