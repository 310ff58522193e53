// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageFolder;
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
 * A set of images that are read by index, in a fixed order, without keeping them in memory.
 *
 * <p>All methods except {@link #close} are thread-safe, and interrupting one thread does not affect the others. The caller that opened a
 * source closes it. Nothing can be read after that.
 *
 * @since 0.1.0
 */
public interface ImageSource extends AutoCloseable {

    /**
     * Opens a set of images. The format is recognised by the content if possible. It may be:
     *
     * <ul>
     *   <li>a {@linkplain FolderFormat folder} of image files (JPEG, PNG, WebP, BMP, GIF, TIFF)
     *   <li>a {@linkplain ZipFormat zip} or {@linkplain TarFormat tar} archive of image files
     *   <li>a {@linkplain TableFormat table} of paths
     *   <li>the binary files of {@linkplain CifarFormat CIFAR}, {@linkplain Stl10Format STL-10} or {@linkplain IdxFormat MNIST}, in a
     *       folder, as the official tar archive or as a single file
     *   <li>any {@linkplain ImageSetFormat format} that another jar on the class path adds
     * </ul>
     *
     * <p>Hidden files, {@code __MACOSX} and directory entries are ignored. Members of archives are never unpacked to files with their
     * names.
     *
     * @param path a file or a folder
     * @throws IOException if the set can't be read, is truncated, or is in no known format; the message names the file
     */
    static ImageSource open(Path path) throws IOException {
        return open(path, Progress.NONE);
    }

    /**
     * Opens a set of images, as {@link #open(Path)} does, and reports progress.
     *
     * @param path a file or a folder
     * @param progress receives the progress of decompressing an archive, and warnings about a tar archive without an end marker and about
     *     images that are {@linkplain #leftOut left out}
     * @throws IOException if the set can't be read, is truncated, or is in no known format; the message names the file
     */
    static ImageSource open(Path path, Progress progress) throws IOException {
        return open(path, TableColumns.BY_NAME, progress);
    }

    /**
     * Opens a set of images, as {@link #open(Path)} does, with given columns of a table. A path with braces that does not exist, such as
     * {@code train-{000..012}.tar} or {@code {train,val}.zip}, is expanded, and the resulting sets are concatenated.
     *
     * @param path a file or a folder, or a path with braces
     * @param columns the columns of a table
     * @param progress receives the progress of decompressing an archive, and warnings about a tar archive without an end marker and about
     *     images that are {@linkplain #leftOut left out}
     * @throws IOException if the set can't be read, is truncated, or is in no known format; the message names the file
     */
    static ImageSource open(Path path, TableColumns columns, Progress progress) throws IOException {
        return ImageSetFormats.open(path, columns, progress);
    }

    /**
     * Opens the image files of a folder, even if it also contains other formats.
     *
     * @param folder the folder
     * @return the images; empty if the folder and its sub-folders contain no image
     * @throws IOException if it is not a folder or can't be read; the message names it
     */
    static Optional<ImageSource> folder(Path folder) throws IOException {
        ImageFolder found = ImageFolder.scan(folder);
        return found.images().isEmpty() ? Optional.empty() : Optional.of(FolderSource.of(folder, found));
    }

    /**
     * Returns a source of listed image files, in the order of the list. The name of an image is its path.
     *
     * @param files JPEG, PNG, WebP, BMP, GIF or TIFF files; may be empty
     */
    static ImageSource ofFiles(List<Path> files) {
        return new FileList(files);
    }

    /** Returns the number of images, at least 1 for a set that was opened. */
    int size();

    /**
     * Returns the name of an image in messages: a path, {@code archive.zip!member} or {@code train.bin#123} (counted from 0).
     *
     * @param i index of the image, from 0 to {@link #size()} - 1
     */
    String name(int i);

    /**
     * Reads an image.
     *
     * @param i index of the image
     * @throws IOException if the image can't be read or is not complete; the message begins with {@link #name}
     * @throws ImagesUnavailableException if no image can be read any more
     */
    default RgbImage read(int i) throws IOException {
        return read(i, (width, height) -> {});
    }

    /**
     * Reads an image after checking its size.
     *
     * @param i index of the image
     * @param size receives the image's size once, before memory for its pixels is allocated
     * @throws IOException if the image can't be read or is not complete, or if {@code size} throws it; the message begins with
     *     {@link #name}
     * @throws ImagesUnavailableException if no image can be read any more
     */
    RgbImage read(int i, SizeCheck size) throws IOException;

    /**
     * Reads the bytes of an image's file, for example to hash them.
     *
     * @param i index of the image
     * @return the bytes; empty if images are not separate files, as in CIFAR's binary files
     * @throws IOException if the file can't be read; the message begins with {@link #name}
     * @throws ImagesUnavailableException if no image can be read any more
     */
    default Optional<byte[]> fileBytes(int i) throws IOException {
        return Optional.empty();
    }

    /**
     * Returns the class of an image.
     *
     * @param i index of the image
     * @return an index into {@link #classes()}; empty if the image has no class
     */
    default OptionalInt label(int i) {
        return OptionalInt.empty();
    }

    /** Returns the names of the classes; none if the images have no labels. */
    default List<String> classes() {
        return List.of();
    }

    /** Returns the images that are left out of the set, because their format is not supported. */
    default LeftOut leftOut() {
        return LeftOut.NONE;
    }

    /**
     * Returns a fingerprint of the content, which stays the same when the set is moved. It is the SHA-256 of:
     *
     * <ul>
     *   <li>the number of images and their labels
     *   <li>for image files, the name (relative to the set) and size of each
     *   <li>the bytes of up to 256 images that are spread evenly over the set, except unreadable ones and those larger than 16 MB
     * </ul>
     *
     * <p>So it does not detect a change in other images that leaves their size unchanged.
     *
     * @return the fingerprint in hexadecimal
     * @throws IOException if the set as a whole can't be read
     */
    String fingerprint() throws IOException;

    /**
     * Returns a random subset of the images, in the same order. Closing it closes this source.
     *
     * @param limit maximum number of images; 0 for all
     * @param seed seed of the choice
     * @throws IllegalArgumentException if {@code limit} is negative
     */
    default ImageSource sample(int limit, long seed) {
        if (limit < 0) {
            throw new IllegalArgumentException("Expected a number of images, or 0 for all, found " + limit);
        }
        return limit == 0 || limit >= size() ? this : new Subset(this, draw(size(), limit, seed));
    }

    /**
     * Draws images at random.
     *
     * @param count number of images to draw from
     * @param limit maximum number of images; 0 for all
     * @param seed seed of the choice
     * @return indices of the images drawn, in ascending order
     */
    static int[] draw(int count, int limit, long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, count).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        return order.stream()
                .limit(limit == 0 ? count : limit)
                .mapToInt(i -> i)
                .sorted()
                .toArray();
    }

    /**
     * Returns a subset of the images. Closing it closes this source.
     *
     * @param images indices of the images, in ascending order
     */
    default ImageSource only(int[] images) {
        return new Subset(this, images.clone());
    }

    /**
     * Closes the files of the set. A second call does nothing.
     *
     * @throws IOException if a temporary file can't be deleted
     */
    @Override
    void close() throws IOException;
}
