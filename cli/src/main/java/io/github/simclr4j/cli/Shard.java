// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Identifies one of several parts of an image set. The SHA-256 of an image's {@linkplain SetNames relative name} decides
 * which part it belongs to, on every machine and independently of the other images.
 *
 * @param number number of the part, from 1
 * @param count number of parts
 */
record Shard(int number, int count) {
    /** Most parts, because a merge has all of their files open at once. */
    static final int MOST = 1000;

    private static final Pattern TEXT = Pattern.compile("(\\d{1,4})/(\\d{1,4})");

    /**
     * Parses {@code i/n}.
     *
     * @throws IllegalArgumentException if the text has another form or a number is out of range
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

    /** Returns the file of this part, beside the file that all parts are merged into. */
    Path beside(Path out) {
        return out.resolveSibling(out.getFileName() + ".shard-" + number + "-of-" + count);
    }

    /** Returns the labels of a set's images, empty for images without a label. */
    static List<String> labels(ImageSource source) {
        List<String> classes = source.classes();
        return IntStream.range(0, source.size())
                .mapToObj(i -> source.label(i).isPresent()
                        ? classes.get(source.label(i).getAsInt())
                        : "")
                .toList();
    }

    /** Returns the SHA-256, in hexadecimal, of a list of names or labels in order. */
    static String listing(List<String> names) {
        Sha256 hash = new Sha256();
        for (String name : names) {
            byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
            hash.update(ByteBuffer.allocate(4).putInt(0, bytes.length));
            hash.update(bytes);
        }
        return hash.hex();
    }

    /** Returns the indices of the names that belong to this part, in order. */
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
