package io.github.simclr4j.util;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is written under another name and takes its place by an atomic rename. Closing deletes it unless it was moved.
 * One thread uses it at a time.
 */
public final class TemporaryFile implements AutoCloseable {
    private static final String ENDING = ".part";

    private final Path path;
    private final FileChannel channel;
    private final OutputStream stream;
    private boolean moved;

    private TemporaryFile(Path path) throws IOException {
        this.path = path.toAbsolutePath();
        Files.createDirectories(this.path.getParent());
        channel = FileChannel.open(this.path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        stream = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
    }

    /**
     * Opens the temporary file of a file: its name with {@code .part} added. The folder is created if it is missing.
     *
     * @throws IOException if it can't be created
     */
    public static TemporaryFile beside(Path file) throws IOException {
        return new TemporaryFile(file.resolveSibling(file.getFileName() + ENDING));
    }

    /**
     * Opens a temporary file under a name of the caller's, in the folder that the finished file will be in.
     *
     * @throws IOException if it can't be created
     */
    public static TemporaryFile at(Path path) throws IOException {
        return new TemporaryFile(path);
    }

    /** Returns where the content is until it is moved. */
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
     * Flushes the stream and has the file system write the content to the disk.
     *
     * @throws IOException if either fails
     */
    public void force() throws IOException {
        stream.flush();
        channel.force(true);
    }

    /**
     * Ends the writing and puts the file in its place in one step.
     *
     * @throws IOException if the last bytes can't be written, or the file can't be renamed
     */
    public void moveTo(Path file) throws IOException {
        stream.flush();
        channel.close();
        Files.move(path, file.toAbsolutePath(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        moved = true;
    }

    /** Closes the file and deletes it unless it was moved; what is left in the stream's buffer is dropped. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (!moved) {
            Files.deleteIfExists(path);
        }
    }
}
