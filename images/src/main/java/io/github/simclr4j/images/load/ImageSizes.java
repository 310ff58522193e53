// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import io.github.simclr4j.images.internal.Fingerprint;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Sizes of some images of a source, from their headers: no pixel is decoded.
 *
 * @since 0.1.0
 */
public final class ImageSizes {
    /** Images of which the median is taken. */
    private static final int SAMPLE = 64;

    private ImageSizes() {}

    /**
     * Returns the median of the shorter sides of up to 64 images, spread evenly over the source: at least half of these images have
     * a shorter side of so many pixels or more.
     *
     * @return empty if none of these images can be read
     * @throws io.github.simclr4j.images.source.ImagesUnavailableException if no image can be read any more
     */
    public static OptionalInt medianShortSide(ImageSource source) {
        int[] sides = new Looked(source, SAMPLE).sides;
        Arrays.sort(sides);
        return sides.length == 0 ? OptionalInt.empty() : OptionalInt.of(sides[(sides.length - 1) / 2]);
    }

    /**
     * Returns the largest of the shorter sides of some images, in pixels.
     *
     * @param most how many images are looked at
     * @throws IOException if none of these can be read
     */
    static int largestShortSide(ImageSource source, int most) throws IOException {
        Looked looked = new Looked(source, most);
        return Arrays.stream(looked.sides)
                .max()
                .orElseThrow(() -> new IOException(
                        "No image could be read of those looked at first, such as " + looked.last.getMessage(),
                        looked.last));
    }

    /** What a look at some headers found: the shorter sides of the images that can be read, and why the last other one can't. */
    private static final class Looked {
        private final int[] sides;
        private IOException last;

        Looked(ImageSource source, int most) {
            sides = Arrays.stream(Fingerprint.spread(source.size(), most))
                    .map(i -> side(source, i))
                    .filter(s -> s > 0)
                    .toArray();
        }

        private int side(ImageSource source, int image) {
            int[] side = new int[1];
            try {
                source.read(image, (width, height) -> {
                    side[0] = Math.min(width, height);
                    throw new IOException("not to be decoded");
                });
            } catch (IOException e) {
                last = e;
            }
            return side[0];
        }
    }
}
