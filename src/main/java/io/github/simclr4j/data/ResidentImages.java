package io.github.simclr4j.data;

import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.RgbImage;
import io.github.simclr4j.train.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * A source's images, decoded once and held in memory as squares of one size. The arrays are not copied.
 *
 * @param side side in pixels
 * @param pixels an array an image, [side, side, 3], unsigned bytes
 * @param images each one's index in the source; those that could not be read are missing
 * @param labels each one's class, an index into {@code classes}; -1 for none
 * @param classes the names of the classes; none if there are no labels
 * @param skipped what could not be read
 * @param fingerprint SHA-256 over all pixels in order, in hexadecimal
 */
public record ResidentImages(int side, List<byte[]> pixels, int[] images, int[] labels, List<String> classes,
        List<Unreadable> skipped, String fingerprint) {
    /** Images whose size is looked at for an estimate. */
    private static final int LOOKED_AT = 256;
    /** Of an array and the reference to it. */
    private static final int OVERHEAD = 24;

    /**
     * Reads all images of a source. One that is larger than {@code imageSize} is kept at up to twice that size, so that a
     * small crop of it is still sharp; all have the same size.
     *
     * @param source stays the caller's to close
     * @param imageSize side of the views
     * @param progress told how far it is, and of each image that is skipped
     * @throws IOException if there is no readable image, or if they don't fit into the heap, which is seen beforehand from
     * the
     *     sizes of a few images
     */
    public static ResidentImages read(ImageSource source, int imageSize, Progress progress) throws IOException {
        return read(source, imageSize, available(), progress);
    }

    /**
     * Bytes of heap that the images of a source will take, from the sizes of up to 256 of them.
     *
     * @param imageSize side of the views
     * @throws IOException if none of these can be read
     */
    public static long estimate(ImageSource source, int imageSize) throws IOException {
        return bytes(source.size(), side(source, imageSize));
    }

    /** Bytes of heap that images can take now: four fifths of what is free. */
    public static long available() {
        Runtime r = Runtime.getRuntime();
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
        return Math.max(imageSize, Math.min(side, largest(imageSize)));
    }

    private static int largest(int imageSize) {
        return Math.min(1024, 2 * imageSize);
    }

    private static long bytes(long count, int side) {
        return count * (3L * side * side + OVERHEAD);
    }

    static ResidentImages read(ImageSource source, int imageSize, long memory, Progress progress) throws IOException {
        checkMemory(source.size(), estimate(source, imageSize), memory);
        Preprocessing shrink = new Preprocessing(largest(imageSize));
        RgbImage[] decoded = new RgbImage[source.size()];
        Unreadable[] errors = new Unreadable[decoded.length];
        AtomicInteger done = new AtomicInteger();
        AtomicLong held = new AtomicLong();
        progress.start("reading images", decoded.length);
        IntStream.range(0, decoded.length).parallel().forEach(i -> {
            if (held.get() <= memory) {
                try {
                    decoded[i] = square(source.read(i), shrink);
                    held.addAndGet(decoded[i].rgb().length + OVERHEAD);
                } catch (IOException e) {
                    errors[i] = Unreadable.of(source, i, e);
                }
                progress.at(done.incrementAndGet(), "");
            }
        });
        progress.end();
        checkMemory(source.size(), held.get(), memory);
        List<Unreadable> skipped = new ArrayList<>();
        int[] images = IntStream.range(0, decoded.length).filter(i -> decoded[i] != null).toArray();
        int side = imageSize;
        for (int i = 0; i < decoded.length; i++) {
            if (decoded[i] == null) {
                progress.warn("skipped " + errors[i]);
                skipped.add(errors[i]);
            } else {
                side = Math.max(side, decoded[i].width());
            }
        }
        if (images.length == 0) {
            throw new IOException("No readable image: all " + skipped.size() + " are damaged, such as " + skipped.get(0));
        }
        checkMemory(images.length, bytes(images.length, side), memory);
        Preprocessing rule = new Preprocessing(side);
        IntStream.of(images).parallel().forEach(i -> decoded[i] = rule.apply(decoded[i]));
        List<byte[]> pixels = IntStream.of(images).mapToObj(i -> decoded[i].rgb()).toList();
        int[] labels = IntStream.of(images).map(i -> source.label(i).orElse(-1)).toArray();
        return new ResidentImages(side, pixels, images, labels, source.classes(), List.copyOf(skipped),
                fingerprint(side, pixels));
    }

    private static void checkMemory(int count, long needed, long memory) throws IOException {
        if (needed > memory) {
            throw new IOException(count + " images take " + (needed >> 20) + " MB of memory, and " + (memory >> 20)
                    + " MB are free: stream them, give Java more (-Xmx), or take fewer images");
        }
    }

    /** The centred square that {@link Preprocessing} would cut out, not larger than a size. */
    private static RgbImage square(RgbImage image, Preprocessing largest) {
        int side = Math.min(image.width(), image.height());
        if (side > largest.size()) {
            return largest.apply(image);
        }
        if (image.width() == image.height()) {
            return image;
        }
        int left = (image.width() - side) / 2;
        int top = (image.height() - side) / 2;
        byte[] rgb = new byte[side * side * 3];
        for (int y = 0; y < side; y++) {
            System.arraycopy(image.rgb(), ((top + y) * image.width() + left) * 3, rgb, y * side * 3, side * 3);
        }
        return new RgbImage(side, side, rgb);
    }

    private static String fingerprint(int side, List<byte[]> pixels) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update((side + "x" + pixels.size()).getBytes(StandardCharsets.UTF_8));
            pixels.forEach(digest::update);
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
