package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.CompressorException;
import org.apache.commons.compress.compressors.CompressorStreamFactory;

/** The image files in a tar archive: where they are in a plain one, out of a {@link Spool} of a compressed one. */
final class TarSource extends EncodedSource {
    /** A file in the archive's bytes. */
    private record Member(String name, long offset, long length) {}

    private final Bytes bytes;
    private final List<Member> members;

    private TarSource(Path file, Bytes bytes, List<Member> members, List<String> names) {
        super(file + "!", names, Labels.ofFolders(names, true));
        this.bytes = bytes;
        this.members = members;
    }

    /** The entries of a tar, and whether it ended with the two empty records that say that nothing is missing. */
    private static final class Entries extends TarArchiveInputStream {
        private boolean ended;

        Entries(InputStream in) {
            super(in, "UTF-8");
        }

        @Override
        protected boolean isEOFRecord(byte[] record) {
            boolean end = super.isEOFRecord(record);
            // Null where the file is at its end. Of the two one is enough: all members stand before it.
            ended |= end && record != null;
            return end;
        }

        void warn(Path file, Progress progress) {
            if (!ended) {
                progress.warn(file + " has no end marker: it may have been cut between two members; compare it with the"
                        + " original");
            }
        }
    }

    /** Indexes a plain tar. */
    static ImageSource open(Path file, Progress progress) throws IOException {
        List<Member> members = new ArrayList<>();
        FileBytes bytes = new FileBytes(file);
        // Unbuffered, so that the channel stands where a member's bytes begin.
        try (FileInputStream in = new FileInputStream(file.toFile());
                Entries tar = new Entries(in)) {
            for (TarArchiveEntry e = tar.getNextEntry(); e != null; e = tar.getNextEntry()) {
                if (!e.isFile() || e.isLink() || e.isSymbolicLink()) {
                    continue;
                }
                Member member = new Member(e.getName(), in.getChannel().position(), e.getRealSize());
                if (e.isSparse() && isWanted(e.getName())) {
                    throw new IOException("member " + e.getName() + " is sparse; make the archive anew, with whole files");
                }
                if (member.offset + e.getSize() > bytes.length()) {
                    throw new IOException("member " + member.name + " should have " + member.length + " bytes, and "
                            + Math.max(0, bytes.length() - member.offset) + " are there");
                }
                members.add(member);
            }
            tar.warn(file, progress);
        } catch (IOException | IllegalArgumentException e) {
            bytes.close();
            throw damaged(file, e);
        }
        return source(file, bytes, members);
    }

    /** Decompresses a compressed tar. */
    static ImageSource decompress(Path file, Progress progress) throws IOException {
        List<Member> members = new ArrayList<>();
        Bytes bytes;
        try (Spool spool = new Spool(Files.size(file));
                FileInputStream in = new FileInputStream(file.toFile());
                InputStream plain = decompressed(in);
                Entries tar = new Entries(plain)) {
            progress.start("decompressing " + file.getFileName(), in.getChannel().size());
            for (TarArchiveEntry e = tar.getNextEntry(); e != null; e = tar.getNextEntry()) {
                if (e.isFile() && !e.isLink() && !e.isSymbolicLink()
                        && (isWanted(e.getName()) || Binaries.isWanted(e.getName()))) {
                    long offset = spool.length();
                    if (isWanted(e.getName()) && e.getRealSize() > MAX_FILE) {
                        // No image is that large: it is listed, and refused when it is read.
                        members.add(new Member(e.getName(), offset, e.getRealSize()));
                    } else {
                        spool.expect(e.getRealSize());
                        spool.add(tar);
                        members.add(new Member(e.getName(), offset, spool.length() - offset));
                    }
                    progress.at(in.getChannel().position(), members.size() + " files");
                }
            }
            // The checksum stands at the end, behind what the archive takes for its own.
            plain.transferTo(OutputStream.nullOutputStream());
            progress.end();
            tar.warn(file, progress);
            bytes = spool.finish();
        } catch (IOException | IllegalArgumentException e) {
            throw damaged(file, e);
        }
        return source(file, bytes, members);
    }

    /** The content of a compressed stream. */
    static InputStream decompressed(InputStream in) throws IOException {
        try {
            return new BufferedInputStream(new CompressorStreamFactory(true, (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() / 2 >> 10))
                    .createCompressorInputStream(new BufferedInputStream(in, 1 << 16)), 1 << 16);
        } catch (CompressorException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static IOException damaged(Path file, Exception e) {
        return new IOException(file + " is a truncated or damaged tar archive: " + Unreadable.reason(e), e);
    }

    private static ImageSource source(Path file, Bytes bytes, List<Member> all) throws IOException {
        List<Member> images = new ArrayList<>();
        // The sort keeps the order of equals: of several members of one name the last stays.
        for (Member m : all.stream().filter(m -> isWanted(m.name)).sorted(Comparator.comparing(Member::name)).toList()) {
            if (!images.isEmpty() && images.get(images.size() - 1).name.equals(m.name)) {
                images.remove(images.size() - 1);
            }
            images.add(m);
        }
        try {
            if (!images.isEmpty()) {
                return new TarSource(file, bytes, images, images.stream().map(Member::name).toList());
            }
            Shelf.OfParts shelf = new Shelf.OfParts(file + "!", bytes);
            all.forEach(m -> shelf.add(m.name, bytes.part(m.offset, m.length)));
            ImageSource binaries = Binaries.open(shelf);
            if (binaries == null) {
                throw new IOException(file + ": no images among its " + all.size()
                        + " members; expected JPEG, PNG, WebP, BMP, GIF or TIFF files, in any folder, or the binary files of CIFAR, STL-10 or MNIST");
            }
            return binaries;
        } catch (IOException | RuntimeException e) {
            bytes.close();
            throw e;
        }
    }

    @Override
    long length(int i) {
        return members.get(i).length;
    }

    @Override
    byte[] bytes(int i) throws IOException {
        Member m = members.get(i);
        return bytes.read(m.offset, (int) m.length);
    }

    @Override
    public void close() throws IOException {
        bytes.close();
    }
}
