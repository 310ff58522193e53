// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.source.RecordSource.Layout;
import io.github.simclr4j.images.source.RecordSource.Part;
import io.github.simclr4j.util.Progress;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Reads IDX files, the format of <a href="http://yann.lecun.com/exdb/mnist/">MNIST</a> and similar sets, also gzipped: a file of images,
 * with the file of labels beside it if it exists, or a folder with {@code train-images-idx3-ubyte}.
 *
 * <p>An IDX file contains 0, 0, the type, the number of dimensions, the dimensions as big-endian integers, and the values. Three
 * dimensions mean grey images, four mean RGB images with channels last or first.
 *
 * @since 0.1.0
 */
public final class IdxFormat implements ImageSetFormat {
    private static final Pattern IDX = Pattern.compile("(.*)images?[-.]idx([34])-ubyte(\\.gz)?");

    @Override
    public String name() {
        return "idx";
    }

    @Override
    public String description() {
        return "a binary file of MNIST (IDX)";
    }

    @Override
    public int order() {
        return 300;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        if (candidate.isFolder()) {
            return has(candidate.fileNames())
                    ? Optional.of(Shelf.owned(new Shelf.OfFolder(candidate.path()), IdxFormat::openFolder))
                    : Optional.empty();
        }
        boolean zipped = "gz".equals(candidate.compression())
                && !"tar".equals(ImageSetCandidate.archive(candidate.decompressed()))
                && isIdx(candidate.decompressed());
        return isIdx(candidate.first()) || zipped
                ? Optional.of(Shelf.ownedFile(candidate.path(), IdxFormat::openFile))
                : Optional.empty();
    }

    /** Returns whether there are files with the names of MNIST's training images. */
    static boolean has(List<String> names) {
        return names.stream().anyMatch(n -> IDX.matcher(n).matches());
    }

    /** Opens the training images among some files, and takes ownership of the files. */
    static ImageSource openFolder(Shelf shelf) throws IOException {
        List<String> idx =
                shelf.names().stream().filter(n -> IDX.matcher(n).matches()).toList();
        List<String> train = idx.stream().filter(n -> n.contains("train")).toList();
        if (train.isEmpty()) {
            train = idx;
        }
        // The same file may exist both gzipped and not.
        if (train.size() == 2 && train.get(1).equals(train.get(0) + ".gz")) {
            train = train.subList(0, 1);
        }
        if (train.size() > 1) {
            throw new IOException("Expected one file of images, found " + train.size() + ": choose one of "
                    + train.stream().map(shelf::display).toList());
        }
        return openFile(shelf, train.get(0));
    }

    /** Returns whether bytes begin like an IDX file. */
    static boolean isIdx(byte[] first) {
        return first.length >= 8
                && first[0] == 0
                && first[1] == 0
                && first[2] >= 8
                && first[2] <= 14
                && first[3] >= 1
                && first[3] <= 4;
    }

    /** The values of an IDX file. */
    private record Idx(String name, Bytes bytes, int[] dimensions, long start) {}

    private static Idx idxFile(Shelf shelf, String name, Opened opened) throws IOException {
        Bytes bytes = shelf.open(name);
        if (bytes == null) {
            return null;
        }
        String display = shelf.display(name);
        if (bytes.startsWith(0x1f, 0x8b)) {
            bytes = Spool.gunzip(display, bytes);
            opened.add(bytes);
        }
        byte[] magic = bytes.read(0, (int) Math.min(8, bytes.length()));
        if (!isIdx(magic)) {
            throw new IOException(display + ": expected an IDX file, which begins 0, 0, type, dimensions, found "
                    + Arrays.toString(Arrays.copyOf(magic, Math.min(4, magic.length))));
        }
        if (magic[2] != 8) {
            throw new IOException(display + ": expected unsigned bytes (type 8), found type " + magic[2]);
        }
        int[] dimensions = new int[magic[3]];
        long start = 4 + 4L * dimensions.length;
        long values = 1;
        if (bytes.length() >= start) {
            ByteBuffer.wrap(bytes.read(4, (int) start - 4)).asIntBuffer().get(dimensions);
        }
        for (int d : dimensions) {
            // No product overflows: the previous one is at most the file's length, and a dimension is below 2^31.
            values = d < 1 || values > bytes.length() ? -1 : values * d;
            if (values < 0) {
                break;
            }
        }
        if (values < 0 || values != bytes.length() - start) {
            throw new IOException(
                    display + ": expected " + (values < 0 ? "as many" : values) + " values for its dimensions "
                            + Arrays.toString(dimensions) + ", found " + Math.max(0, bytes.length() - start)
                            + ": truncated or damaged");
        }
        return new Idx(display, bytes, dimensions, start);
    }

    /** Opens an IDX file of images, gzipped or not, and takes ownership of the shelf. */
    static ImageSource openFile(Shelf shelf, String name) throws IOException {
        Opened opened = new Opened(new ArrayList<>(List.of(shelf)));
        try {
            return idx(shelf, name, opened);
        } catch (IOException | RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private static ImageSource idx(Shelf shelf, String name, Opened opened) throws IOException {
        Idx images = idxFile(shelf, name, opened);
        int[] d = images.dimensions;
        int width;
        int height;
        Layout layout;
        if (d.length == 3) {
            height = d[1];
            width = d[2];
            layout = new Layout(0, width, 1);
        } else if (d.length == 4 && d[3] == 3) {
            height = d[1];
            width = d[2];
            layout = new Layout(1, 3 * width, 3);
        } else if (d.length == 4 && d[1] == 3) {
            height = d[2];
            width = d[3];
            layout = new Layout(height * width, width, 1);
        } else {
            throw new IOException(images.name + ": expected images, [n, height, width], [n, height, width, 3] or"
                    + " [n, 3, height, width], found " + Arrays.toString(d)
                    + (d.length == 1 ? ", which are labels" : ""));
        }
        if ((long) width * height > 100_000_000) {
            throw new IOException(images.name + ": images too large: " + width + "x" + height);
        }
        String labelName =
                name.replaceFirst("images?([-.])idx[34]", "labels$1idx1").replaceFirst("\\.gz$", "");
        Labels labels = Labels.none(d[0]);
        for (String candidate : List.of(labelName, labelName + ".gz")) {
            Idx y = labelName.equals(name) ? null : idxFile(shelf, candidate, opened);
            if (y != null) {
                if (y.dimensions.length != 1 || y.dimensions[0] != d[0]) {
                    throw new IOException(y.name + ": expected " + d[0] + " labels, as " + images.name
                            + " has images, found " + Arrays.toString(y.dimensions));
                }
                byte[] read = y.bytes.read(y.start, d[0]);
                int[] of = new int[d[0]];
                for (int i = 0; i < of.length; i++) {
                    of[i] = read[i] & 255;
                }
                labels = Labels.ofNumbers(of, List.of());
                break;
            }
        }
        return new RecordSource(
                List.of(new Part(images.name, images.bytes, images.start, d[0])),
                width,
                height,
                0,
                layout,
                labels,
                opened);
    }

    /** The files that were opened so far. */
    private record Opened(List<Closeable> all) implements Closeable {
        void add(Closeable one) {
            all.add(one);
        }

        @Override
        public void close() throws IOException {
            for (Closeable c : all) {
                c.close();
            }
        }
    }
}
