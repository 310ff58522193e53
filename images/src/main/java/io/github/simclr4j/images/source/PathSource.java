package io.github.simclr4j.images.source;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.util.RegularFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Images that are files of their own. */
abstract class PathSource extends EncodedSource {
    PathSource(String container, List<String> names, Labels labels, LeftOut leftOut) {
        super(container, names, labels, leftOut);
    }

    /** Returns the file of an image; null for a name that can be no path on this system. */
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
    public void close() {}
}
