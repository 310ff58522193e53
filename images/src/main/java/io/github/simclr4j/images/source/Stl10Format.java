// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.source.RecordSource.Layout;
import io.github.simclr4j.images.source.RecordSource.Part;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads the binary files of <a href="https://cs.stanford.edu/~acoates/stl10/">STL-10</a> (Coates, Ng and Lee 2011): a folder with
 * {@code train_X.bin}, {@code unlabeled_X.bin} or both, without the test images, or a single file. Images have 96x96 pixels, stored by
 * channel and then column by column. Labels are counted from 1, in a separate file.
 *
 * @since 0.1.0
 */
public final class Stl10Format implements ImageSetFormat {
    private static final Pattern STL = Pattern.compile("(.+)_X\\.bin");
    private static final int STL_PIXELS = 96 * 96 * 3;

    @Override
    public String name() {
        return "stl-10";
    }

    @Override
    public String description() {
        return "a binary file of STL-10";
    }

    @Override
    public int order() {
        return 200;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        if (candidate.isFolder()) {
            return has(candidate.fileNames())
                    ? Optional.of(Shelf.owned(new Shelf.OfFolder(candidate.path()), Stl10Format::openFolder))
                    : Optional.empty();
        }
        return isNamed(candidate.path().getFileName().toString())
                ? Optional.of(Shelf.ownedFile(candidate.path(), (shelf, name) -> stl(shelf, List.of(name))))
                : Optional.empty();
    }

    /** Returns whether a file has the name of images of STL-10. */
    static boolean isNamed(String name) {
        return STL.matcher(name).matches();
    }

    /** Returns whether there are files with the names of STL-10's training images. */
    static boolean has(List<String> names) {
        return names.contains("train_X.bin") || names.contains("unlabeled_X.bin");
    }

    /** Opens the training images among some files, and takes ownership of the files. */
    static ImageSource openFolder(Shelf shelf) throws IOException {
        return stl(
                shelf,
                shelf.names().stream()
                        .filter(n -> n.equals("train_X.bin") || n.equals("unlabeled_X.bin"))
                        .toList());
    }

    private static ImageSource stl(Shelf shelf, List<String> names) throws IOException {
        List<Part> parts = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        for (String name : names) {
            Bytes bytes = shelf.open(name);
            String display = shelf.display(name);
            int count = Binaries.count(display, bytes.length(), STL_PIXELS);
            parts.add(new Part(display, bytes, 0, count));
            String labelName = name.replace("_X.bin", "_y.bin");
            Bytes y = shelf.open(labelName);
            int[] of = Labels.none(count).of();
            if (y != null) {
                if (y.length() != count) {
                    throw new IOException(shelf.display(labelName) + ": expected " + count + " labels, as " + display
                            + " has images, found " + y.length());
                }
                byte[] read = y.read(0, count);
                for (int i = 0; i < count; i++) {
                    of[i] = (read[i] & 255) - 1;
                    if (of[i] > 9) {
                        throw new IOException(shelf.display(labelName) + "#" + i
                                + ": expected a label from 1 to 10, found " + (of[i] + 1));
                    }
                }
            }
            labels.add(of);
        }
        boolean labelled = labels.stream().flatMapToInt(Arrays::stream).anyMatch(i -> i >= 0);
        List<String> named = labelled ? Binaries.lines(shelf, "class_names.txt") : List.of();
        if (labelled && named.isEmpty()) {
            named = List.of("1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
        }
        return new RecordSource(parts, 96, 96, 0, new Layout(96 * 96, 1, 96), Binaries.labels(labels, named), shelf);
    }
}
