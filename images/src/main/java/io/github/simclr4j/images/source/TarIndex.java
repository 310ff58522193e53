// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.internal.ImageFileSize;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/** An index of the members of a tar archive. Of several members with the same name the last counts, as if the archive was unpacked. */
final class TarIndex {
    /** Maximum number of names that links to folders may add. */
    private static final int MOST_ADDED = 1_000_000;

    /**
     * A file in the archive.
     *
     * @param offset offset in the archive, or in the decompressed data; -1 for a file that was not kept
     * @param image whether it begins like an image, if its name has no extension
     */
    record Member(String name, long offset, long length, boolean image) {}

    private final Path file;
    private final boolean compressed;
    /** Names of all entries, if some in the archive are not UTF-8; otherwise null. */
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
     * Indexes a plain archive.
     *
     * @param length length of the file in bytes
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
     * Indexes a compressed archive, and keeps the content of the members that are needed.
     *
     * @param names names of all entries, or null to decode them as UTF-8
     */
    static TarIndex compressed(Path file, List<String> names, Spool spool, Progress progress) throws IOException {
        TarIndex index = new TarIndex(file, true, names);
        index.read(Long.MAX_VALUE, spool, progress);
        index.keepTargets(spool);
        return index;
    }

    /** Returns whether a name is not UTF-8, so that different names may look the same. */
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
                progress.warn(file
                        + " has no end marker: it may be truncated between two members; compare it with the original");
            }
        }
    }

    private Member found(TarArchiveEntry e, String name, long length, TarPass pass) throws IOException {
        long offset = pass.position();
        if (e.isSparse() && EncodedSource.isWanted(name)) {
            throw new IOException("member " + name + " is a sparse file; write the archive again without sparse files");
        }
        if (offset + e.getSize() > length) {
            throw new IOException("member " + name + " should have " + e.getRealSize() + " bytes, but only "
                    + Math.max(0, length - offset) + " are left");
        }
        boolean image = look(e, name, pass);
        return new Member(name, offset, e.getRealSize(), image);
    }

    private Member kept(TarArchiveEntry e, String name, Spool spool, TarPass pass) throws IOException {
        if (!EncodedSource.isWanted(name) && !Binaries.isWanted(name)) {
            boolean image = look(e, name, pass);
            return new Member(name, -1, e.getRealSize(), image);
        }
        if (EncodedSource.isWanted(name) && e.getRealSize() > ImageFileSize.MAX) {
            // Listed, but rejected when it is read.
            return new Member(name, spool.length(), e.getRealSize(), false);
        }
        long offset = spool.length();
        spool.expect(e.getRealSize());
        spool.add(pass.content());
        return new Member(name, offset, spool.length() - offset, false);
    }

    /** Reads a class, or checks whether a file without an extension is an image. */
    private boolean look(TarArchiveEntry e, String name, TarPass pass) throws IOException {
        InputStream content = pass.content();
        if (SampleClasses.isWanted(name) && !Binaries.isWanted(name)) {
            classes.add(name, e.getRealSize(), content::readAllBytes);
        }
        return ImageNames.isWithoutEnding(name) && ImageNames.startsAsImage(content.readNBytes(ImageNames.FIRST_BYTES));
    }

    /** Keeps the targets of image links whose own names are not those of images. */
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
                if (TarPass.isFile(e) && wanted.contains(name) && e.getRealSize() <= ImageFileSize.MAX) {
                    long offset = spool.length();
                    spool.expect(e.getRealSize());
                    spool.add(pass.content());
                    members.put(name, new Member(name, offset, spool.length() - offset, members.get(name).image));
                }
            }
        }
    }

    /** Returns all files, in the order of the archive. */
    List<Member> members() {
        return List.copyOf(members.values());
    }

    /** Returns the images sorted by name, including links, and counts those that are left out. */
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
                boolean named = EncodedSource.isWanted(link)
                        || ImageNames.unreadKind(link).isPresent()
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

    /** Returns the labels of images. */
    Labels labels(List<String> images, Progress progress) {
        return classes.labels(images, file.toString(), progress);
    }
}
