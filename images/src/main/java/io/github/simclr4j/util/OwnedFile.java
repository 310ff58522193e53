// SPDX-License-Identifier: Apache-2.0
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
 * A file that its process keeps locked as long as it runs. So a file without a lock is abandoned: its process was killed. On a file system
 * without locks no file counts as abandoned.
 *
 * <p>Closing any handle of a file releases all locks of the process on it. So this class never opens an owned file a second time.
 */
final class OwnedFile implements AutoCloseable {
    /** The files that this process owns, each by its {@link #key}. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();
    /** The locked byte, which is after any content, because locked bytes can't be read on Windows. */
    private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

    private final Path key;
    private final FileChannel channel;

    private OwnedFile(Path key, FileChannel channel) {
        this.key = key;
        this.channel = channel;
    }

    /** Returns the same path for all spellings of a file, so that links to its folder do not lead to a second handle of it. */
    private static Path key(Path path) {
        Path absolute = path.toAbsolutePath();
        try {
            return absolute.getParent().toRealPath().resolve(absolute.getFileName());
        } catch (IOException e) {
            // There is no such folder.
            return absolute;
        }
    }

    /**
     * Creates and owns a file.
     *
     * @return the file, or null if a file of this name exists
     * @throws IOException if the file can't be created
     */
    static OwnedFile create(Path path) throws IOException {
        Path key = key(path);
        if (!OWN.add(key)) {
            return null;
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(
                    path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
            // Another process may have deleted it as abandoned before it was locked.
            if (lock(channel) && Files.exists(path)) {
                return new OwnedFile(key, channel);
            }
        } catch (FileAlreadyExistsException e) {
            // The caller tries another name.
        } catch (IOException | RuntimeException e) {
            OWN.remove(key);
            throw e;
        }
        if (channel != null) {
            channel.close();
        }
        OWN.remove(key);
        return null;
    }

    /**
     * Opens and owns a file, which is created if it is missing.
     *
     * @return the file, or null if another process or another part of this process owns it
     * @throws IOException if the file can't be opened
     */
    static OwnedFile acquire(Path path) throws IOException {
        Path key = key(path);
        if (!OWN.add(key)) {
            return null;
        }
        FileChannel channel = null;
        try {
            while (true) {
                Object before = identity(path);
                // Does not follow symbolic links, for security.
                channel = FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
                if (!lock(channel)) {
                    break;
                }
                // The previous owner may have deleted the file between opening and locking; in that case try again.
                if (before != null && before.equals(identity(path))) {
                    return new OwnedFile(key, channel);
                }
                channel.close();
            }
        } catch (IOException | RuntimeException e) {
            if (channel != null) {
                channel.close();
            }
            OWN.remove(key);
            throw e;
        }
        channel.close();
        OWN.remove(key);
        return null;
    }

    /** Returns an object that distinguishes a file from other files of the same name, or null if it does not exist. */
    private static Object identity(Path path) throws IOException {
        try {
            Object key = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                    .fileKey();
            return key == null ? path : key;
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    /** Tries to lock a file; also returns true if the file system does not support locks. */
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

    /** Returns whether this process owns a file. */
    static boolean isOwn(Path path) {
        return OWN.contains(key(path));
    }

    /** Returns the channel of the open file. */
    FileChannel channel() {
        return channel;
    }

    /** Deletes the abandoned files of a folder, except those that can't be deleted. */
    static void deleteAbandoned(Path folder, Pattern names) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(
                folder, f -> names.matcher(f.getFileName().toString()).matches())) {
            all.forEach(found::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        for (Path path : found) {
            Path absolute = path.toAbsolutePath();
            if (!isOwn(absolute) && Files.isRegularFile(absolute, LinkOption.NOFOLLOW_LINKS)) {
                deleteIfAbandoned(absolute);
            }
        }
    }

    /** Deletes a file if it is abandoned, and returns whether it was. */
    static boolean deleteIfAbandoned(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            FileLock lock = channel.tryLock(LOCKED_BYTE, 1, false);
            return lock != null && Files.deleteIfExists(path);
        } catch (IOException | OverlappingFileLockException e) {
            // The file belongs to another user, or there are no locks.
            return false;
        }
    }

    /** Releases the lock without deleting the file. */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            OWN.remove(key);
        }
    }
}
