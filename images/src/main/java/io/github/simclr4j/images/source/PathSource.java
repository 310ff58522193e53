// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.util.RegularFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The base class of sources whose images are separate files. */
abstract class PathSource extends EncodedSource {
    /** The folder of the images; null for a list of files. */
    private final Path folder;

    PathSource(Path folder, List<String> names, Labels labels, LeftOut leftOut) {
        super(folder == null ? "" : folder + folder.getFileSystem().getSeparator(), names, labels, leftOut);
        this.folder = folder;
    }

    /** Returns the file of an image, or null if its name is not a valid path on this system. */
    abstract Path file(int i);

    @Override
    final long length(int i) throws IOException {
        Path file = file(i);
        return file != null && Files.isRegularFile(file) ? Files.size(file) : -1;
    }

    @Override
    final String missing(int i) {
        Path file = file(i);
        return file == null ? super.missing(i) : RegularFiles.objection(file);
    }

    @Override
    final byte[] bytes(int i) throws IOException {
        return RegularFiles.read(file(i));
    }

    @Override
    final boolean isReadable(int i) {
        Path file = file(i);
        if (file == null || !Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            in.read();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns whether the folder exists and is not empty, as it is after a file system was unmounted. */
    @Override
    final boolean isThere() {
        if (folder == null) {
            return true;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            return files.iterator().hasNext();
        } catch (IOException | DirectoryIteratorException e) {
            return false;
        }
    }

    @Override
    public void close() {}
}
