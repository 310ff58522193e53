// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;

/**
 * A temporary folder with an {@link OwnerMark} beside it. Folders left by killed processes are deleted when the next folder of
 * their kind is created. Closing deletes the folder.
 *
 * @since 0.1.0
 */
public final class OwnedFolder implements Closeable {
    private static final String MARK = ".mark";

    private final OwnerMark mark;

    private OwnedFolder(OwnerMark mark) {
        this.mark = mark;
    }

    /**
     * Creates a temporary folder, and deletes abandoned folders of its kind.
     *
     * @param kind the kind of the folder, such as {@code onnxruntime}
     * @throws IOException if the folder can't be created; the message names the folder for temporary files and the remedy
     */
    public static OwnedFolder create(String kind) throws IOException {
        OwnerMark mark = null;
        try {
            Path temporary = TemporarySpace.folder();
            for (OwnerMark abandoned : OwnerMark.find(temporary, kind).abandoned()) {
                new OwnedFolder(abandoned).close();
            }
            mark = OwnerMark.create(temporary, kind, List.of());
            OwnedFolder folder = new OwnedFolder(mark);
            Files.createDirectory(folder.path());
            return folder;
        } catch (IOException e) {
            if (mark != null) {
                mark.close();
            }
            throw TemporarySpace.unusable(e);
        }
    }

    /** Returns the path of the folder. */
    public Path path() {
        String name = mark.path().getFileName().toString();
        return mark.path().resolveSibling(name.substring(0, name.length() - MARK.length()));
    }

    /**
     * Writes a file to the folder.
     *
     * @param name the name of the file
     * @param bytes the content
     * @return the path of the file
     * @throws IOException if the file can't be written; the message names the folder for temporary files and the remedy
     */
    public Path write(String name, byte[] bytes) throws IOException {
        try {
            return Files.write(path().resolve(name), bytes);
        } catch (IOException e) {
            throw TemporarySpace.unusable(e);
        }
    }

    /** Deletes the folder and the files in it. */
    @Override
    public void close() throws IOException {
        Path folder = path();
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(folder);
        }
        mark.close();
    }
}
