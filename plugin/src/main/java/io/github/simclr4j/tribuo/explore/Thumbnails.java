// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Wraps a set of images and keeps a thumbnail of each image that is read, of {@value #SIZE} x {@value #SIZE} pixels (3 KB), so that
 * pixels can be compared without reading the images again. Thread-safe.
 *
 * @since 0.1.0
 */
public final class Thumbnails implements ImageSource {
    /** Width and height of a thumbnail in pixels; the aspect ratio is not kept. */
    static final int SIZE = 32;

    private static final Preprocessing RULE = new Preprocessing(
            SIZE,
            SIZE,
            Preprocessing.Resize.STRETCH,
            0,
            Preprocessing.Interpolation.BILINEAR,
            Preprocessing.Channels.RGB,
            null);

    private final ImageSource images;
    private final byte[][] pixels;
    private final long[] areas;

    /**
     * Wraps a set of images. Closing this object closes the set.
     *
     * @param images the set of images
     */
    public Thumbnails(ImageSource images) {
        this.images = images;
        pixels = new byte[images.size()][];
        areas = new long[images.size()];
    }

    /** Returns the thumbnail of an image, RGB, [{@value #SIZE}, {@value #SIZE}, 3], or null if it was not read. */
    byte[] pixels(int image) {
        return pixels[image];
    }

    /** Returns the number of pixels of an image, or 0 if it was not read. */
    long area(int image) {
        return areas[image];
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        RgbImage image = images.read(i, size);
        pixels[i] = RULE.apply(image).rgb().clone();
        areas[i] = (long) image.width() * image.height();
        return image;
    }

    /** Returns nothing, so that callers read the images as pixels. */
    @Override
    public Optional<byte[]> fileBytes(int i) {
        return Optional.empty();
    }

    @Override
    public int size() {
        return images.size();
    }

    @Override
    public String name(int i) {
        return images.name(i);
    }

    @Override
    public OptionalInt label(int i) {
        return images.label(i);
    }

    @Override
    public List<String> classes() {
        return images.classes();
    }

    @Override
    public LeftOut leftOut() {
        return images.leftOut();
    }

    @Override
    public String fingerprint() throws IOException {
        return images.fingerprint();
    }

    @Override
    public void close() throws IOException {
        images.close();
    }
}
