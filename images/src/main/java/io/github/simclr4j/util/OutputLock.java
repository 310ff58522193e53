// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * Prevents two processes from writing the same file or folder at the same time. It locks a hidden file beside the file or in the folder.
 * The lock ends with its process, even if that is killed, and a remaining hidden file is harmless. On a file system without locks this
 * class has no effect.
 *
 * @since 0.1.0
 */
public final class OutputLock implements AutoCloseable {
    private static final String ENDING = ".lock";
    private static final String OF_FOLDER = ".simclr" + ENDING;
    /** Number of attempts, 10 ms apart, to read the process number from a lock's file. */
    private static final int NAMING_TRIES = 100;

    private final Path path;
    private final OwnedFile owned;

    private OutputLock(Path path, OwnedFile owned) {
        this.path = path;
        this.owned = owned;
    }

    /**
     * Locks a file to be written, or an existing folder. Devices and FIFOs are not locked.
     *
     * @param output the file or folder
     * @throws IOException if another process or another part of this process holds the lock; the message names the path and the process
     */
    public static OutputLock of(Path output) throws IOException {
        return Uninterrupted.run(() -> lock(output));
    }

    private static OutputLock lock(Path output) throws IOException {
        Path path;
        if (Files.isDirectory(output)) {
            path = output.toRealPath().resolve(OF_FOLDER);
        } else {
            Destination destination = Destination.of(output);
            if (!destination.replaced()) {
                return new OutputLock(null, null);
            }
            Path folder =
                    Files.createDirectories(destination.path().getParent()).toRealPath();
            path = folder.resolve("." + destination.path().getFileName() + ENDING);
        }
        OwnedFile owned;
        try {
            owned = OwnedFile.acquire(path);
        } catch (AccessDeniedException e) {
            throw new IOException(
                    "Can't lock " + output + ": " + path + " can't be written to; if no other process is writing to "
                            + output + ", delete it",
                    e);
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw unwritable(output, e);
        }
        if (owned == null) {
            throw new HeldException(
                    owner(path) + " is writing to " + output + ": wait until it has ended, or choose another path");
        }
        OutputLock lock = new OutputLock(path, owned);
        try {
            owned.channel().truncate(0);
            owned.channel()
                    .write(ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)));
        } catch (ClosedByInterruptException | RuntimeException e) {
            lock.close();
            throw e;
        } catch (IOException e) {
            lock.close();
            throw unwritable(output, e);
        }
        return lock;
    }

    private static IOException unwritable(Path output, IOException e) {
        return new IOException(
                "Can't write " + output + ": " + e.getMessage() + "; free some space there, or choose another path", e);
    }

    /**
     * Locks a file or folder, as {@link #of} does, but waits while another process holds the lock.
     *
     * @param output the file or folder
     * @param patience maximum time to wait
     * @throws java.io.InterruptedIOException if the thread is interrupted; its interrupt status stays set
     * @throws IOException if the lock is still held after that time; the message names the path and the process
     */
    public static OutputLock waitFor(Path output, Duration patience) throws IOException {
        long end = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return of(output);
            } catch (HeldException e) {
                if (System.nanoTime() > end) {
                    throw e;
                }
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while waiting for " + output);
            }
        }
    }

    /** Thrown if the lock is held elsewhere. */
    private static final class HeldException extends IOException {
        private static final long serialVersionUID = 1;

        HeldException(String message) {
            super(message);
        }
    }

    private static String owner(Path path) {
        if (OwnedFile.isOwn(path)) {
            return "This process";
        }
        try {
            // The other process may have taken the lock but not written its number yet.
            for (int i = 0; i < NAMING_TRIES; i++) {
                String text = Files.readString(path, StandardCharsets.US_ASCII);
                if (text.matches("\\d+\n")) {
                    return "Another process (" + text.strip() + ")";
                }
                LockSupport.parkNanos(10_000_000);
            }
        } catch (IOException e) {
            // The process has ended, or its file can't be read.
        }
        return "Another process";
    }

    /** Releases the lock. A second call does nothing. */
    @Override
    public void close() throws IOException {
        if (owned != null && owned.channel().isOpen()) {
            try {
                Files.deleteIfExists(path);
            } finally {
                owned.close();
            }
        }
    }
}
