// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.internal.Fingerprint;
import io.github.simclr4j.images.source.RecordSource.Layout;
import io.github.simclr4j.images.source.RecordSource.Part;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads the binary versions of <a href="https://www.cs.toronto.edu/~kriz/cifar.html">CIFAR-10 and CIFAR-100</a> (Krizhevsky 2009): a
 * folder with {@code data_batch_*.bin} or {@code train.bin}, of which only the training images are read, or a single file. A record has
 * one or two label bytes, followed by 32x32 pixels in the planes red, green and blue.
 *
 * @since 0.1.0
 */
public final class CifarFormat implements ImageSetFormat {
    private static final Pattern CIFAR10 = Pattern.compile("data_batch_\\d+\\.bin");
    private static final int CIFAR_PIXELS = 32 * 32 * 3;

    @Override
    public String name() {
        return "cifar";
    }

    @Override
    public String description() {
        return "a binary file of CIFAR-10 or CIFAR-100";
    }

    @Override
    public int order() {
        return 100;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        if (candidate.isFolder()) {
            return has(candidate.fileNames())
                    ? Optional.of(Shelf.owned(new Shelf.OfFolder(candidate.path()), CifarFormat::openFolder))
                    : Optional.empty();
        }
        // Recognised by name, since labels and pixels may be any bytes, also the magic numbers of IDX files or
        // archives.
        return candidate.lowerCaseName().endsWith(".bin")
                        && !Stl10Format.isNamed(candidate.path().getFileName().toString())
                ? Optional.of(Shelf.ownedFile(candidate.path(), CifarFormat::openFile))
                : Optional.empty();
    }

    /** Returns whether there are files with the names of CIFAR's training images. */
    static boolean has(List<String> names) {
        return names.stream().anyMatch(n -> CIFAR10.matcher(n).matches())
                || names.contains("train.bin") && !Stl10Format.has(names);
    }

    /** Opens the training images among some files, and takes ownership of the files. */
    static ImageSource openFolder(Shelf shelf) throws IOException {
        List<String> batches =
                shelf.names().stream().filter(n -> CIFAR10.matcher(n).matches()).toList();
        return batches.isEmpty() ? openFile(shelf, "train.bin") : cifar(shelf, batches, 10);
    }

    /** Opens a single file and takes ownership of the shelf: CIFAR according to its name, or to its size and labels; otherwise IDX. */
    static ImageSource openFile(Shelf shelf, String name) throws IOException {
        Bytes bytes = shelf.open(name);
        boolean cifar10 = CIFAR10.matcher(name).matches()
                || name.equals("test_batch.bin")
                || bytes.length() % (CIFAR_PIXELS + 1) == 0 && fits(bytes, CIFAR_PIXELS + 1, 0, 10);
        boolean cifar100 = name.equals("train.bin")
                || name.equals("test.bin")
                || bytes.length() % (CIFAR_PIXELS + 2) == 0 && fits(bytes, CIFAR_PIXELS + 2, 1, 100);
        if (cifar10 || cifar100) {
            return cifar(shelf, List.of(name), cifar10 ? 10 : 100);
        }
        if (IdxFormat.isIdx(bytes.read(0, (int) Math.min(8, bytes.length())))) {
            return IdxFormat.openFile(shelf, name);
        }
        throw new IOException(
                shelf.display(name) + ": expected a whole number of CIFAR-10 records (3,073 bytes, label 0 to 9)"
                        + " or CIFAR-100 records (3,074 bytes), or the name of an STL-10 file (*_X.bin), found "
                        + bytes.length()
                        + " bytes: truncated, or something else");
    }

    private static boolean fits(Bytes bytes, int record, int at, int classes) throws IOException {
        long count = bytes.length() / record;
        for (int i : Fingerprint.spread((int) Math.min(Integer.MAX_VALUE, count), 1000)) {
            if ((bytes.read((long) i * record + at, 1)[0] & 255) >= classes) {
                return false;
            }
        }
        return count > 0;
    }

    private static ImageSource cifar(Shelf shelf, List<String> names, int classes) throws IOException {
        int head = classes == 10 ? 1 : 2;
        int record = head + CIFAR_PIXELS;
        List<Part> parts = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        for (String name : names) {
            Bytes bytes = shelf.open(name);
            String display = shelf.display(name);
            int count = Binaries.count(display, bytes.length(), record);
            parts.add(new Part(display, bytes, 0, count));
            int[] of = new int[count];
            for (int i = 0; i < count; i++) {
                of[i] = bytes.read((long) i * record + head - 1, 1)[0] & 255;
                if (of[i] >= classes) {
                    throw new IOException(display + "#" + i + ": expected a label from 0 to " + (classes - 1)
                            + ", found " + of[i] + ": not CIFAR-" + classes + ", or damaged");
                }
            }
            labels.add(of);
        }
        List<String> named = Binaries.lines(shelf, classes == 10 ? "batches.meta.txt" : "fine_label_names.txt");
        return new RecordSource(parts, 32, 32, head, new Layout(1024, 32, 1), Binaries.labels(labels, named), shelf);
    }
}
