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
 * Takes decompressed bytes: in memory as long as they are few, then in a temporary file. It takes no more than images that somebody
 * compressed can have, and no more than there is room for. Close it if it is not finished.
 */
final class Spool implements Closeable {
    /** A small file may hold this much, however well it is compressed. */
    private static final long ALWAYS = 256L << 20;
    /** Real images shrink to a tenth at best; what is drawn may shrink further, but not when there is much of it. */
    private static final long RATIO = 100;

    private final int memory;
    private final long most;
    private final LongSupplier free;
    /** What is in memory; null as soon as there is a file. */
    private UnsynchronizedByteArrayOutputStream first = UnsynchronizedByteArrayOutputStream.builder().get();
    private TemporaryFile file;
    private long length;
    private boolean finished;

    /**
     * An empty one.
     *
     * @param compressed bytes that are decompressed
     */
    Spool(long compressed) {
        this((int) Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 16), Math.max(ALWAYS, RATIO * compressed),
                TemporarySpace::free);
    }

    /**
     * An empty one.
     *
     * @param memory bytes to keep in memory
     * @param most bytes that it takes
     * @param free bytes that are free for a temporary file
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
     * Refuses bytes before any of them is taken.
     *
     * @param bytes that are to come
     * @throws IOException if they are too many
     */
    void expect(long bytes) throws IOException {
        long expected = length + bytes;
        if (expected > most) {
            throw new IOException("its content is out of all proportion to its size: more than " + (most >> 20)
                    + " MB; if it is meant to be so, decompress it yourself");
        }
        if (expected > memory) {
            // What is in memory goes to the file too.
            long needed = file == null ? expected : bytes;
            long room = free.getAsLong();
            if (needed > room) {
                throw TemporarySpace.unusable(new IOException("the decompressed content needs " + (needed >> 20) + " MB more, "
                        + (room >> 20) + " MB are free"));
            }
        }
    }

    /**
     * Takes all bytes of a stream.
     *
     * @throws IOException if they can't be read, are too many, or can't be kept
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

    /** What was added; the caller's to close. */
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
        // In case the JVM ends before anyone closes.
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
     * @param name for errors
     * @param compressed not closed
     */
    static Bytes gunzip(String name, Bytes compressed) throws IOException {
        try (Spool spool = new Spool(compressed.length()); InputStream in = new GZIPInputStream(compressed.stream(), 1 << 16)) {
            spool.add(in);
            return spool.finish();
        } catch (IOException e) {
            throw new IOException(name + " is truncated or damaged: " + Unreadable.reason(e), e);
        }
    }
}
