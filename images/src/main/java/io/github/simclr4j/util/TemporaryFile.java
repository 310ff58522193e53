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
 * A file that is written under a name of its own and takes its place by an atomic rename, see {@link Destination}. Closing deletes it
 * unless it was moved. While it is written it is locked: one that a killed process left is known by that nobody holds its lock, and is
 * deleted when the same file is written the next time. One thread uses it at a time.
 */
public final class TemporaryFile implements Closeable {
    private static final String ENDING = ".part";
    /** A random number in hexadecimal. */
    private static final String UNIQUE = "\\.[0-9a-f]{16}\\" + ENDING;
    /** Characters of a file's name that its temporary file's name begins with: at most 4 bytes each, of 255 that a name may have. */
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
     * Opens a temporary file for a file: beside it under a unique name or, if the file is a device or a FIFO, in the folder for
     * temporary files. The folder is created if it is missing.
     *
     * @throws IOException if it can't be created, or if the file is a folder
     */
    public static TemporaryFile beside(Path file) throws IOException {
        Destination destination = Destination.of(file);
        String name = start(destination.path().getFileName().toString());
        Path folder = destination.replaced() ? destination.path().getParent() : TemporarySpace.folder();
        Files.createDirectories(folder);
        OwnedFile.deleteAbandoned(folder, Pattern.compile(Pattern.quote(name) + UNIQUE));
        while (true) {
            Path path = folder.resolve(name + String.format(Locale.ROOT, ".%016x", ThreadLocalRandom.current().nextLong()) + ENDING);
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
     * Opens a temporary file under a unique name of the caller's, in the folder that the finished file will be in. It is not locked: the
     * caller deletes what killed processes left.
     *
     * @throws IOException if it can't be created
     * @throws FileAlreadyExistsException if there is a file of this name
     */
    public static TemporaryFile at(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        Files.createDirectories(absolute.getParent());
        return new TemporaryFile(absolute, null,
                FileChannel.open(absolute, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    /**
     * Deletes the temporary files that killed processes left in a folder.
     *
     * @param names the names of the files that they were for
     * @throws IOException if the folder can't be listed or a file not be deleted
     */
    public static void deleteAbandoned(Path folder, Pattern names) throws IOException {
        OwnedFile.deleteAbandoned(folder, Pattern.compile("(?:" + names.pattern() + ")" + UNIQUE));
    }

    /** Returns where the content is until it is moved. Whoever opens it gives up its lock when closing it. */
    public Path path() {
        return path;
    }

    /** Returns a buffered stream to the file. */
    public OutputStream stream() {
        return stream;
    }

    /**
     * Appends all of a buffer.
     *
     * @throws IOException if the disk is full, for example
     */
    public void write(ByteBuffer bytes) throws IOException {
        stream.flush();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Replaces bytes that have been written.
     *
     * @param position of the first one, in bytes from the beginning
     * @throws IOException if writing fails
     */
    public void overwrite(long position, ByteBuffer bytes) throws IOException {
        stream.flush();
        for (long at = position; bytes.hasRemaining();) {
            at += channel.write(bytes, at);
        }
    }

    /**
     * Flushes the stream and has the file system write the content to the disk.
     *
     * @throws IOException if either fails
     */
    public void force() throws IOException {
        stream.flush();
        channel.force(true);
        forced = true;
    }

    /**
     * Ends the writing and puts the file in its place in one step; after {@link #force} the new name is on the disk as well. What is a
     * device or a FIFO gets the content written to it.
     *
     * @throws IOException if the last bytes can't be written, or the file can't be renamed
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

    /** Has the file system write a folder's entries to the disk, where it can. */
    private static void sync(Path folder) {
        // Windows has no such thing.
        if (folder.getFileSystem().getSeparator().equals("/")) {
            try (FileChannel entries = FileChannel.open(folder)) {
                entries.force(true);
            } catch (IOException e) {
                // Some file systems refuse it. The file is in its place all the same.
            }
        }
    }

    /** Closes the file and deletes it unless it was moved; what is left in the stream's buffer is dropped. */
    @Override
    public void close() throws IOException {
        try {
            if (!moved) {
                // Deleted before its lock is given up.
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
