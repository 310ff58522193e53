// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * The bytes of a file. Each reading thread has its own file handle, because interrupting one thread would close a shared file channel
 * for all, and a memory-mapped file can't be unmapped.
 */
final class FileBytes implements Bytes {
    private final Path file;
    private final Closeable owner;
    private final long length;
    private final ConcurrentLinkedDeque<RandomAccessFile> idle = new ConcurrentLinkedDeque<>();
    private volatile boolean closed;

    FileBytes(Path file) throws IOException {
        this(file, () -> {});
    }

    /**
     * Opens a file.
     *
     * @param owner a resource to close together with this object, which may delete the file
     */
    FileBytes(Path file, Closeable owner) throws IOException {
        this.file = file;
        this.owner = owner;
        RandomAccessFile first = new RandomAccessFile(file.toFile(), "r");
        idle.push(first);
        length = first.length();
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void read(long at, byte[] into, int count) throws IOException {
        if (closed) {
            throw new IOException(file + " is closed");
        }
        RandomAccessFile handle = idle.poll();
        if (handle == null) {
            handle = new RandomAccessFile(file.toFile(), "r");
        }
        try {
            handle.seek(at);
            handle.readFully(into, 0, count);
        } catch (EOFException e) {
            throw new IOException(file + " has become shorter: it has no " + count + " bytes at " + at, e);
        } finally {
            idle.push(handle);
            if (closed) {
                close();
            }
        }
    }

    /** Returns true for a closed file, too: it is not gone, and reading it says what is wrong. */
    @Override
    public boolean isReadable() {
        return closed || Bytes.super.isReadable();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        for (RandomAccessFile handle = idle.poll(); handle != null; handle = idle.poll()) {
            handle.close();
        }
        owner.close();
    }
}
