// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import io.github.simclr4j.images.RgbImage;
import java.io.IOException;
import org.tribuo.Example;
import org.tribuo.Feature;

/**
 * Describes how an example stores the pixels of an image. Each feature is one value, and the number at the end of its name says
 * which one. Tribuo's {@link org.tribuo.datasource.IDXDataSource} makes such names ({@code 0007}), and tables of pixels have them as
 * column names ({@code pixel7}). A missing feature is 0.
 *
 * @param width width in pixels, at least 1
 * @param height height in pixels, at least 1. Three bytes per pixel must fit into an array, which limits an image to about 700
 *     million pixels
 * @param channels 1 for grey or 3 for red, green and blue
 * @param planar whether the channels are stored one after the other, [channels, height, width], instead of
 *     [height, width, channels]
 * @param scale the factor that brings feature values into the range 0 to 255: 1 for bytes, 255 for values in [0, 1]; above 0
 * @param first the number of the first value, usually 0 or 1
 * @since 0.1.0
 */
public record PixelLayout(int width, int height, int channels, boolean planar, double scale, int first) {
    /** The longest array that every JVM can allocate. */
    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public PixelLayout {
        if (width < 1
                || height < 1
                || (channels != 1 && channels != 3)
                || !(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "Expected a width and height of at least 1, 1 or 3 channels and a positive" + " scale, found "
                            + width + ", " + height + ", " + channels + " and " + scale);
        }
        if ((long) width * height > MAX_BYTES / 3) {
            throw new IllegalArgumentException(
                    "Expected at most " + MAX_BYTES / 3 + " pixels, found " + width + "x" + height);
        }
    }

    /**
     * Returns a layout of grey values from 0 to 255, numbered from 0, as in MNIST.
     *
     * @param width width in pixels, at least 1
     * @param height height in pixels, at least 1
     */
    public static PixelLayout grey(int width, int height) {
        return new PixelLayout(width, height, 1, false, 1, 0);
    }

    /**
     * Returns a layout of interleaved red, green and blue values from 0 to 255, numbered from 0.
     *
     * @param width width in pixels, at least 1
     * @param height height in pixels, at least 1
     */
    public static PixelLayout rgb(int width, int height) {
        return new PixelLayout(width, height, 3, false, 1, 0);
    }

    /** Returns this layout with the channels stored one after the other. */
    public PixelLayout asPlanes() {
        return new PixelLayout(width, height, channels, true, scale, first);
    }

    /**
     * Returns this layout with another scale.
     *
     * @param factor the factor that brings feature values into the range 0 to 255, above 0
     */
    public PixelLayout scaledBy(double factor) {
        return new PixelLayout(width, height, channels, planar, factor, first);
    }

    /**
     * Returns this layout with another number for the first value.
     *
     * @param number the number at the end of the first value's feature name
     */
    public PixelLayout startingAt(int number) {
        return new PixelLayout(width, height, channels, planar, scale, number);
    }

    /**
     * Returns whether an example's scaled values seem to range from 0 to 1 instead of from 0 to 255: all are in [0, 1], and some are
     * fractions, which bytes are not.
     *
     * @param example the example to look at; looking ends at the first value outside [0, 1]
     */
    public boolean looksUnscaled(Example<?> example) {
        boolean fraction = false;
        for (Feature f : example) {
            double value = f.getValue() * scale;
            if (!(value >= 0 && value <= 1)) {
                return false;
            }
            fraction |= value != Math.rint(value);
        }
        return fraction;
    }

    /**
     * Makes an image from an example.
     *
     * @param example an example with this layout
     * @return the image; grey values are copied to all three channels
     * @throws IOException if a feature's name or value does not fit the layout; the message names the feature
     */
    public RgbImage image(Example<?> example) throws IOException {
        int pixels = width * height;
        byte[] rgb = new byte[3 * pixels];
        for (Feature f : example) {
            int index = number(f.getName()) - first;
            if (index < 0 || index >= channels * pixels) {
                throw new IOException("expected features numbered from " + first + " to "
                        + (first + channels * pixels - 1) + " for " + this + ", found " + f.getName());
            }
            double value = f.getValue() * scale;
            if (!(value > -0.5 && value < 255.5)) {
                throw new IOException("expected values from 0 to 255 after scaling by " + scale + ", found "
                        + f.getName() + " = " + value + ": set the scale");
            }
            byte b = (byte) Math.round(value);
            int pixel = planar ? index % pixels : index / channels;
            if (channels == 1) {
                rgb[3 * pixel] = rgb[3 * pixel + 1] = rgb[3 * pixel + 2] = b;
            } else {
                rgb[3 * pixel + (planar ? index / pixels : index % channels)] = b;
            }
        }
        return new RgbImage(width, height, rgb);
    }

    private static int number(String name) throws IOException {
        int from = name.length();
        while (from > 0 && name.charAt(from - 1) >= '0' && name.charAt(from - 1) <= '9') {
            from--;
        }
        try {
            return Integer.parseInt(name, from, name.length(), 10);
        } catch (NumberFormatException e) {
            throw new IOException("expected feature names that end with the number of the value, found " + name, e);
        }
    }
}
