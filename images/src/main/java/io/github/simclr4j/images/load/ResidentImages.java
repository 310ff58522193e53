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
 * A source's images, decoded once and held in memory as squares of one size. The arrays are not copied.
 *
 * @param side side in pixels
 * @param pixels an array an image, [side, side, 3], unsigned bytes
 * @param images each one's index in the source; those that could not be read are missing
 * @param labels each one's class, an index into {@code classes}; -1 for none
 * @param classes the names of the classes; none if there are no labels
 * @param skipped what could not be read
 * @param fingerprint as of {@link #fingerprint(ImageSource, int, int)}
 */
public record ResidentImages(int side, List<byte[]> pixels, int[] images, int[] labels, List<String> classes,
        List<Unreadable> skipped, String fingerprint) {
    /** Images whose size is looked at to choose the side. */
    private static final int LOOKED_AT = 256;
    /** Of an array and the reference to it. */
    private static final int OVERHEAD = 24;

    /**
     * Reads all images of a source. One that is larger than {@code imageSize} is kept at up to twice that size, so that a
     * small crop of it is still sharp; all have the same {@link #side(ImageSource, int)}.
     *
     * @param source stays the caller's to close
     * @param imageSize side of the views
     * @param progress told how far it is, and of each image that is skipped
     * @throws IOException if there is no readable image, or if they don't fit into the heap, which is seen beforehand
     */
    public static ResidentImages read(ImageSource source, int imageSize, Progress progress) throws IOException {
        return read(source, imageSize, available(), progress);
    }

    /** Bytes of heap that images can take now: four fifths of what is free once garbage is collected. */
    public static long available() {
        Runtime r = Runtime.getRuntime();
        // What is no longer used counts as used until then. It is asked for once or twice in a run.
        r.gc();
        return (r.maxMemory() - r.totalMemory() + r.freeMemory()) / 5 * 4;
    }

    /**
     * The side that squares of a source's images should have, from the sizes of up to 256 of them: that of the largest, at
     * least {@code imageSize} and at most twice it (and 1024). What {@link ImageStream} is to be given.
     *
     * @param imageSize side of the views
     * @throws IOException if none of these can be read
     */
    public static int side(ImageSource source, int imageSize) throws IOException {
        int side = 0;
        IOException last = null;
        for (int i : Fingerprint.spread(source.size(), LOOKED_AT)) {
            int[] size = new int[1];
            try {
                source.read(i, (width, height) -> {
                    size[0] = Math.min(width, height);
                    throw new IOException("not to be decoded");
                });
            } catch (IOException e) {
                if (size[0] == 0) {
                    last = e;
                }
            }
            side = Math.max(side, size[0]);
        }
        if (side == 0) {
            throw new IOException("No image could be read of those looked at first, such as " + last.getMessage(), last);
        }
        return Math.max(imageSize, Math.min(side, Math.min(1024, 2 * imageSize)));
    }

    /** Bytes of heap that some squares take. */
    public static long bytes(long count, int side) {
        return count * (3L * side * side + OVERHEAD);
    }

    /**
     * Names the images that a run learns from, whether it holds them in memory or decodes them anew in every epoch: SHA-256, in
     * hexadecimal, over {@link ImageSource#fingerprint}, the side of the squares and how many there are.
     *
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
            throw new IOException(source.size() + " images take " + (needed >> 20) + " MB of memory, and " + (memory >> 20)
                    + " MB are free: stream them, give Java more (-Xmx), or take fewer images");
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
        int[] images = IntStream.range(0, decoded.length).filter(i -> decoded[i] != null).toArray();
        if (images.length == 0) {
            throw new IOException("No readable image: all " + skipped.size() + " are damaged, such as " + skipped.get(0));
        }
        List<byte[]> pixels = IntStream.of(images).mapToObj(i -> decoded[i]).toList();
        int[] labels = IntStream.of(images).map(i -> source.label(i).orElse(-1)).toArray();
        return new ResidentImages(side, pixels, images, labels, source.classes(), skipped,
                fingerprint(source, side, images.length));
    }
}
