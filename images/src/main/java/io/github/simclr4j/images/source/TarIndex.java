package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/** What stands in a tar archive, and where. Of several members of one name the last counts, as if unpacked. */
final class TarIndex {
    /** Names that links to folders may add. */
    private static final int MOST_ADDED = 1_000_000;

    /**
     * A file.
     *
     * @param offset in the archive, or in what was decompressed of it; -1 for one that was not kept
     * @param image whether it begins as an image, if its name has no ending
     */
    record Member(String name, long offset, long length, boolean image) {}

    private final Path file;
    private final boolean compressed;
    /** Of all entries, where those in the archive are not UTF-8; else null. */
    private final List<String> names;
    private final Map<String, Member> members = new LinkedHashMap<>();
    private final Set<String> linkNames = new HashSet<>();
    private final TarLinks links = new TarLinks();
    private final SampleClasses classes = new SampleClasses();
    private boolean unclear;

    private TarIndex(Path file, boolean compressed, List<String> names) {
        this.file = file;
        this.compressed = compressed;
        this.names = names;
    }

    /**
     * Indexes a plain tar.
     *
     * @param length of the file
     */
    static TarIndex plain(Path file, long length, Progress progress) throws IOException {
        TarIndex index = new TarIndex(file, false, null);
        index.read(length, null, progress);
        if (index.unclear) {
            index = new TarIndex(file, false, TarPass.names(file, false));
            index.read(length, null, Progress.NONE);
        }
        return index;
    }

    /**
     * Indexes a compressed tar, and keeps what is of use.
     *
     * @param names of all entries; null to take them as UTF-8
     */
    static TarIndex compressed(Path file, List<String> names, Spool spool, Progress progress) throws IOException {
        TarIndex index = new TarIndex(file, true, names);
        index.read(Long.MAX_VALUE, spool, progress);
        index.keepTargets(spool);
        return index;
    }

    /** Whether a name is not UTF-8, so that different ones may look alike. */
    boolean isUnclear() {
        return unclear;
    }

    private void read(long length, Spool spool, Progress progress) throws IOException {
        try (TarPass pass = new TarPass(file, compressed)) {
            if (compressed) {
                progress.start("decompressing " + file.getFileName(), pass.size());
            }
            int entry = 0;
            for (TarArchiveEntry e = pass.next(); e != null; e = pass.next()) {
                String name = names == null ? e.getName() : names.get(entry++);
                unclear |= names == null && EncodedSource.isWanted(name) && TarPass.isUnclear(name);
                if (e.isLink() || e.isSymbolicLink()) {
                    if (links.link(name, e.getLinkName(), e.isSymbolicLink())) {
                        members.remove(name);
                        linkNames.add(name);
                    }
                } else if (TarPass.isFile(e)) {
                    linkNames.remove(name);
                    links.file(name);
                    members.put(name, compressed ? kept(e, name, spool, pass) : found(e, name, length, pass));
                    if (compressed) {
                        progress.at(pass.position(), members.size() + " files");
                    }
                }
            }
            if (compressed) {
                pass.drain();
                progress.end();
            }
            if (!pass.isEnded()) {
                progress.warn(file + " has no end marker: it may have been cut between two members; compare it with the original");
            }
        }
    }

    private Member found(TarArchiveEntry e, String name, long length, TarPass pass) throws IOException {
        long offset = pass.position();
        if (e.isSparse() && EncodedSource.isWanted(name)) {
            throw new IOException("member " + name + " is sparse; write the archive again with whole files");
        }
        if (offset + e.getSize() > length) {
            throw new IOException("member " + name + " should have " + e.getRealSize() + " bytes, and "
                    + Math.max(0, length - offset) + " are there");
        }
        boolean image = look(e, name, pass);
        return new Member(name, offset, e.getRealSize(), image);
    }

    private Member kept(TarArchiveEntry e, String name, Spool spool, TarPass pass) throws IOException {
        if (!EncodedSource.isWanted(name) && !Binaries.isWanted(name)) {
            boolean image = look(e, name, pass);
            return new Member(name, -1, e.getRealSize(), image);
        }
        if (EncodedSource.isWanted(name) && e.getRealSize() > EncodedSource.MAX_FILE) {
            // It is listed, and refused when it is read.
            return new Member(name, spool.length(), e.getRealSize(), false);
        }
        long offset = spool.length();
        spool.expect(e.getRealSize());
        spool.add(pass.content());
        return new Member(name, offset, spool.length() - offset, false);
    }

    /** Reads a class, or looks whether a file without an ending is an image. */
    private boolean look(TarArchiveEntry e, String name, TarPass pass) throws IOException {
        InputStream content = pass.content();
        if (SampleClasses.isWanted(name) && !Binaries.isWanted(name)) {
            classes.add(name, e.getRealSize(), content::readAllBytes);
        }
        return ImageNames.isWithoutEnding(name) && ImageNames.startsAsImage(content.readNBytes(ImageNames.FIRST_BYTES));
    }

    /** Keeps the files to which links of images lead and whose own names are not those of images. */
    private void keepTargets(Spool spool) throws IOException {
        Set<String> wanted = new HashSet<>();
        for (String link : linkNames) {
            String target = EncodedSource.isWanted(link) ? links.target(link) : null;
            if (target != null && members.get(target).offset < 0) {
                wanted.add(target);
            }
        }
        if (wanted.isEmpty()) {
            return;
        }
        try (TarPass pass = new TarPass(file, true)) {
            int entry = 0;
            for (TarArchiveEntry e = pass.next(); e != null; e = pass.next()) {
                String name = names == null ? e.getName() : names.get(entry++);
                if (TarPass.isFile(e) && wanted.contains(name) && e.getRealSize() <= EncodedSource.MAX_FILE) {
                    long offset = spool.length();
                    spool.expect(e.getRealSize());
                    spool.add(pass.content());
                    members.put(name, new Member(name, offset, spool.length() - offset, members.get(name).image));
                }
            }
        }
    }

    /** All files, in the order of the archive. */
    List<Member> members() {
        return List.copyOf(members.values());
    }

    /** The images in the order of their names, those that are links among them, and what was left out. */
    List<Member> images(LeftOut.Counter leftOut) {
        TreeMap<String, Member> images = new TreeMap<>();
        for (Member m : members.values()) {
            add(m.name, m, images, leftOut);
        }
        int added = 0;
        for (String link : linkNames.stream().sorted().toList()) {
            String target = links.target(link);
            List<String> below = target != null ? List.of() : links.below(link);
            if (target != null) {
                add(link, members.get(target), images, leftOut);
            } else if (below.isEmpty() || (added += below.size()) > MOST_ADDED) {
                boolean named = EncodedSource.isWanted(link) || ImageNames.unreadKind(link).isPresent()
                        || ImageNames.isWithoutEnding(link);
                if (named && !ImageNames.isHidden(link) && links.isLink(link)) {
                    leftOut.link(link);
                }
            } else {
                below.forEach(b -> add(link + "/" + b, members.get(links.target(link, b)), images, leftOut));
            }
        }
        return List.copyOf(images.values());
    }

    private static void add(String name, Member m, Map<String, Member> images, LeftOut.Counter leftOut) {
        if (EncodedSource.isWanted(name)) {
            images.putIfAbsent(name, new Member(name, m.offset, m.length, true));
        } else {
            leftOut.file(name, () -> m.image);
        }
    }

    /** The classes of images. */
    Labels labels(List<String> images, Progress progress) {
        return classes.labels(images, file.toString(), progress);
    }
}
