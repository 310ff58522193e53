package io.github.simclr4j.images.source;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.source.RecordSource.Layout;
import io.github.simclr4j.images.source.RecordSource.Part;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The binary files of well-known sets.
 *
 * <p>CIFAR-10 and CIFAR-100 (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html): records of one or two label
 * bytes and 32x32 pixels, colour by colour. STL-10 (Coates, Ng, Lee 2011, https://cs.stanford.edu/~acoates/stl10/): 96x96
 * pixels, colour by colour, column by column; labels from 1 in a file of their own. IDX (LeCun,
 * http://yann.lecun.com/exdb/mnist/): 0, 0, type, number of dimensions, the dimensions as big-endian integers, the values.
 */
final class Binaries {
    private static final Pattern CIFAR10 = Pattern.compile("data_batch_\\d+\\.bin");
    private static final Pattern STL = Pattern.compile("(.+)_X\\.bin");
    private static final Pattern IDX = Pattern.compile("(.*)images?[-.]idx([34])-ubyte(\\.gz)?");
    private static final Pattern WANTED = Pattern.compile(".*\\.bin|.*idx\\d-ubyte(\\.gz)?"
            + "|batches\\.meta\\.txt|fine_label_names\\.txt|class_names\\.txt");
    private static final int CIFAR_PIXELS = 32 * 32 * 3;
    private static final int STL_PIXELS = 96 * 96 * 3;

    private Binaries() {}

    /** Whether a member of an archive may be of use. */
    static boolean isWanted(String path) {
        return WANTED.matcher(path.substring(path.lastIndexOf('/') + 1)).matches() && !Images.isHidden(path);
    }

    /** Opens the training images among some files, and owns them then; null if there are none of a known name. */
    static ImageSource open(Shelf shelf) throws IOException {
        List<String> names = shelf.names();
        List<String> batches = names.stream().filter(n -> CIFAR10.matcher(n).matches()).toList();
        if (!batches.isEmpty()) {
            return cifar(shelf, batches, 10);
        }
        List<String> stl = names.stream().filter(n -> n.equals("train_X.bin") || n.equals("unlabeled_X.bin")).toList();
        if (!stl.isEmpty()) {
            return stl(shelf, stl);
        }
        if (names.contains("train.bin")) {
            return openFile(shelf, "train.bin");
        }
        List<String> idx = names.stream().filter(n -> IDX.matcher(n).matches()).toList();
        List<String> train = idx.stream().filter(n -> n.contains("train")).toList();
        if (train.isEmpty()) {
            train = idx;
        }
        // The same file may lie there both gzipped and not.
        if (train.size() == 2 && train.get(1).equals(train.get(0) + ".gz")) {
            train = train.subList(0, 1);
        }
        if (train.size() > 1) {
            throw new IOException("Expected one file of images, found " + train.size() + ": name one of "
                    + train.stream().map(shelf::display).toList());
        }
        return train.isEmpty() ? null : idx(shelf, train.get(0));
    }

    /** Opens one file, and owns the shelf then: STL-10 by its name, CIFAR by its size and labels, else IDX. */
    static ImageSource openFile(Shelf shelf, String name) throws IOException {
        if (STL.matcher(name).matches()) {
            return stl(shelf, List.of(name));
        }
        Bytes bytes = shelf.open(name);
        boolean cifar10 = CIFAR10.matcher(name).matches() || name.equals("test_batch.bin")
                || bytes.length() % (CIFAR_PIXELS + 1) == 0 && fits(bytes, CIFAR_PIXELS + 1, 0, 10);
        boolean cifar100 = name.equals("train.bin") || name.equals("test.bin")
                || bytes.length() % (CIFAR_PIXELS + 2) == 0 && fits(bytes, CIFAR_PIXELS + 2, 1, 100);
        if (cifar10 || cifar100) {
            return cifar(shelf, List.of(name), cifar10 ? 10 : 100);
        }
        if (isIdx(bytes.read(0, (int) Math.min(8, bytes.length())))) {
            return idx(shelf, name);
        }
        throw new IOException(shelf.display(name) + ": expected a whole number of CIFAR-10 records (3,073 bytes, label 0 to 9)"
                + " or CIFAR-100 records (3,074 bytes), or the name of an STL-10 file (*_X.bin), found " + bytes.length()
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
            int count = count(display, bytes.length(), record);
            parts.add(new Part(display, bytes, 0, count));
            int[] of = new int[count];
            for (int i = 0; i < count; i++) {
                of[i] = bytes.read((long) i * record + head - 1, 1)[0] & 255;
                if (of[i] >= classes) {
                    throw new IOException(display + "#" + i + ": expected a label from 0 to " + (classes - 1) + ", found "
                            + of[i] + ": not CIFAR-" + classes + ", or damaged");
                }
            }
            labels.add(of);
        }
        List<String> named = lines(shelf, classes == 10 ? "batches.meta.txt" : "fine_label_names.txt");
        return new RecordSource(parts, 32, 32, head, new Layout(1024, 32, 1), labels(labels, named), shelf);
    }

    private static Labels labels(List<int[]> parts, List<String> named) {
        return Labels.ofNumbers(parts.stream().flatMapToInt(Arrays::stream).toArray(), named);
    }

    private static ImageSource stl(Shelf shelf, List<String> names) throws IOException {
        List<Part> parts = new ArrayList<>();
        List<int[]> labels = new ArrayList<>();
        for (String name : names) {
            Bytes bytes = shelf.open(name);
            String display = shelf.display(name);
            int count = count(display, bytes.length(), STL_PIXELS);
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
                        throw new IOException(shelf.display(labelName) + "#" + i + ": expected a label from 1 to 10, found "
                                + (of[i] + 1));
                    }
                }
            }
            labels.add(of);
        }
        boolean labelled = labels.stream().flatMapToInt(Arrays::stream).anyMatch(i -> i >= 0);
        List<String> named = labelled ? lines(shelf, "class_names.txt") : List.of();
        if (labelled && named.isEmpty()) {
            named = List.of("1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
        }
        return new RecordSource(parts, 96, 96, 0, new Layout(96 * 96, 1, 96), labels(labels, named), shelf);
    }

    private static int count(String display, long length, int record) throws IOException {
        if (length == 0 || length % record != 0) {
            throw new IOException(display + ": expected a whole number of records of " + record + " bytes, found " + length
                    + " bytes: truncated, or not what its name says");
        }
        if (length / record > Integer.MAX_VALUE - 8) {
            throw new IOException(display + ": too many images: " + length / record);
        }
        return (int) (length / record);
    }

    private static List<String> lines(Shelf shelf, String name) throws IOException {
        Bytes bytes = shelf.open(name);
        if (bytes == null || bytes.length() > 1 << 16) {
            return List.of();
        }
        String text = new String(bytes.read(0, (int) bytes.length()), StandardCharsets.UTF_8);
        List<String> lines = text.lines().map(String::strip).filter(l -> !l.isEmpty()).toList();
        if (lines.stream().distinct().count() < lines.size()) {
            throw new IOException(shelf.display(name) + ": expected a name for each class, found one twice among " + lines);
        }
        return lines;
    }

    /** Whether bytes begin as an IDX file does. */
    static boolean isIdx(byte[] first) {
        return first.length >= 8 && first[0] == 0 && first[1] == 0 && first[2] >= 8 && first[2] <= 14
                && first[3] >= 1 && first[3] <= 4;
    }

    /** Values of an IDX file. */
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
            // Each product fits: the file's length is above the last one, and a dimension below 2^31.
            values = d < 1 || values > bytes.length() ? -1 : values * d;
            if (values < 0) {
                break;
            }
        }
        if (values < 0 || values != bytes.length() - start) {
            throw new IOException(display + ": expected " + (values < 0 ? "as many" : values) + " values for its dimensions "
                    + Arrays.toString(dimensions) + ", found " + Math.max(0, bytes.length() - start)
                    + ": truncated or damaged");
        }
        return new Idx(display, bytes, dimensions, start);
    }

    /** Opens an IDX file of images, gzipped or not, and owns the shelf then. */
    static ImageSource idx(Shelf shelf, String name) throws IOException {
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
                    + " [n, 3, height, width], found " + Arrays.toString(d) + (d.length == 1 ? ", which are labels" : ""));
        }
        if ((long) width * height > 100_000_000) {
            throw new IOException(images.name + ": images too large: " + width + "x" + height);
        }
        String labelName = name.replaceFirst("images?([-.])idx[34]", "labels$1idx1").replaceFirst("\\.gz$", "");
        Labels labels = Labels.none(d[0]);
        for (String candidate : List.of(labelName, labelName + ".gz")) {
            Idx y = labelName.equals(name) ? null : idxFile(shelf, candidate, opened);
            if (y != null) {
                if (y.dimensions.length != 1 || y.dimensions[0] != d[0]) {
                    throw new IOException(y.name + ": expected " + d[0] + " labels, as " + images.name + " has images, found "
                            + Arrays.toString(y.dimensions));
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
        return new RecordSource(List.of(new Part(images.name, images.bytes, images.start, d[0])), width, height, 0, layout,
                labels, opened);
    }

    /** What was opened along the way. */
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
