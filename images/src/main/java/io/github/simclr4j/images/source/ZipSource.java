package io.github.simclr4j.images.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** The image files in a zip archive, read where they are. {@link ZipFile} has one file handle, which interrupts don't close. */
final class ZipSource extends EncodedSource {
    private final ZipFile zip;

    private ZipSource(Path file, ZipFile zip, List<String> names) {
        super(file + "!", names, Labels.ofFolders(names, true));
        this.zip = zip;
    }

    static ZipSource open(Path file) throws IOException {
        ZipFile zip = archive(file);
        try {
            List<String> names = zip.stream().filter(e -> !e.isDirectory()).map(ZipEntry::getName)
                    .filter(EncodedSource::isWanted).sorted().distinct().toList();
            if (names.isEmpty()) {
                throw new IOException(file + ": no images among its " + zip.size()
                        + " members; expected JPEG, PNG, WebP, BMP, GIF or TIFF files, in any folder");
            }
            return new ZipSource(file, zip, names);
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }

    private static ZipFile archive(Path file) throws IOException {
        try {
            try {
                return new ZipFile(file.toFile(), StandardCharsets.UTF_8);
            } catch (ZipException e) {
                // Names that are not UTF-8 are refused; as Latin-1 every name can be read.
                return new ZipFile(file.toFile(), Charset.forName("ISO-8859-1"));
            }
        } catch (ZipException e) {
            throw new IOException(file + " is a truncated or damaged zip archive: " + e.getMessage(), e);
        }
    }

    private ZipEntry entry(int i) throws IOException {
        try {
            return zip.getEntry(names.get(i));
        } catch (IllegalStateException e) {
            throw new IOException("the archive is closed", e);
        }
    }

    @Override
    long length(int i) throws IOException {
        return entry(i).getSize();
    }

    @Override
    byte[] bytes(int i) throws IOException {
        ZipEntry entry = entry(i);
        try (InputStream in = zip.getInputStream(entry)) {
            byte[] bytes = in.readNBytes((int) entry.getSize());
            CRC32 crc = new CRC32();
            crc.update(bytes);
            if (bytes.length != entry.getSize() || crc.getValue() != entry.getCrc()) {
                throw new IOException("damaged member: its checksum does not fit");
            }
            return bytes;
        } catch (IllegalStateException e) {
            throw new IOException("the archive is closed", e);
        }
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }
}
