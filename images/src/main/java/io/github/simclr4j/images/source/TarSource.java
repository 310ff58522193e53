// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A source of the image files in a tar archive, read in place from a plain archive or from a {@link Spool} of a compressed one. */
final class TarSource extends EncodedSource {
    private final Bytes bytes;
    private final List<TarIndex.Member> members;

    private TarSource(
            Path file, Bytes bytes, List<TarIndex.Member> members, List<String> names, Labels labels, LeftOut leftOut) {
        super(file + "!", names, labels, leftOut);
        this.bytes = bytes;
        this.members = members;
    }

    /** Opens a plain archive. */
    static ImageSource open(Path file, Progress progress) throws IOException {
        FileBytes bytes = new FileBytes(file);
        TarIndex index;
        try {
            index = TarIndex.plain(file, bytes.length(), progress);
        } catch (IOException | IllegalArgumentException e) {
            bytes.close();
            throw damaged(file, e);
        }
        return source(file, bytes, index, progress);
    }

    /** Opens a compressed archive. */
    static ImageSource decompress(Path file, Progress progress) throws IOException {
        TarIndex index = null;
        Bytes bytes = null;
        try {
            List<String> names = null;
            while (bytes == null) {
                try (Spool spool = new Spool(Files.size(file))) {
                    index = TarIndex.compressed(file, names, spool, names == null ? progress : Progress.NONE);
                    if (index.isUnclear()) {
                        names = TarPass.names(file, true);
                    } else {
                        bytes = spool.finish();
                    }
                }
            }
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(file, e);
        }
        return source(file, bytes, index, progress);
    }

    private static IOException damaged(Path file, Exception e) {
        return new IOException(file + " is a truncated or damaged tar archive: " + Unreadable.reason(e), e);
    }

    private static ImageSource source(Path file, Bytes bytes, TarIndex index, Progress progress) throws IOException {
        try {
            LeftOut.Counter others = new LeftOut.Counter();
            List<TarIndex.Member> images = index.images(others);
            LeftOut leftOut = others.done();
            if (!images.isEmpty()) {
                List<String> names = images.stream().map(TarIndex.Member::name).toList();
                return new TarSource(file, bytes, images, names, index.labels(names, progress), leftOut);
            }
            Shelf.OfParts shelf = new Shelf.OfParts(file + "!", bytes);
            index.members().stream()
                    .filter(m -> m.offset() >= 0)
                    .forEach(m -> shelf.add(m.name(), bytes.part(m.offset(), m.length())));
            ImageSource binaries = Binaries.open(shelf);
            if (binaries == null) {
                throw new IOException(
                        file + ": no images among its " + index.members().size()
                                + " members; expected JPEG, PNG, WebP, BMP, GIF or TIFF files, in any folder, or the binary files of CIFAR,"
                                + " STL-10 or MNIST" + (leftOut.count() == 0 ? "" : "; " + leftOut));
            }
            return binaries;
        } catch (IOException | RuntimeException e) {
            bytes.close();
            throw e;
        }
    }

    @Override
    boolean isThere() {
        return bytes.isReadable();
    }

    @Override
    long length(int i) {
        return members.get(i).length();
    }

    @Override
    byte[] bytes(int i) throws IOException {
        TarIndex.Member m = members.get(i);
        return bytes.read(m.offset(), (int) m.length());
    }

    @Override
    public void close() throws IOException {
        bytes.close();
    }
}
