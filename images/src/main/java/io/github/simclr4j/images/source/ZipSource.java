// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.internal.RawNames;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;

/** A source of the image files in a zip archive, read in place. {@link ZipFile} has one file handle, which interrupts don't close. */
final class ZipSource extends EncodedSource {
    private final Path file;
    private final ZipFile zip;
    /** The name of each image in the archive. */
    private final List<String> entries;

    private ZipSource(
            Path file, ZipFile zip, List<String> entries, List<String> names, Labels labels, LeftOut leftOut) {
        super(file + "!", names, labels, leftOut);
        this.file = file;
        this.zip = zip;
        this.entries = entries;
    }

    /** An archive, and whether its names were read as bytes because some are not UTF-8. */
    private record Opened(ZipFile zip, boolean bytes) {
        String name(ZipEntry e) {
            // An entry may have a flag for a name in UTF-8.
            boolean raw = bytes && e.getName().chars().allMatch(c -> c < 256);
            return raw ? RawNames.text(e.getName().getBytes(StandardCharsets.ISO_8859_1)) : e.getName();
        }
    }

    static ZipSource open(Path file, Progress progress) throws IOException {
        Opened opened = archive(file);
        ZipFile zip = opened.zip;
        try {
            TreeMap<String, String> images = new TreeMap<>();
            LeftOut.Counter others = new LeftOut.Counter();
            SampleClasses classes = new SampleClasses();
            for (Iterator<? extends ZipEntry> all = zip.entries().asIterator(); all.hasNext(); ) {
                ZipEntry e = all.next();
                String name = opened.name(e);
                if (e.isDirectory()) {
                    continue;
                }
                if (!isWanted(name)) {
                    others.file(name, () -> ImageNames.startsAsImage(first(zip, e, ImageNames.FIRST_BYTES)));
                    if (SampleClasses.isWanted(name)) {
                        classes.add(name, e.getSize(), () -> first(zip, e, (int) e.getSize()));
                    }
                } else if (images.containsKey(name) && !images.get(name).equals(e.getName())) {
                    throw new IOException(file + ": two members would be called " + name
                            + ", since their names are not UTF-8: write the archive again with names in UTF-8");
                } else {
                    images.put(name, e.getName());
                }
            }
            LeftOut leftOut = others.done();
            if (images.isEmpty()) {
                throw new IOException(file + ": no images among its " + zip.size()
                        + " members; expected JPEG, PNG, WebP, BMP, GIF or TIFF files, in any folder"
                        + (leftOut.count() == 0 ? "" : "; " + leftOut));
            }
            List<String> names = List.copyOf(images.keySet());
            return new ZipSource(
                    file,
                    zip,
                    List.copyOf(images.values()),
                    names,
                    classes.labels(names, file.toString(), progress),
                    leftOut);
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }

    /** Returns the first bytes of a member, or none if it can't be read. */
    private static byte[] first(ZipFile zip, ZipEntry e, int count) {
        try (InputStream in = zip.getInputStream(e)) {
            return in.readNBytes(count);
        } catch (IOException damaged) {
            return new byte[0];
        }
    }

    private static Opened archive(Path file) throws IOException {
        try {
            try {
                return new Opened(new ZipFile(file.toFile(), StandardCharsets.UTF_8), false);
            } catch (ZipException e) {
                // ZipFile rejects names that are not UTF-8. As Latin-1, which has one character per byte, every name
                // can be read.
                return new Opened(new ZipFile(file.toFile(), Charset.forName("ISO-8859-1")), true);
            }
        } catch (ZipException e) {
            String encrypted = encrypted(file);
            throw encrypted == null
                    ? new IOException(file + " is a truncated or damaged zip archive: " + e.getMessage(), e)
                    : new IOException(
                            file + " is an encrypted zip archive (" + encrypted
                                    + "): unpack it with its password, and use the folder",
                            e);
        }
    }

    /** Returns the name of an encrypted member, or null if there is none or the archive can't be read. */
    private static String encrypted(Path file) {
        try (org.apache.commons.compress.archivers.zip.ZipFile zip =
                org.apache.commons.compress.archivers.zip.ZipFile.builder()
                        .setPath(file)
                        .get()) {
            for (ZipArchiveEntry e : Collections.list(zip.getEntries())) {
                if (e.getGeneralPurposeBit().usesEncryption()) {
                    return e.getName();
                }
            }
        } catch (IOException | IllegalArgumentException damaged) {
            return null;
        }
        return null;
    }

    private ZipEntry entry(int i) throws IOException {
        try {
            return zip.getEntry(entries.get(i));
        } catch (IllegalStateException e) {
            throw new IOException("the archive is closed", e);
        }
    }

    /** Reads a byte through another handle: an archive may have a directory entry although its server is gone. */
    @Override
    boolean isThere() {
        try (InputStream in = Files.newInputStream(file)) {
            return in.read() >= 0;
        } catch (IOException e) {
            return false;
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
                throw new IOException("damaged member: its checksum does not match");
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
