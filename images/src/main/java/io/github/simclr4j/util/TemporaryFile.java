// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * A file that is written under a temporary name and then moved to its final place by an atomic rename; see {@link Destination}. Closing
 * deletes it unless it was moved. It is locked while it is written. A temporary file without a lock was left by a killed process, and is
 * deleted when the same file is written the next time. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class TemporaryFile implements Closeable {
    private static final String ENDING = ".part";
    /** Pattern of the random number before the ending. */
    private static final String UNIQUE = "\\.[0-9a-f]{16}";
    /** Number of characters of a file's name that the temporary name begins with. They take at most 4 of 255 bytes each. */
    private static final int NAME = 50;

    private final Path path;
    private final OwnedFile owned;
    private final FileChannel channel;
    private final OutputStream stream;
    private boolean forced;
    private boolean moved;

    private TemporaryFile(Path path, OwnedFile owned, FileChannel channel) {
        this.path = path;
        this.owned = owned;
        this.channel = channel;
        stream = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
    }

    /**
     * Creates a temporary file for a file: beside it under a unique name or, if the file is a device or a FIFO, in the folder for temporary
     * files. The folder is created if it is missing.
     *
     * @param file the final path
     * @throws IOException if the temporary file can't be created, or if the path is a folder
     */
    public static TemporaryFile beside(Path file) throws IOException {
        Destination destination = Destination.of(file);
        String name = start(destination.path().getFileName().toString());
        Path folder = destination.replaced() ? destination.path().getParent() : TemporarySpace.folder();
        Files.createDirectories(folder);
        return create(folder, name, ENDING);
    }

    /**
     * Creates a folder if it is missing, and checks that files can be created in it by creating one and deleting it. If the process is
     * killed between the two, the next check of the folder deletes the file.
     *
     * @param folder the folder
     * @throws IOException if the folder or the file can't be created
     */
    public static void probe(Path folder) throws IOException {
        Files.createDirectories(folder);
        create(folder, "simclr", ".probe").close();
    }

    /** Creates a locked file with a unique name, after deleting those of the same kind that killed processes left. */
    private static TemporaryFile create(Path folder, String name, String ending) throws IOException {
        OwnedFile.deleteAbandoned(folder, Pattern.compile(Pattern.quote(name) + UNIQUE + Pattern.quote(ending)));
        while (true) {
            long number = ThreadLocalRandom.current().nextLong();
            Path path = folder.resolve(name + String.format(Locale.ROOT, ".%016x", number) + ending);
            OwnedFile owned = OwnedFile.create(path);
            if (owned != null) {
                return new TemporaryFile(path, owned, owned.channel());
            }
        }
    }

    private static String start(String name) {
        if (name.length() <= NAME) {
            return name;
        }
        return name.substring(0, Character.isHighSurrogate(name.charAt(NAME - 1)) ? NAME - 1 : NAME);
    }

    /**
     * Creates a temporary file with a unique name that the caller chooses, in the folder of the finished file. It is not locked: the caller
     * deletes files that killed processes left.
     *
     * @param path the path of the temporary file
     * @throws FileAlreadyExistsException if a file of this name exists
     * @throws IOException if the file can't be created
     */
    public static TemporaryFile at(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        Files.createDirectories(absolute.getParent());
        return new TemporaryFile(
                absolute,
                null,
                FileChannel.open(
                        absolute, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    /**
     * Deletes the temporary files that killed processes left in a folder.
     *
     * @param folder the folder
     * @param names pattern of the final names
     * @throws IOException if the folder can't be listed or a file can't be deleted
     */
    public static void deleteAbandoned(Path folder, Pattern names) throws IOException {
        OwnedFile.deleteAbandoned(
                folder, Pattern.compile("(?:" + names.pattern() + ")" + UNIQUE + Pattern.quote(ENDING)));
    }

    /** Returns the temporary path. Opening and closing it elsewhere in this process releases its lock. */
    public Path path() {
        return path;
    }

    /** Returns a buffered stream to the file. */
    public OutputStream stream() {
        return stream;
    }

    /**
     * Appends the remaining bytes of a buffer.
     *
     * @param bytes the buffer
     * @throws IOException if writing fails, for example because the disk is full
     */
    public void write(ByteBuffer bytes) throws IOException {
        stream.flush();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Overwrites bytes that were written before.
     *
     * @param position position of the first byte
     * @param bytes the new bytes
     * @throws IOException if writing fails
     */
    public void overwrite(long position, ByteBuffer bytes) throws IOException {
        stream.flush();
        for (long at = position; bytes.hasRemaining(); ) {
            at += channel.write(bytes, at);
        }
    }

    /**
     * Flushes the stream and forces the content to disk.
     *
     * @throws IOException if either fails
     */
    public void force() throws IOException {
        stream.flush();
        channel.force(true);
        forced = true;
    }

    /**
     * Finishes writing and atomically moves the file to its final place. If {@link #force} was called, the new name is also forced to disk.
     * If the final path is a device or a FIFO, the content is written to it.
     *
     * @param file the final path
     * @throws IOException if the last bytes can't be written, or if the file can't be renamed
     */
    public void moveTo(Path file) throws IOException {
        stream.flush();
        Destination destination = Destination.of(file);
        if (!destination.replaced()) {
            channel.position(0);
            try (OutputStream out = destination.open()) {
                Channels.newInputStream(channel).transferTo(out);
            }
            return;
        }
        Files.move(path, destination.path(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        moved = true;
        close();
        if (forced) {
            sync(destination.path().getParent());
        }
    }

    /** Forces a folder's entries to disk, if the file system supports that. */
    private static void sync(Path folder) {
        // Windows does not support this.
        if (folder.getFileSystem().getSeparator().equals("/")) {
            try (FileChannel entries = FileChannel.open(folder)) {
                entries.force(true);
            } catch (IOException e) {
                // Some file systems do not support it. The file was moved nevertheless.
            }
        }
    }

    /** Closes the file, and deletes it unless it was moved. Bytes in the stream's buffer are dropped. */
    @Override
    public void close() throws IOException {
        try {
            if (!moved) {
                // Deleted before the lock is released.
                Files.deleteIfExists(path);
            }
        } finally {
            if (owned == null) {
                channel.close();
            } else {
                owned.close();
            }
        }
    }
}
