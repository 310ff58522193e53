// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/** Helpers shared by the binary formats of CIFAR, STL-10 and MNIST. */
final class Binaries {
    private static final Pattern WANTED = Pattern.compile(
            ".*\\.bin|.*idx\\d-ubyte(\\.gz)?" + "|batches\\.meta\\.txt|fine_label_names\\.txt|class_names\\.txt");

    private Binaries() {}

    /** Returns whether a member of an archive may belong to one of these formats. */
    static boolean isWanted(String path) {
        return WANTED.matcher(path.substring(path.lastIndexOf('/') + 1)).matches() && !ImageNames.isHidden(path);
    }

    static Labels labels(List<int[]> parts, List<String> named) {
        return Labels.ofNumbers(parts.stream().flatMapToInt(Arrays::stream).toArray(), named);
    }

    static int count(String display, long length, int record) throws IOException {
        if (length == 0 || length % record != 0) {
            throw new IOException(display + ": expected a whole number of records of " + record + " bytes, found "
                    + length + " bytes: truncated, or wrongly named");
        }
        if (length / record > Integer.MAX_VALUE - 8) {
            throw new IOException(display + ": too many images: " + length / record);
        }
        return (int) (length / record);
    }

    static List<String> lines(Shelf shelf, String name) throws IOException {
        Bytes bytes = shelf.open(name);
        if (bytes == null || bytes.length() > 1 << 16) {
            return List.of();
        }
        String text = new String(bytes.read(0, (int) bytes.length()), StandardCharsets.UTF_8);
        List<String> lines =
                text.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
        if (lines.stream().distinct().count() < lines.size()) {
            throw new IOException(shelf.display(name)
                    + ": expected a different name for each class, found a duplicate among " + lines);
        }
        return lines;
    }

    /** Opens the training images among some files and takes ownership of them; returns null if no file has a known name. */
    static ImageSource open(Shelf shelf) throws IOException {
        List<String> names = shelf.names();
        if (CifarFormat.has(names)) {
            return CifarFormat.openFolder(shelf);
        } else if (Stl10Format.has(names)) {
            return Stl10Format.openFolder(shelf);
        }
        return IdxFormat.has(names) ? IdxFormat.openFolder(shelf) : null;
    }
}
