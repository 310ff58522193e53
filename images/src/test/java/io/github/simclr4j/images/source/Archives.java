// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/** Archives whose members are given by name; a member's content is bytes, text, or a link. */
final class Archives {
    /** A link in a tar. */
    record Link(String target, boolean symbolic) {}

    private Archives() {}

    /** A tar whose names are written a byte a character. */
    static byte[] tar(Map<String, Object> members) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out, "ISO-8859-1")) {
            for (Map.Entry<String, Object> m : members.entrySet()) {
                if (m.getValue() instanceof Link link) {
                    TarArchiveEntry e = new TarArchiveEntry(
                            m.getKey(), link.symbolic ? TarConstants.LF_SYMLINK : TarConstants.LF_LINK);
                    e.setLinkName(link.target);
                    tar.putArchiveEntry(e);
                } else {
                    byte[] bytes = bytes(m.getValue());
                    TarArchiveEntry e = new TarArchiveEntry(m.getKey());
                    e.setSize(bytes.length);
                    tar.putArchiveEntry(e);
                    tar.write(bytes);
                }
                tar.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }

    /** A zip whose names are written a byte a character. */
    static byte[] zip(Map<String, Object> members) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(out)) {
            zip.setEncoding("ISO-8859-1");
            zip.setUseLanguageEncodingFlag(false);
            for (Map.Entry<String, Object> m : members.entrySet()) {
                zip.putArchiveEntry(new ZipArchiveEntry(m.getKey()));
                zip.write(bytes(m.getValue()));
                zip.closeArchiveEntry();
            }
        }
        return out.toByteArray();
    }

    private static byte[] bytes(Object content) {
        return content instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : (byte[]) content;
    }

    /** Warnings. */
    static final class Warnings implements Progress {
        final List<String> all = new ArrayList<>();

        @Override
        public void warn(String text) {
            all.add(text);
        }
    }

    /** The name of each image's class; a dash for none. */
    static List<String> classes(ImageSource source) {
        List<String> classes = new ArrayList<>();
        for (int i = 0; i < source.size(); i++) {
            classes.add(
                    source.label(i).isEmpty()
                            ? "-"
                            : source.classes().get(source.label(i).getAsInt()));
        }
        return classes;
    }

    /** The names of the images, without what stands before them. */
    static List<String> names(ImageSource source, String container) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < source.size(); i++) {
            names.add(source.name(i).substring(container.length()));
        }
        return names;
    }
}
