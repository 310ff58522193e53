// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.internal.RawNames;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.CompressorException;
import org.apache.commons.compress.compressors.CompressorStreamFactory;

/** A single pass over a plain or compressed tar archive, from beginning to end. */
final class TarPass implements Closeable {
    private static final String UTF_8 = "UTF-8";
    private static final String BYTES = "ISO-8859-1";

    private final FileInputStream in;
    private final InputStream plain;
    private final Entries tar;

    /** The entries of a tar archive. It also detects the end marker of two empty records. */
    private static final class Entries extends TarArchiveInputStream {
        private boolean ended;

        Entries(InputStream in, String encoding) {
            super(in, encoding);
        }

        @Override
        protected boolean isEOFRecord(byte[] record) {
            boolean end = super.isEOFRecord(record);
            // The record is null at the end of the file. One of the two empty records is enough, since all members are
            // before it.
            ended |= end && record != null;
            return end;
        }
    }

    private TarPass(Path file, boolean compressed, String encoding) throws IOException {
        in = new FileInputStream(file.toFile());
        try {
            // Plain archives are read unbuffered, so that the channel's position is where a member's content begins.
            plain = compressed ? decompressed(in) : in;
        } catch (IOException e) {
            in.close();
            throw e;
        }
        tar = new Entries(plain, encoding);
    }

    TarPass(Path file, boolean compressed) throws IOException {
        this(file, compressed, UTF_8);
    }

    /** Returns the next entry, or null after the last. */
    TarArchiveEntry next() throws IOException {
        return tar.getNextEntry();
    }

    /** Returns the position in the file in bytes; in a plain archive, this is where the entry's content begins. */
    long position() throws IOException {
        return in.getChannel().position();
    }

    long size() throws IOException {
        return in.getChannel().size();
    }

    /** Returns the content of the entry. */
    InputStream content() {
        return tar;
    }

    /** Reads to the end of a compressed file, since its checksum is after the end of the archive. */
    void drain() throws IOException {
        plain.transferTo(OutputStream.nullOutputStream());
    }

    /** Returns whether the archive had an end marker. */
    boolean isEnded() {
        return tar.ended;
    }

    @Override
    public void close() throws IOException {
        tar.close();
        in.close();
    }

    /** Returns whether an entry is a file with its own content. */
    static boolean isFile(TarArchiveEntry e) {
        return e.isFile()
                && !e.isLink()
                && !e.isSymbolicLink()
                && !e.isFIFO()
                && !e.isBlockDevice()
                && !e.isCharacterDevice();
    }

    /** Decompresses a stream. */
    static InputStream decompressed(InputStream in) throws IOException {
        try {
            int kibibytes =
                    (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() / 2 >> 10);
            return new BufferedInputStream(
                    new CompressorStreamFactory(true, kibibytes)
                            .createCompressorInputStream(new BufferedInputStream(in, 1 << 16)),
                    1 << 16);
        } catch (CompressorException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** Returns whether a name may contain one of the two characters by which Commons Compress replaces invalid UTF-8. */
    static boolean isUnclear(String name) {
        return RawNames.isUnclear(name) || name.indexOf('?') >= 0;
    }

    /**
     * Returns the names of all entries of an archive in which some names are not UTF-8. Invalid bytes are written in hexadecimal.
     *
     * @throws IOException if two names are equal because their bytes are in an extended header, which can only be read as UTF-8
     */
    static List<String> names(Path file, boolean compressed) throws IOException {
        List<String> names = names(file, compressed, UTF_8);
        List<String> bytes = names(file, compressed, BYTES);
        Set<String> unclear = new HashSet<>();
        for (int i = 0; i < names.size(); i++) {
            String raw = bytes.get(i);
            if (isUnclear(names.get(i))
                    && !raw.equals(names.get(i))
                    && raw.chars().allMatch(c -> c < 256)) {
                names.set(i, RawNames.text(raw.getBytes(StandardCharsets.ISO_8859_1)));
            } else if (RawNames.isUnclear(names.get(i)) && !unclear.add(names.get(i))) {
                throw new IOException("two members would be called " + names.get(i)
                        + ", since their names are not UTF-8: write the archive again with names in UTF-8");
            }
        }
        return names;
    }

    private static List<String> names(Path file, boolean compressed, String encoding) throws IOException {
        List<String> names = new ArrayList<>();
        try (TarPass pass = new TarPass(file, compressed, encoding)) {
            for (TarArchiveEntry e = pass.next(); e != null; e = pass.next()) {
                names.add(e.getName());
            }
        }
        return names;
    }
}
