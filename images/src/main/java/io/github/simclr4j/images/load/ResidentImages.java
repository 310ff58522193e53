// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.internal.Fingerprint;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Unreadable;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The images of a source, decoded once and kept in memory as squares of one size. The arrays are not copied.
 *
 * @param side side length of the images in pixels
 * @param pixels one array per image, [side, side, 3], unsigned bytes
 * @param images index of each image in the source, without those that could not be read
 * @param labels class of each image, an index into {@code classes}; -1 for none
 * @param classes names of the classes; none if there are no labels
 * @param skipped the images that could not be read
 * @param fingerprint the fingerprint of {@link #fingerprint(ImageSource, int, int)}
 * @since 0.1.0
 */
public record ResidentImages(
        int side,
        List<byte[]> pixels,
        int[] images,
        int[] labels,
        List<String> classes,
        List<Unreadable> skipped,
        String fingerprint) {
    /** Number of images whose sizes determine the side length. */
    private static final int LOOKED_AT = 256;
    /** Overhead of an array and the reference to it, in bytes. */
    private static final int OVERHEAD = 24;

    /**
     * Reads all images of a source. Images larger than {@code imageSize} are kept at up to twice that size, so that small crops of them
     * are still sharp. All images have the same {@linkplain #side(ImageSource, int) side length}.
     *
     * @param source the images; the caller closes them
     * @param imageSize side length of the views in pixels
     * @param progress receives the progress and each image that is skipped
     * @throws IOException if there is no readable image, or if the images don't fit into the heap, which is checked first
     */
    public static ResidentImages read(ImageSource source, int imageSize, Progress progress) throws IOException {
        return read(source, imageSize, available(), progress);
    }

    /** Returns the number of bytes of heap available for images: four fifths of the free heap after garbage collection. */
    public static long available() {
        Runtime r = Runtime.getRuntime();
        // Unreachable objects count as used until they are collected. This is called only once or twice in a run.
        r.gc();
        return (r.maxMemory() - r.totalMemory() + r.freeMemory()) / 5 * 4;
    }

    /**
     * Returns the side length at which to keep the images of a source. It is that of the largest of up to 256 images, but at least
     * {@code imageSize} and at most twice that and at most 1024. Also use it for an {@link ImageStream}.
     *
     * @param source the images
     * @param imageSize side length of the views in pixels
     * @throws IOException if none of these images can be read
     */
    public static int side(ImageSource source, int imageSize) throws IOException {
        int side = ImageSizes.largestShortSide(source, LOOKED_AT);
        return Math.max(imageSize, Math.min(side, Math.min(1024, 2 * imageSize)));
    }

    /**
     * Returns the number of bytes of heap that images take.
     *
     * @param count number of images
     * @param side side length in pixels
     */
    public static long bytes(long count, int side) {
        return count * (3L * side * side + OVERHEAD);
    }

    /**
     * Returns the fingerprint of the training images of a run, which is the same whether they are kept in memory or streamed: the SHA-256
     * of {@link ImageSource#fingerprint}, the side length and the number of images.
     *
     * @param source the images
     * @param side side length of the images in pixels
     * @param count number of images
     * @return the fingerprint in hexadecimal
     * @throws IOException if the source can't be read
     */
    public static String fingerprint(ImageSource source, int side, int count) throws IOException {
        Fingerprint f = new Fingerprint();
        f.add(source.fingerprint());
        f.add(side);
        f.add(count);
        return f.hex();
    }

    static ResidentImages read(ImageSource source, int imageSize, long memory, Progress progress) throws IOException {
        int side = side(source, imageSize);
        long needed = bytes(source.size(), side);
        if (needed > memory) {
            throw new IOException(source.size() + " images take " + (needed >> 20) + " MB of memory, and "
                    + (memory >> 20) + " MB are free: stream them, give Java more memory (-Xmx), or use fewer images");
        }
        Preprocessing rule = new Preprocessing(side);
        byte[][] decoded = new byte[source.size()][];
        Unreadable[] errors = new Unreadable[decoded.length];
        AtomicInteger done = new AtomicInteger();
        progress.start("reading images", decoded.length);
        IntStream.range(0, decoded.length).parallel().forEach(i -> {
            try {
                decoded[i] = PreparedImage.read(source, i, rule, (width, height) -> {});
            } catch (IOException e) {
                errors[i] = Unreadable.of(source, i, e);
            }
            progress.at(done.incrementAndGet(), "");
        });
        progress.end();
        List<Unreadable> skipped = Stream.of(errors).filter(Objects::nonNull).toList();
        skipped.forEach(u -> progress.warn("skipped " + u));
        int[] images = IntStream.range(0, decoded.length)
                .filter(i -> decoded[i] != null)
                .toArray();
        if (images.length == 0) {
            throw new IOException(
                    "No readable image: all " + skipped.size() + " are damaged, such as " + skipped.get(0));
        }
        List<byte[]> pixels = IntStream.of(images).mapToObj(i -> decoded[i]).toList();
        int[] labels = IntStream.of(images).map(i -> source.label(i).orElse(-1)).toArray();
        return new ResidentImages(
                side, pixels, images, labels, source.classes(), skipped, fingerprint(source, side, images.length));
    }
}
