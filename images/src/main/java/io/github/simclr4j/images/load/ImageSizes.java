// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import io.github.simclr4j.images.internal.Fingerprint;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Statistics of image sizes. They are read from the headers of a sample of the images; no pixels are decoded.
 *
 * @since 0.1.0
 */
public final class ImageSizes {
    /** Maximum number of images in the sample for the median. */
    private static final int SAMPLE = 64;

    private ImageSizes() {}

    /**
     * Returns the median of the shorter sides of up to 64 images, spread evenly over the source. With an even number of images it is the
     * lower of the two middle values.
     *
     * @param source the images
     * @return the median in pixels; empty if none of these images can be read
     * @throws io.github.simclr4j.images.source.ImagesUnavailableException if no image can be read any more
     */
    public static OptionalInt medianShortSide(ImageSource source) {
        int[] sides = new Looked(source, SAMPLE).sides;
        Arrays.sort(sides);
        return sides.length == 0 ? OptionalInt.empty() : OptionalInt.of(sides[(sides.length - 1) / 2]);
    }

    /**
     * Returns the maximum of the shorter sides of a sample of the images, in pixels.
     *
     * @param source the images
     * @param most maximum number of images in the sample
     * @throws IOException if none of these images can be read
     */
    static int largestShortSide(ImageSource source, int most) throws IOException {
        Looked looked = new Looked(source, most);
        return Arrays.stream(looked.sides)
                .max()
                .orElseThrow(() -> new IOException(
                        "None of the sampled images can be read; the last error is " + looked.last.getMessage(),
                        looked.last));
    }

    /** The shorter sides of the sampled images that can be read, and the last error of the others. */
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
