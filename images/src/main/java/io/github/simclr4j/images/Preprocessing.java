// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * The preprocessing of an image between the decoder and the network. Training, export and serving share this definition.
 *
 * <p>{@link #apply} crops and resizes, and its result is bytes. For networks that do not normalise their input themselves,
 * {@code (x * scale - mean) / deviation} and the order of the channels are applied after it. Encoders trained by simclr4j take bytes and
 * normalise them in the graph by {@code (x / 255 - MEAN) / DEVIATION}.
 *
 * @param height height of the network's input in pixels, 8 to 4096
 * @param width width of the network's input in pixels, 8 to 4096
 * @param resize the rule to resize and crop
 * @param shortSide length in pixels of the shorter side with {@link Resize#SHORT_SIDE}, or of both sides with {@link Resize#STRETCH},
 *     before the centre crop. 0 with {@link Resize#STRETCH} for no crop, and always 0 with {@link Resize#CENTER_SQUARE}
 * @param interpolation the filter
 * @param channels the channels of the network's input and their order
 * @param scaling the normalisation, or null for a network that takes bytes
 * @since 0.1.0
 */
public record Preprocessing(
        int height,
        int width,
        Resize resize,
        int shortSide,
        Interpolation interpolation,
        Channels channels,
        Scaling scaling) {

    /** The rules to resize and crop an image to the size of the network's input. */
    public enum Resize {
        /** Crops the largest centred part with the network's aspect ratio, then resizes it. Training uses this rule. */
        CENTER_SQUARE,
        /** Resizes the shorter side to a given length, keeping the aspect ratio, then crops the centre. */
        SHORT_SIDE,
        /** Resizes the whole image without keeping the aspect ratio; with {@code shortSide}, to that size, then crops the centre. */
        STRETCH
    }

    /**
     * The filters for resizing. All except {@link #NEAREST} are widened by the scale when shrinking ("antialias"). The results equal
     * Pillow's exactly, except for {@link Preprocessing#RULE}.
     */
    public enum Interpolation {
        /** Nearest neighbour: the pixel with the nearest centre. */
        NEAREST(0),
        /** Box filter: the mean of the pixels that the new one covers. */
        BOX(0.5),
        /** Bilinear: a triangle filter. */
        BILINEAR(1),
        /** Hamming-windowed sinc. */
        HAMMING(1),
        /** Bicubic: Keys' cubic with a = -0.5 (IEEE Trans. ASSP 29(6), 1981, equation 15). */
        BICUBIC(2),
        /** Lanczos: sinc(x) sinc(x / 3). */
        LANCZOS(3);

        private final double support;

        Interpolation(double support) {
            this.support = support;
        }

        private double at(double x) {
            double t = Math.abs(x);
            if (t >= support && this != BOX) {
                return 0;
            }
            return switch (this) {
                case NEAREST -> 1;
                case BOX -> x > -0.5 && x <= 0.5 ? 1 : 0;
                case BILINEAR -> 1 - t;
                case HAMMING -> sinc(t) * (0.54 + 0.46 * Math.cos(Math.PI * t));
                case BICUBIC -> t < 1 ? (1.5 * t - 2.5) * t * t + 1 : ((-0.5 * t + 2.5) * t - 4) * t + 2;
                case LANCZOS -> sinc(t) * sinc(t / 3);
            };
        }

        private static double sinc(double x) {
            return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
        }
    }

    /** The channels of the network's input. */
    public enum Channels {
        /** Red, green, blue. */
        RGB,
        /** Blue, green, red. */
        BGR,
        /** One channel, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). */
        GREY;

        /** Returns the number of channels, 1 or 3. */
        public int count() {
            return this == GREY ? 1 : 3;
        }
    }

    /**
     * The normalisation {@code (x * scale - mean) / deviation} of values x from 0 to 255.
     *
     * @param scale the factor, above 0
     * @param mean the means, one per channel in the network's order
     * @param deviation the standard deviations, one per channel, each above 0
     */
    public record Scaling(double scale, List<Double> mean, List<Double> deviation) {
        /** The normalisation to values from 0 to 1. */
        public static final Scaling UNIT = new Scaling(1 / 255.0, List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));

        /**
         * Checks the values and copies the lists.
         *
         * @throws IllegalArgumentException if a value is out of range, or if the numbers of means and deviations differ
         */
        public Scaling {
            mean = List.copyOf(mean);
            deviation = List.copyOf(deviation);
            boolean finite = Double.isFinite(scale)
                    && scale > 0
                    && mean.stream().allMatch(Double::isFinite)
                    && deviation.stream().allMatch(d -> Double.isFinite(d) && d > 0);
            if (!finite || mean.size() != deviation.size()) {
                throw new IllegalArgumentException(
                        "Expected a scale and deviations above 0 and as many means, found scale " + scale + ", mean "
                                + mean + ", deviation " + deviation);
            }
        }
    }

    /** The mean that encoders trained by simclr4j subtract from values in [0, 1]. */
    public static final float MEAN = 0.5f;
    /** The standard deviation that encoders trained by simclr4j divide by. */
    public static final float DEVIATION = 0.25f;
    /**
     * The name of the resize rule in the metadata of encoders trained by simclr4j. It changes whenever the results of {@link #apply}
     * change. The values differ by at most 1 from Pillow's.
     */
    public static final String RULE = "center-square-antialiased-bilinear-1";

    private static final int MAX_SIDE = 4096;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a size is out of range, or if the numbers of means and channels differ
     */
    public Preprocessing {
        if (height < 8 || height > MAX_SIDE || width < 8 || width > MAX_SIDE) {
            throw new IllegalArgumentException("Image size must be from 8 to " + MAX_SIDE + ", found "
                    + (height == width ? "" + height : height + "x" + width));
        }
        boolean cut = resize == Resize.SHORT_SIDE || resize == Resize.STRETCH && shortSide != 0;
        if (cut ? shortSide < Math.max(height, width) || shortSide > 2 * MAX_SIDE : shortSide != 0) {
            throw new IllegalArgumentException("The shorter side must be at least as long as the network's input, "
                    + Math.max(height, width) + ", found " + shortSide);
        }
        if (scaling != null && scaling.mean().size() != channels.count()) {
            throw new IllegalArgumentException("Expected " + channels.count() + " means, found "
                    + scaling.mean().size());
        }
    }

    /**
     * Creates the preprocessing of training and of encoders trained by simclr4j.
     *
     * @param size side length of the network's square input in pixels, 8 to 1024
     * @throws IllegalArgumentException if the size is out of range
     */
    public Preprocessing(int size) {
        this(size, size, Resize.CENTER_SQUARE, 0, Interpolation.BILINEAR, Channels.RGB, null);
        if (size > 1024) {
            throw new IllegalArgumentException("Image size must be from 8 to 1024, found " + size);
        }
    }

    /** Returns the length of the shorter side of the network's input in pixels. */
    public int size() {
        return Math.min(height, width);
    }

    /** Returns a description for provenances: {@link #RULE} if that applies, or else all settings. */
    public String rule() {
        if (isTrainers()) {
            return RULE;
        }
        String name = shortSide == 0 ? lower(resize) : lower(resize) + "-" + shortSide;
        String values = scaling == null
                ? "bytes"
                : "scale " + scaling.scale() + ", mean " + scaling.mean() + ", deviation " + scaling.deviation();
        return name + "-antialiased-" + lower(interpolation) + "-1, " + height + "x" + width + ", " + lower(channels)
                + ", " + values;
    }

    private boolean isTrainers() {
        return equals(new Preprocessing(Math.min(1024, size())));
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Crops and resizes an image.
     *
     * @param image an image of any size
     * @return an RGB image of {@code height} by {@code width} pixels, with values rounded to bytes
     */
    public RgbImage apply(RgbImage image) {
        int w = image.width();
        int h = image.height();
        return switch (resize) {
            case STRETCH ->
                shortSide == 0
                        ? resample(image, 0, 0, w, h, width, height)
                        : resample(image, 0, 0, w, h, shortSide, shortSide);
            case CENTER_SQUARE -> {
                if (w == width && h == height) {
                    yield image;
                }
                int boxW = (int) Math.min(w, Math.max(1, (long) h * width / height));
                int boxH = (int) Math.min(h, Math.max(1, (long) w * height / width));
                yield isTrainers()
                        ? TrainersResampling.apply(image, (w - boxW) / 2, (h - boxH) / 2, boxW, boxH, width, height)
                        : resample(image, (w - boxW) / 2, (h - boxH) / 2, boxW, boxH, width, height);
            }
            case SHORT_SIDE -> {
                int fullW = w <= h ? shortSide : (int) Math.min(Integer.MAX_VALUE, (long) shortSide * w / h);
                int fullH = w <= h ? (int) Math.min(Integer.MAX_VALUE, (long) shortSide * h / w) : shortSide;
                yield resample(image, 0, 0, w, h, fullW, fullH);
            }
        };
    }

    /** Resizes a part of the image to the full size, and computes only the centred window of the result. */
    private RgbImage resample(RgbImage image, int left, int top, int boxW, int boxH, int fullW, int fullH) {
        if (boxW == fullW
                && boxH == fullH
                && boxW == image.width()
                && boxH == image.height()
                && fullW == width
                && fullH == height) {
            return image;
        }
        Taps columns = new Taps(boxW, fullW, width, interpolation);
        Taps lines = new Taps(boxH, fullH, height, interpolation);
        int[][] columnWeights = columns.all();
        int[][] lineWeights = new int[height][];
        byte[] in = image.rgb();
        int[] row = new int[width * 3];
        int[] sums = new int[height * row.length];
        Arrays.fill(sums, Taps.HALF);
        // Each row of the image is resized horizontally once and added to all new rows that it contributes to, "from"
        // to "to". So
        // memory does not grow with the image's height.
        int from = 0;
        int to = 0;
        for (int y = lines.start[0]; y < lines.end[height - 1]; y++) {
            while (from < height && lines.end[from] <= y) {
                lineWeights[from++] = null;
            }
            for (; to < height && lines.start[to] <= y; to++) {
                lineWeights[to] = lines.weights(to);
            }
            int line = ((top + y) * image.width() + left) * 3;
            for (int x = 0; x < width; x++) {
                int r = Taps.HALF;
                int g = Taps.HALF;
                int b = Taps.HALF;
                int p = line + columns.start[x] * 3;
                for (int w : columnWeights == null ? columns.weights(x) : columnWeights[x]) {
                    r += w * (in[p] & 255);
                    g += w * (in[p + 1] & 255);
                    b += w * (in[p + 2] & 255);
                    p += 3;
                }
                row[3 * x] = level(r);
                row[3 * x + 1] = level(g);
                row[3 * x + 2] = level(b);
            }
            for (int i = from; i < to; i++) {
                int w = lineWeights[i][y - lines.start[i]];
                int q = i * row.length;
                for (int x = 0; x < row.length; x++) {
                    sums[q + x] += w * row[x];
                }
            }
        }
        byte[] out = new byte[sums.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) level(sums[i]);
        }
        return new RgbImage(width, height, out);
    }

    private static int level(int sum) {
        return Math.max(0, Math.min(255, sum >> Taps.BITS));
    }

    /**
     * The weights for one direction: from {@code in} pixels to {@code full}, of which the {@code out} in the middle are kept. They are
     * integers as in Pillow's {@code Resample.c}, so that results equal Pillow's including the rounding of halves.
     */
    private static final class Taps {
        /** Maximum number of weights to keep in memory; an image with millions of columns has more. */
        private static final int MOST = 1 << 22;
        /** Number of fractional bits: of 32 bits, 8 are for a value and 2 for filters that overshoot. */
        private static final int BITS = 22;
        /** One half, added for rounding. */
        private static final int HALF = 1 << BITS - 1;

        /** The range of pixels that contribute to each new pixel; both ends never decrease. */
        final int[] start;

        final int[] end;
        private final double scale;
        private final double widen;
        private final int offset;
        private final Interpolation filter;

        Taps(int in, int full, int out, Interpolation filter) {
            this.filter = filter;
            start = new int[out];
            end = new int[out];
            scale = (double) in / full;
            widen = filter == Interpolation.NEAREST ? 1 : Math.max(1, scale);
            // Rounds halves to even, like Python and torchvision.
            offset = (int) Math.rint((full - out) / 2.0);
            if (filter == Interpolation.NEAREST) {
                // Sums up steps like Pillow, since rounding decides if a centre falls between two pixels.
                double nearest = 0.5 * scale;
                for (int i = 0; i < offset; i++) {
                    nearest += scale;
                }
                for (int i = 0; i < out; i++) {
                    start[i] = Math.min(in - 1, (int) nearest);
                    end[i] = start[i] + 1;
                    nearest += scale;
                }
                return;
            }
            double support = filter.support * widen;
            for (int i = 0; i < out; i++) {
                start[i] = Math.max(0, (int) (center(i) - support + 0.5));
                end[i] = Math.min(in, (int) (center(i) + support + 0.5));
            }
        }

        private double center(int i) {
            return (offset + i + 0.5) * scale;
        }

        /** Returns the weights of a new pixel. */
        int[] weights(int i) {
            if (filter == Interpolation.NEAREST) {
                return new int[] {1 << BITS};
            }
            double[] exact = new double[end[i] - start[i]];
            double center = center(i);
            double narrow = 1 / widen;
            double sum = 0;
            for (int j = 0; j < exact.length; j++) {
                exact[j] = filter.at((start[i] + j - center + 0.5) * narrow);
                sum += exact[j];
            }
            int[] w = new int[exact.length];
            for (int j = 0; j < w.length; j++) {
                double scaled = exact[j] / sum * (1 << BITS);
                w[j] = (int) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
            }
            return w;
        }

        /** Returns the weights of all new pixels, or null if they are too many. */
        int[][] all() {
            long count = 0;
            for (int i = 0; i < start.length; i++) {
                count += end[i] - start[i];
            }
            if (count > MOST) {
                return null;
            }
            int[][] all = new int[start.length][];
            for (int i = 0; i < all.length; i++) {
                all[i] = weights(i);
            }
            return all;
        }
    }

    /**
     * Returns one value per channel.
     *
     * @param values one value per channel, or a single value for all
     * @param channels the channels
     */
    public static List<Double> each(List<Double> values, Channels channels) {
        return values.size() == 1 ? Collections.nCopies(channels.count(), values.get(0)) : values;
    }
}
