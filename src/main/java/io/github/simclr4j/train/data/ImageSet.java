// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Images in memory. The arrays are not copied.
 *
 * @param side side of the images in pixels
 * @param pixels one array per image, [side, side, 3], unsigned bytes
 * @param labels class of each image, an index into {@code classes}; null without labels
 * @param classes names of the classes, in order
 * @param skipped images that could not be read, with the reasons
 * @param fingerprint hash of the content, in hexadecimal. Images of a source have the fingerprint of {@link ResidentImages}, which
 *     is the same if they are streamed. For other images it is SHA-256 over all pixels in order
 * @param originals the original images, see {@link TrainingImages#originals}
 * @since 0.1.0
 */
public record ImageSet(
        int side,
        List<byte[]> pixels,
        int[] labels,
        List<String> classes,
        List<String> skipped,
        String fingerprint,
        ImageSource originals)
        implements TrainingImages {

    /** Creates a set whose originals are its own images. */
    public ImageSet(
            int side,
            List<byte[]> pixels,
            int[] labels,
            List<String> classes,
            List<String> skipped,
            String fingerprint) {
        this(side, pixels, labels, classes, skipped, fingerprint, new Squares(side, pixels, fingerprint));
    }

    @Override
    public int count() {
        return pixels.size();
    }

    /**
     * Returns decoded images as a set without labels.
     *
     * @param images the images, of any size
     * @param side side in pixels that they are resized to
     */
    public static ImageSet of(List<RgbImage> images, int side) {
        Preprocessing rule = new Preprocessing(side);
        List<byte[]> pixels = images.stream().map(i -> rule.apply(i).rgb()).toList();
        return new ImageSet(side, pixels, null, List.of(), List.of(), fingerprint(side, pixels));
    }

    private static String fingerprint(int side, List<byte[]> pixels) {
        byte[] shape = (side + "x" + pixels.size()).getBytes(StandardCharsets.UTF_8);
        return Sha256.hex(() -> Stream.concat(Stream.of(shape), pixels.stream()).iterator());
    }

    /**
     * Returns a subset of the images, whose fingerprint is SHA-256 over their pixels.
     *
     * @param images their indices, from 0 to {@link #count()} - 1
     * @throws IllegalArgumentException if an index is out of range
     */
    public ImageSet only(int[] images) {
        for (int i : images) {
            if (i < 0 || i >= count()) {
                throw new IllegalArgumentException("Expected images from 0 to " + (count() - 1) + ", found " + i);
            }
        }
        List<byte[]> some = Arrays.stream(images).mapToObj(pixels::get).toList();
        return new ImageSet(
                side,
                some,
                labels == null
                        ? null
                        : Arrays.stream(images).map(i -> labels[i]).toArray(),
                classes,
                List.of(),
                fingerprint(side, some));
    }

    /**
     * Returns the images of a source that are in memory.
     *
     * @param images the images
     * @param source the source that they were read from; the caller closes it after the set's last use
     */
    public static ImageSet of(ResidentImages images, ImageSource source) {
        ImageSet set = of(images);
        ImageSource read = set.count() == source.size() ? source : source.only(images.images());
        return new ImageSet(set.side, set.pixels, set.labels, set.classes, set.skipped, set.fingerprint, read);
    }

    /** Returns images in memory whose source is closed or no longer needed. */
    public static ImageSet of(ResidentImages images) {
        boolean labelled = Arrays.stream(images.labels()).allMatch(l -> l >= 0);
        return new ImageSet(
                images.side(),
                images.pixels(),
                labelled ? images.labels() : null,
                labelled ? images.classes() : List.of(),
                images.skipped().stream().map(Object::toString).toList(),
                images.fingerprint());
    }
}
