package io.github.simclr4j.tribuo.source;

import io.github.simclr4j.images.RgbImage;
import java.io.IOException;
import org.tribuo.Example;
import org.tribuo.Feature;

/**
 * How pixels lie in an example: a feature a value, the number at the end of its name saying which value it is. That is what
 * Tribuo's {@link org.tribuo.datasource.IDXDataSource} makes ({@code 0007}), and what tables of pixels have for column names
 * ({@code pixel7}). A feature that is missing is 0.
 *
 * @param width width in pixels, at least 1
 * @param height height in pixels, at least 1; three bytes a pixel must fit into an array, so at most about 700 million pixels
 * @param channels 1 for grey or 3 for red, green and blue
 * @param planar whether all of a channel comes before the next one, [channels, height, width], instead of
 *     [height, width, channels]
 * @param scale what a feature is multiplied with to be from 0 to 255, such as 1 for bytes or 255 for values in [0, 1]; above 0
 * @param first the number of the first value, mostly 0 or 1
 */
public record PixelLayout(int width, int height, int channels, boolean planar, double scale, int first) {
    /** The longest array that every JVM makes. */
    private static final int MAX_BYTES = Integer.MAX_VALUE - 8;

    /**
     * Checks the sizes.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public PixelLayout {
        if (width < 1 || height < 1 || (channels != 1 && channels != 3) || !(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("Expected a width and height of at least 1, 1 or 3 channels and a positive"
                    + " scale, found " + width + ", " + height + ", " + channels + " and " + scale);
        }
        if ((long) width * height > MAX_BYTES / 3) {
            throw new IllegalArgumentException("Expected at most " + MAX_BYTES / 3 + " pixels, found " + width + "x" + height);
        }
    }

    /** Grey values from 0 to 255, numbered from 0, as in MNIST. */
    public static PixelLayout grey(int width, int height) {
        return new PixelLayout(width, height, 1, false, 1, 0);
    }

    /** Red, green and blue of a pixel, then the next pixel; values from 0 to 255, numbered from 0. */
    public static PixelLayout rgb(int width, int height) {
        return new PixelLayout(width, height, 3, false, 1, 0);
    }

    /** The same with all of a channel before the next one. */
    public PixelLayout asPlanes() {
        return new PixelLayout(width, height, channels, true, scale, first);
    }

    /** The same for features that times {@code factor} are from 0 to 255. */
    public PixelLayout scaledBy(double factor) {
        return new PixelLayout(width, height, channels, planar, factor, first);
    }

    /** The same with another number for the first value. */
    public PixelLayout startingAt(int number) {
        return new PixelLayout(width, height, channels, planar, scale, number);
    }

    /**
     * Whether all values are from 0 to 1 and some lie between: bytes do not, so they are not what the scale takes them for. Ends
     * at the first value above 1.
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

    /** The image of an example; an IOException says which feature does not fit. */
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
            throw new IOException("expected feature names that end in the pixel's number, found " + name, e);
        }
    }
}
