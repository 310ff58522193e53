package io.github.simclr4j.util;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * A file with a lock that its process holds as long as it lives: what nobody holds a lock of was left by a process that was killed.
 * Where a file system has no locks, nothing counts as left.
 *
 * <p>Closing a file gives up all locks that the process has on it, so that the paths of its own are never opened here a second time.
 */
final class OwnedFile implements AutoCloseable {
    /** Files that this process owns. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();
    /** Behind any content: on Windows what is locked can't be read. */
    private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

    private final Path path;
    private final FileChannel channel;

    private OwnedFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /**
     * Creates a file and owns it.
     *
     * @return null if there is a file of this name
     * @throws IOException if it can't be created
     */
    static OwnedFile create(Path path) throws IOException {
        if (!OWN.add(path)) {
            return null;
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            // Another process may have taken it for an abandoned one before it was locked.
            if (lock(channel) && Files.exists(path)) {
                return new OwnedFile(path, channel);
            }
        } catch (FileAlreadyExistsException e) {
            // Another name is tried.
        } catch (IOException | RuntimeException e) {
            OWN.remove(path);
            throw e;
        }
        if (channel != null) {
            channel.close();
        }
        OWN.remove(path);
        return null;
    }

    /**
     * Opens a file, creating it if it is missing, and owns it.
     *
     * @return null if another process or another part of this one owns it
     * @throws IOException if it can't be opened
     */
    static OwnedFile acquire(Path path) throws IOException {
        if (!OWN.add(path)) {
            return null;
        }
        FileChannel channel = null;
        try {
            while (true) {
                Object before = identity(path);
                // Not through a link that somebody put there.
                channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
                if (!lock(channel)) {
                    break;
                }
                // The owner before may have deleted it between the opening and the locking; a new one is looked at once more.
                if (before != null && before.equals(identity(path))) {
                    return new OwnedFile(path, channel);
                }
                channel.close();
            }
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                channel.close();
            }
            OWN.remove(path);
            throw e;
        }
        channel.close();
        OWN.remove(path);
        return null;
    }

    /** What tells a file from another of the same name; null if there is none. */
    private static Object identity(Path path) throws IOException {
        try {
            Object key = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).fileKey();
            return key == null ? path : key;
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Whether nobody else holds the lock; also true where the file system has none. */
    private static boolean lock(FileChannel channel) {
        try {
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    /** Whether this process owns a file. */
    static boolean isOwn(Path path) {
        return OWN.contains(path);
    }

    /** The open file. */
    FileChannel channel() {
        return channel;
    }

    /** Deletes the files of a folder whose owners were killed; one that can't be deleted stays. */
    static void deleteAbandoned(Path folder, Pattern names) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder, f -> names.matcher(f.getFileName().toString()).matches())) {
            all.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        for (Path path : found) {
            Path absolute = path.toAbsolutePath();
            if (!OWN.contains(absolute) && Files.isRegularFile(absolute, LinkOption.NOFOLLOW_LINKS)) {
                deleteIfAbandoned(absolute);
            }
        }
    }

    /** Returns whether a file's owner was killed; the file is deleted then. */
    static boolean deleteIfAbandoned(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            return lock != null && Files.deleteIfExists(path);
        } catch (IOException | OverlappingFileLockException e) {
            // Another user's, or there are no locks here.
            return false;
        }
    }

    /** Gives the file up. It is not deleted. */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            OWN.remove(path);
        }
    }
}
