package io.github.simclr4j.images.source;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Images that are read by index, in a fixed order, without holding them in memory. All methods but {@link #close} may be
 * called from several threads at once, and an interrupted thread does not harm the others. Whoever opened a source closes
 * it; nothing is read afterwards.
 */
public interface ImageSource extends AutoCloseable {

    /**
     * Opens a set of images; what it is, is seen from the content where that is possible.
     * <ul>
     * <li>A folder with JPEG, PNG, WebP, BMP, GIF and TIFF files at any depth, in the order of their paths. The first
     * sub-folder is the class; a file beside the sub-folders has none.
     * <li>A zip, tar or compressed tar (gzip, xz, bzip2) of such files, in the order of their names; folders that all
     * members share above their class are left out. Nothing is unpacked to the members' names. A zip and a plain tar are
     * read where they are. A compressed tar is decompressed once, when it is opened: what is of use is kept in memory up
     * to a sixteenth of the heap and at most 256 MB, beyond that in one temporary file ({@code java.io.tmpdir}) that
     * {@link #close} deletes. Of several members of one name the last counts, as if unpacked.
     * <li>A table of paths: comma, semicolon or tab separated, with a header. The column {@code path} or {@code image}, or
     * else the first, holds paths relative to the table; the column {@code label} or {@code class}, if there is one, their
     * classes. It is text in UTF-8.
     * <li>CIFAR-10 and CIFAR-100 binaries: a folder with {@code data_batch_*.bin} or {@code train.bin} (the test is left
     * out), the official tar of it, or a single file.
     * <li>STL-10 binaries: a folder with {@code train_X.bin} and {@code unlabeled_X.bin} (either or both; the test is left
     * out), the official tar of it, or a single file.
     * <li>IDX (MNIST and its relatives), also gzipped: the file of images, with the file of labels beside it if it is
     * there, or a folder with {@code train-images-idx3-ubyte}. Three dimensions are grey, four are RGB, channels last or
     * first.
     * </ul>
     * Hidden files, {@code __MACOSX} and directory entries are no images.
     *
     * @param path a file or a folder
     * @throws IOException if it can't be read, is truncated, or is none of these; the message names it
     */
    static ImageSource open(Path path) throws IOException {
        return open(path, Progress.NONE);
    }

    /**
     * As {@link #open(Path)}.
     *
     * @param progress told how far the decompression of an archive is, and if a tar has no end marker
     */
    static ImageSource open(Path path, Progress progress) throws IOException {
        return Formats.open(path, progress);
    }

    /**
     * Returns a source of image files in the order of a list, which may be empty. An image is named by its path as it is listed.
     *
     * @param files JPEG, PNG, WebP, BMP, GIF or TIFF files
     */
    static ImageSource ofFiles(List<Path> files) {
        return new FileList(files);
    }

    /** The number of images; at least 1 for a set that was opened. */
    int size();

    /**
     * What an error calls an image: a path, {@code archive.zip!member} or {@code train.bin#123} (counted from 0).
     *
     * @param i from 0 to {@link #size()} - 1
     */
    String name(int i);

    /**
     * Reads an image.
     *
     * @throws IOException if it can't be read or is no whole image; the message begins with {@link #name}
     */
    default RgbImage read(int i) throws IOException {
        return read(i, (width, height) -> {});
    }

    /**
     * Reads an image.
     *
     * @param size told the image's size once, before memory for its pixels is taken
     * @throws IOException as {@link #read(int)}, or if {@code size} throws it
     */
    RgbImage read(int i, Images.SizeCheck size) throws IOException;

    /** The class of an image, an index into {@link #classes()}; empty if it has none. */
    default OptionalInt label(int i) {
        return OptionalInt.empty();
    }

    /** The names of the classes; none if the images have no labels. */
    default List<String> classes() {
        return List.of();
    }

    /**
     * Identifies the content: SHA-256, in hexadecimal, over the number of images, their labels, for images in files each
     * one's name (relative to what was opened) and size, and in any case the bytes of up to 256 images spread evenly over
     * the set; of one that can't be read, none. A change in others of the same size is not seen. It stays the same when the
     * set is moved.
     *
     * @throws IOException if the set as a whole can't be read
     */
    String fingerprint() throws IOException;

    /**
     * Some of the images, in the same order, chosen at random. Closing it closes this source.
     *
     * @param limit how many at most; 0 for all
     * @param seed of the choice
     * @throws IllegalArgumentException if {@code limit} is negative
     */
    default ImageSource sample(int limit, long seed) {
        if (limit < 0) {
            throw new IllegalArgumentException("Expected a number of images, or 0 for all, found " + limit);
        }
        return limit == 0 || limit >= size() ? this : new Subset(this, draw(size(), limit, seed));
    }

    /**
     * Numbers of some images, drawn at random, in order.
     *
     * @param count how many images there are
     * @param limit at most so many; 0 for all
     * @param seed decides which
     */
    static int[] draw(int count, int limit, long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, count).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        return order.stream().limit(limit == 0 ? count : limit).mapToInt(i -> i).sorted().toArray();
    }

    /**
     * Some of the images, in the same order. Closing it closes this source.
     *
     * @param images their numbers, in order
     */
    default ImageSource only(int[] images) {
        return new Subset(this, images.clone());
    }

    /**
     * Gives files back. May be called again.
     *
     * @throws IOException if a temporary file can't be deleted
     */
    @Override
    void close() throws IOException;
}
