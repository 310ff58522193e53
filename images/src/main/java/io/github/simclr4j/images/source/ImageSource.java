package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageFolder;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
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
     * Opens a set of images; what it is, is seen from the content where that is possible. The formats are a
     * {@linkplain FolderFormat folder} of image files (JPEG, PNG, WebP, BMP, GIF, TIFF), a {@linkplain ZipFormat zip} or
     * {@linkplain TarFormat tar} archive of them, a {@linkplain TableFormat table} of paths, and the binary files of
     * {@linkplain CifarFormat CIFAR}, {@linkplain Stl10Format STL-10} and {@linkplain IdxFormat MNIST}, in a folder, as the
     * official tar or as a single file; and what other jars on the class path {@linkplain ImageSetFormat add}. Nothing is
     * unpacked to the names of an archive's members.
     *
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
     * @param progress told how far the decompression of an archive is, warned if a tar has no end marker, and of images that are
     *     {@linkplain #leftOut left out}
     */
    static ImageSource open(Path path, Progress progress) throws IOException {
        return open(path, TableColumns.BY_NAME, progress);
    }

    /**
     * As {@link #open(Path)}. A path with braces that does not exist, such as {@code train-{000..012}.tar} or
     * {@code {train,val}.zip}, stands for all that the braces can mean; the sets follow each other as one.
     *
     * @param columns which columns of a table hold what
     * @param progress told how far the decompression of an archive is, warned if a tar has no end marker, and of images that are
     *     {@linkplain #leftOut left out}
     */
    static ImageSource open(Path path, TableColumns columns, Progress progress) throws IOException {
        return ImageSetFormats.open(path, columns, progress);
    }

    /**
     * Opens the image files of a folder, as {@link #open(Path)} does, whatever other data it holds.
     *
     * @return empty if there is no image at any depth
     * @throws IOException if it is no folder or can't be read; the message names it
     */
    static Optional<ImageSource> folder(Path folder) throws IOException {
        ImageFolder found = ImageFolder.scan(folder);
        return found.images().isEmpty() ? Optional.empty() : Optional.of(FolderSource.of(folder, found));
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
     * @throws ImagesUnavailableException if no image can be read any more
     */
    default RgbImage read(int i) throws IOException {
        return read(i, (width, height) -> {});
    }

    /**
     * Reads an image.
     *
     * @param size told the image's size once, before memory for its pixels is taken
     * @throws IOException as {@link #read(int)}, or if {@code size} throws it
     * @throws ImagesUnavailableException if no image can be read any more
     */
    RgbImage read(int i, SizeCheck size) throws IOException;

    /**
     * Reads the bytes of an image's file, for whoever knows images by their files.
     *
     * @return empty if the images are in no files of their own, as in CIFAR's binaries
     * @throws IOException if the file can't be read; the message begins with {@link #name}
     * @throws ImagesUnavailableException if no image can be read any more
     */
    default Optional<byte[]> fileBytes(int i) throws IOException {
        return Optional.empty();
    }

    /** The class of an image, an index into {@link #classes()}; empty if it has none. */
    default OptionalInt label(int i) {
        return OptionalInt.empty();
    }

    /** The names of the classes; none if the images have no labels. */
    default List<String> classes() {
        return List.of();
    }

    /** The images that lie among these and are left out, since they are in formats that are not read. */
    default LeftOut leftOut() {
        return LeftOut.NONE;
    }

    /**
     * Identifies the content: SHA-256, in hexadecimal, over the number of images, their labels, for images in files each
     * one's name (relative to what was opened) and size, and in any case the bytes of up to 256 images spread evenly over
     * the set; of one that can't be read or is larger than 16 MB, none. A change in others of the same size is not seen. It stays the same when the
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
