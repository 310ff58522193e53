// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Sha256;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * One of several parts of a set of images. An image belongs to the part that the SHA-256 of its name says, whatever machine asks and
 * whatever other images there are.
 *
 * @param number which one, from 1
 * @param count how many there are
 */
record Shard(int number, int count) {
    /** As many as one folder and one merge can well have open. */
    static final int MOST = 1000;

    private static final Pattern TEXT = Pattern.compile("(\\d{1,4})/(\\d{1,4})");

    /**
     * Parses {@code i/n}.
     *
     * @throws IllegalArgumentException if it is something else
     */
    static Shard parse(String text) {
        Matcher m = TEXT.matcher(text);
        if (m.matches()) {
            Shard shard = new Shard(Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)));
            if (shard.number >= 1 && shard.number <= shard.count && shard.count <= MOST) {
                return shard;
            }
        }
        throw new IllegalArgumentException(
                "--shard must be i/n, with i from 1 to n and n up to " + MOST + ", such as 3/16, found " + text);
    }

    /** Returns where the rows of this part are, beside the file that all parts become. */
    Path beside(Path out) {
        return out.resolveSibling(out.getFileName() + ".shard-" + number + "-of-" + count);
    }

    /**
     * Returns the names of a set's images from its folder on, with slashes, so that they are the same wherever the set lies.
     *
     * @param images what the set was opened by
     */
    static List<String> names(ImageSource source, Path images) {
        Path folder = images.toAbsolutePath().getParent();
        List<String> bases = List.of(
                images.toString(),
                images.getParent() == null ? "" : images.getParent().toString(),
                folder == null ? "" : folder.toString());
        return IntStream.range(0, source.size())
                .mapToObj(i -> relative(source.name(i), bases))
                .toList();
    }

    private static String relative(String name, List<String> bases) {
        String path = name.replace(File.separatorChar, '/');
        for (String base : bases) {
            String start = base.replace(File.separatorChar, '/') + "/";
            if (path.startsWith(start)) {
                return path.substring(start.length());
            }
        }
        return path;
    }

    /** Returns the labels of a set's images; that of an image without one is empty. */
    static List<String> labels(ImageSource source) {
        List<String> classes = source.classes();
        return IntStream.range(0, source.size())
                .mapToObj(i -> source.label(i).isPresent()
                        ? classes.get(source.label(i).getAsInt())
                        : "")
                .toList();
    }

    /** Returns the SHA-256, in hexadecimal, of all names, or other texts, in order. */
    static String listing(List<String> names) {
        Sha256 hash = new Sha256();
        for (String name : names) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            hash.update(ByteBuffer.allocate(4).putInt(0, bytes.length));
            hash.update(bytes);
        }
        return hash.hex();
    }

    /** Returns which of the names belong to this part, in order. */
    int[] of(List<String> names) {
        return IntStream.range(0, names.size())
                .filter(i -> isMine(names.get(i)))
                .toArray();
    }

    private boolean isMine(String name) {
        String hash = new Sha256().update(name.getBytes(StandardCharsets.UTF_8)).hex();
        return Long.parseLong(hash.substring(0, 15), 16) % count == number - 1;
    }

    @Override
    public String toString() {
        return number + "/" + count;
    }
}
