// SPDX-License-Identifier: Apache-2.0
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
 * The destination of output to a path. Symbolic links are followed, so that a link is kept and its target is written. A device, a FIFO or
 * an open file such as {@code /dev/stdout} is written to directly, since replacing it by a file would break its other users.
 *
 * @param path the absolute path after following all symbolic links; it need not exist
 * @param replaced whether a new file replaces the path; otherwise the content is written to the existing device, FIFO or open file
 * @since 0.1.0
 */
public record Destination(Path path, boolean replaced) {
    /** Maximum number of links to follow, as in Linux. */
    private static final int MAX_LINKS = 40;

    private static final Pattern OPEN_FILE =
            Pattern.compile("/(?:dev|proc/(self|thread-self|\\d+)(?:/task/\\d+)?)/fd/(\\d+)");

    /**
     * Follows the links of a path.
     *
     * @param file the path
     * @throws IOException if a link can't be read, if links form a cycle, or if the target is a folder
     */
    public static Destination of(Path file) throws IOException {
        Path path = file.toAbsolutePath();
        for (int i = 0; isOpenFile(path) || Files.isSymbolicLink(path); i++) {
            if (isOpenFile(path)) {
                return new Destination(path, false);
            }
            if (i == MAX_LINKS) {
                throw new IOException(file + " is a symbolic link in a cycle: choose another file");
            }
            path = path.resolveSibling(Files.readSymbolicLink(path));
        }
        if (Files.isDirectory(path)) {
            throw new IOException(file + " is a folder: choose a file");
        }
        return new Destination(path, !Files.exists(path) || Files.isRegularFile(path));
    }

    private static boolean isOpenFile(Path path) {
        return OPEN_FILE.matcher(path.normalize().toString()).matches();
    }

    /**
     * Opens a destination that is not replaced. For a FIFO this waits for a reader.
     *
     * @throws IOException if it can't be opened for writing
     * @throws IllegalStateException if the destination is a file to be replaced
     */
    public OutputStream open() throws IOException {
        if (replaced) {
            throw new IllegalStateException(path + " is replaced as a whole");
        }
        FileDescriptor standard = standardStream();
        if (standard != null) {
            // Opening the path again would overwrite a file that the output is redirected to.
            System.out.flush();
            System.err.flush();
            return unclosed(standard);
        }
        return isOpenFile(path)
                ? Files.newOutputStream(path, StandardOpenOption.WRITE, StandardOpenOption.APPEND)
                : Files.newOutputStream(path, StandardOpenOption.WRITE);
    }

    /**
     * Deletes the existing file, if any; a destination that is not replaced stays. Of several files that belong together, all but the
     * first are deleted before the first is replaced. So a process that is killed meanwhile leaves a missing file, which its readers
     * notice, and no new file beside an old one.
     *
     * @throws IOException if the file can't be deleted
     */
    public void delete() throws IOException {
        if (replaced) {
            Files.deleteIfExists(path);
        }
    }

    /** Returns whether this process may write to an existing destination; permissions of its folder are not checked. */
    public boolean isWritable() {
        return replaced || standardStream() != null || Files.isWritable(path);
    }

    /** Returns this process's standard output or standard error if the path names it, or else null. */
    private FileDescriptor standardStream() {
        Matcher open = OPEN_FILE.matcher(path.normalize().toString());
        if (!open.matches()
                || open.group(1) != null
                        && open.group(1).matches("\\d+")
                        && !open.group(1)
                                .equals(Long.toString(ProcessHandle.current().pid()))) {
            return null;
        }
        return switch (open.group(2)) {
            case "1" -> FileDescriptor.out;
            case "2" -> FileDescriptor.err;
            default -> null;
        };
    }

    /** Returns a stream that does not close its descriptor, since the process continues to use its standard streams. */
    private static OutputStream unclosed(FileDescriptor descriptor) {
        return new FileOutputStream(descriptor) {
            @Override
            public void close() {}
        };
    }
}
