package io.github.simclr4j.util;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the content of a path goes: symbolic links are followed, so that a link stays and the file it leads to is written. A device,
 * a FIFO or an open file such as {@code /dev/stdout} is written to as it is; replacing it by a file would break whoever uses it.
 *
 * @param path the path after all symbolic links, absolute; nothing need exist there
 * @param replaced whether a whole new file takes the place; otherwise the content is written to what is there
 */
public record Destination(Path path, boolean replaced) {
    /** As many as Linux follows. */
    private static final int MAX_LINKS = 40;
    private static final Pattern OPEN_FILE = Pattern.compile("/(?:dev|proc/(self|thread-self|\\d+)(?:/task/\\d+)?)/fd/(\\d+)");

    /**
     * Follows the links of a path.
     *
     * @throws IOException if a link can't be read, if links go round in circles, or if the path leads to a folder
     */
    public static Destination of(Path file) throws IOException {
        Path path = file.toAbsolutePath();
        for (int i = 0; isOpenFile(path) || Files.isSymbolicLink(path); i++) {
            if (isOpenFile(path)) {
                return new Destination(path, false);
            }
            if (i == MAX_LINKS) {
                throw new IOException(file + " is a symbolic link that goes round in circles: name another file");
            }
            path = path.resolveSibling(Files.readSymbolicLink(path));
        }
        if (Files.isDirectory(path)) {
            throw new IOException(file + " is a folder: name a file");
        }
        return new Destination(path, !Files.exists(path) || Files.isRegularFile(path));
    }

    private static boolean isOpenFile(Path path) {
        return OPEN_FILE.matcher(path.normalize().toString()).matches();
    }

    /**
     * Opens what is not replaced, to write to it. A FIFO's reader is waited for.
     *
     * @throws IOException if it can't be opened for writing
     * @throws IllegalStateException if a file is to be replaced here
     */
    public OutputStream open() throws IOException {
        if (replaced) {
            throw new IllegalStateException(path + " is replaced as a whole");
        }
        FileDescriptor standard = standardStream();
        if (standard != null) {
            // Opened anew, a file that the output was redirected to would be written from its beginning.
            System.out.flush();
            System.err.flush();
            return unclosed(standard);
        }
        return isOpenFile(path)
                ? Files.newOutputStream(path, StandardOpenOption.WRITE, StandardOpenOption.APPEND)
                : Files.newOutputStream(path, StandardOpenOption.WRITE);
    }

    /** Returns whether this process may write there; whether a folder lets it make a file is not asked. */
    public boolean isWritable() {
        return replaced || standardStream() != null || Files.isWritable(path);
    }

    /** This process's standard output or standard error, if the path names it, or else null. */
    private FileDescriptor standardStream() {
        Matcher open = OPEN_FILE.matcher(path.normalize().toString());
        if (!open.matches() || open.group(1) != null && open.group(1).matches("\\d+")
                && !open.group(1).equals(Long.toString(ProcessHandle.current().pid()))) {
            return null;
        }
        return switch (open.group(2)) {
            case "1" -> FileDescriptor.out;
            case "2" -> FileDescriptor.err;
            default -> null;
        };
    }

    /** The process goes on using its standard streams. */
    private static OutputStream unclosed(FileDescriptor descriptor) {
        return new FileOutputStream(descriptor) {
            @Override
            public void close() {}
        };
    }
}
