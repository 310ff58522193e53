package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.ArchiveException;
import org.apache.commons.compress.archivers.ArchiveStreamFactory;
import org.apache.commons.compress.compressors.CompressorException;
import org.apache.commons.compress.compressors.CompressorStreamFactory;

/** Recognises what a path is. */
final class Formats {
    private static final String EXPECTED = "expected a folder of images, a zip or tar archive of them, a table of paths with a"
            + " header (.csv, .tsv), or a binary file of CIFAR, STL-10 or MNIST (IDX)";
    private static final Set<String> COMPRESSIONS = Set.of("gz", "xz", "bzip2");
    /** A tar is recognised by its first 512 bytes. */
    private static final int LOOKED_AT = 1024;

    private Formats() {}

    static ImageSource open(Path path, Progress progress) throws IOException {
        if (Files.isDirectory(path)) {
            return folder(path);
        }
        if (!Files.isRegularFile(path)) {
            throw new IOException(path + (Files.exists(path) ? " is neither a file nor a folder" : " does not exist") + ": "
                    + EXPECTED);
        }
        byte[] first = first(Files.newInputStream(path));
        if (first.length == 0) {
            throw new IOException(path + " is empty: " + EXPECTED);
        }
        // Labels and pixels may be any bytes, also those that an IDX file or an archive begins with.
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".bin")) {
            return binary(path, Binaries::openFile);
        }
        if (Binaries.isIdx(first)) {
            return binary(path, Binaries::idx);
        }
        String compression = compression(first);
        if (compression != null) {
            return compressed(path, compression, progress);
        }
        String archive = archive(first);
        if (archive != null) {
            return switch (archive) {
                case "zip", "jar" -> ZipSource.open(path);
                case "tar" -> TarSource.open(path, progress);
                default -> throw new IOException(path + " is an archive that is not read here (" + archive + "): " + EXPECTED);
            };
        }
        for (String ending : List.of(".zip", ".tar", ".tgz", ".gz", ".xz", ".txz", ".bz2", "-ubyte")) {
            if (name.endsWith(ending)) {
                throw new IOException(path + ": its content is not what '" + ending + "' says: damaged, or misnamed; "
                        + EXPECTED);
            }
        }
        if (isText(first)) {
            return FileSource.table(path);
        }
        throw new IOException(path + ": " + EXPECTED
                + (EncodedSource.isWanted(name) ? ", found one image: name the folder it is in" : ", found none of these"));
    }

    private static ImageSource folder(Path folder) throws IOException {
        ImageSource binaries = binaries(folder);
        if (binaries != null) {
            return binaries;
        }
        ImageSource files = FileSource.below(folder);
        if (files != null) {
            return files;
        }
        // The official archives unpack to a folder of their own.
        List<Path> inner;
        try (Stream<Path> entries = Files.list(folder)) {
            inner = entries.filter(Files::isDirectory).toList();
        }
        if (inner.size() == 1) {
            binaries = binaries(inner.get(0));
            if (binaries != null) {
                return binaries;
            }
        }
        throw new IOException("No images in " + folder
                + ": expected JPEG, PNG, WebP, BMP, GIF or TIFF files, at any depth, or the binary files of CIFAR, STL-10 or MNIST");
    }

    private static ImageSource binaries(Path folder) throws IOException {
        return owned(new Shelf.OfFolder(folder), Binaries::open);
    }

    private static ImageSource binary(Path file, Opener opener) throws IOException {
        Path folder = file.getParent() == null ? Path.of("") : file.getParent();
        return owned(new Shelf.OfFolder(folder), shelf -> opener.open(shelf, file.getFileName().toString()));
    }

    private interface Opener {
        ImageSource open(Shelf shelf, String name) throws IOException;
    }

    private interface ShelfOpener {
        ImageSource open(Shelf shelf) throws IOException;
    }

    /** Closes the shelf if nobody takes it over. */
    private static ImageSource owned(Shelf shelf, ShelfOpener opener) throws IOException {
        ImageSource source = null;
        try {
            source = opener.open(shelf);
            return source;
        } finally {
            if (source == null) {
                shelf.close();
            }
        }
    }

    private static ImageSource compressed(Path path, String compression, Progress progress) throws IOException {
        if (!COMPRESSIONS.contains(compression)) {
            throw new IOException(path + " is compressed by " + compression + ": expected gzip, xz or bzip2");
        }
        byte[] first;
        try {
            first = first(TarSource.decompressed(Files.newInputStream(path)));
        } catch (IOException e) {
            throw new IOException(path + " is truncated or damaged: " + Unreadable.reason(e), e);
        }
        if ("tar".equals(archive(first))) {
            return TarSource.decompress(path, progress);
        }
        if (Binaries.isIdx(first) && compression.equals("gz")) {
            return binary(path, Binaries::idx);
        }
        throw new IOException(path + ": found something compressed that is neither a tar archive nor a gzipped IDX file: "
                + EXPECTED);
    }

    private static byte[] first(InputStream opened) throws IOException {
        try (InputStream in = opened) {
            return in.readNBytes(LOOKED_AT);
        }
    }

    private static String compression(byte[] first) {
        try {
            return CompressorStreamFactory.detect(new BufferedInputStream(new ByteArrayInputStream(first)));
        } catch (CompressorException e) {
            return null;
        }
    }

    private static String archive(byte[] first) {
        try {
            return ArchiveStreamFactory.detect(new BufferedInputStream(new ByteArrayInputStream(first)));
        } catch (ArchiveException e) {
            return null;
        }
    }

    private static boolean isText(byte[] first) {
        for (byte b : first) {
            if (b >= 0 && b < ' ' && b != '\t' && b != '\n' && b != '\r') {
                return false;
            }
        }
        return true;
    }
}
