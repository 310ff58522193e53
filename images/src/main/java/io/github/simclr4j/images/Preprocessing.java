package io.github.simclr4j.images;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * What happens to an image between the decoder and the graph; the one definition of it, used in training, export and
 * serving. {@link #apply} crops and resizes, and keeps bytes; {@code (x * scale - mean) / deviation} and the order of the
 * channels come after it, for a graph that does not scale by itself. An encoder of ours does, by
 * {@code (x / 255 - MEAN) / DEVIATION}, and takes the bytes.
 *
 * @param height rows that the network gets, 8 to 4096
 * @param width columns that the network gets, 8 to 4096
 * @param resize how an image becomes that large
 * @param shortSide the length, in pixels, that {@link Resize#SHORT_SIDE} gives to the shorter side, and {@link Resize#STRETCH} to
 *     both before the centre is cut out; 0 with that rule to cut nothing, and with the other
 * @param interpolation the filter
 * @param channels which channels the network gets, in which order
 * @param scaling what is done to the values, null for a graph that takes bytes
 */
public record Preprocessing(
        int height,
        int width,
        Resize resize,
        int shortSide,
        Interpolation interpolation,
        Channels channels,
        Scaling scaling) {

    /** How an image of any size becomes one of the network's. */
    public enum Resize {
        /** The largest centred part that has the network's proportions, resized: what the trainer does. */
        CENTER_SQUARE,
        /** The shorter side is resized to a length, the longer in proportion; the centre is cut out. */
        SHORT_SIDE,
        /** The whole image, proportions ignored; of a longer square, if {@code shortSide} gives its side, the centre. */
        STRETCH
    }

    /**
     * Filters of resizing; all but {@link #NEAREST} are widened by the scale when shrinking ("antialias"). The pixels are equal to
     * Pillow's, except for {@link Preprocessing#RULE}.
     */
    public enum Interpolation {
        /** The pixel whose centre is nearest. */
        NEAREST(0),
        /** The mean of the pixels under the new one. */
        BOX(0.5),
        /** The triangle. */
        BILINEAR(1),
        /** A raised cosine times sinc. */
        HAMMING(1),
        /** Keys' cubic with a = -0.5 (IEEE Trans. ASSP 29(6), 1981, equation 15). */
        BICUBIC(2),
        /** sinc(x) sinc(x / 3). */
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

        /** 1 or 3. */
        public int count() {
            return this == GREY ? 1 : 3;
        }
    }

    /**
     * {@code (x * scale - mean) / deviation}, for x from 0 to 255.
     *
     * @param scale what a value is multiplied by, above 0
     * @param mean one value a channel, in the order that the network has them
     * @param deviation one value a channel, each above 0
     */
    public record Scaling(double scale, List<Double> mean, List<Double> deviation) {
        /** Values from 0 to 1. */
        public static final Scaling UNIT = new Scaling(1 / 255.0, List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0));

        /**
         * Checks the values and copies the lists.
         *
         * @throws IllegalArgumentException if a value is out of its range, or there are not as many means as deviations
         */
        public Scaling {
            mean = List.copyOf(mean);
            deviation = List.copyOf(deviation);
            boolean finite = Double.isFinite(scale) && scale > 0
                    && mean.stream().allMatch(Double::isFinite)
                    && deviation.stream().allMatch(d -> Double.isFinite(d) && d > 0);
            if (!finite || mean.size() != deviation.size()) {
                throw new IllegalArgumentException("Expected a scale and deviations above 0 and as many means, found scale "
                        + scale + ", mean " + mean + ", deviation " + deviation);
            }
        }
    }

    /** Subtracted from every value in [0, 1], in an encoder of ours. */
    public static final float MEAN = 0.5f;
    /** What the difference is divided by, in an encoder of ours. */
    public static final float DEVIATION = 0.25f;
    /** Names the resize rule in an encoder's metadata; changes when {@link #apply} does; it is within 1 of Pillow's. */
    public static final String RULE = "center-square-antialiased-bilinear-1";
    private static final int MAX_SIDE = 4096;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a size is out of its range, or there are not as many means as channels
     */
    public Preprocessing {
        if (height < 8 || height > MAX_SIDE || width < 8 || width > MAX_SIDE) {
            throw new IllegalArgumentException("Image size must be from 8 to " + MAX_SIDE + ", found "
                    + (height == width ? "" + height : height + "x" + width));
        }
        boolean cut = resize == Resize.SHORT_SIDE || resize == Resize.STRETCH && shortSide != 0;
        if (cut ? shortSide < Math.max(height, width) || shortSide > 2 * MAX_SIDE : shortSide != 0) {
            throw new IllegalArgumentException("The shorter side must become at least as long as the image that the network"
                    + " gets, " + Math.max(height, width) + ", found " + shortSide);
        }
        if (scaling != null && scaling.mean().size() != channels.count()) {
            throw new IllegalArgumentException(
                    "Expected " + channels.count() + " means, found " + scaling.mean().size());
        }
    }

    /**
     * What the trainer does, and an encoder of ours expects.
     *
     * @param size side in pixels of the square that the network gets, 8 to 1024
     * @throws IllegalArgumentException if it is another
     */
    public Preprocessing(int size) {
        this(size, size, Resize.CENTER_SQUARE, 0, Interpolation.BILINEAR, Channels.RGB, null);
        if (size > 1024) {
            throw new IllegalArgumentException("Image size must be from 8 to 1024, found " + size);
        }
    }

    /** Side of the square that the network gets, in pixels; the shorter side where it is no square. */
    public int size() {
        return Math.min(height, width);
    }

    /** Names the whole rule, for provenance: {@link #RULE} for ours, else every setting. */
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

    /** The image cropped and resized to {@code height} by {@code width}, values rounded to bytes; still RGB. */
    public RgbImage apply(RgbImage image) {
        int w = image.width();
        int h = image.height();
        return switch (resize) {
            case STRETCH -> shortSide == 0
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

    /** Resizes a part of the image to full size, of which only the centred window is computed. */
    private RgbImage resample(RgbImage image, int left, int top, int boxW, int boxH, int fullW, int fullH) {
        if (boxW == fullW && boxH == fullH && boxW == image.width() && boxH == image.height() && fullW == width
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
        // Each line of the image is shrunk once and added to the new lines from "from" to "to", all that it is part of: memory
        // does not grow with the image's height.
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
     * Weights of one direction, whole numbers as in Pillow's {@code Resample.c}, so that pixels are equal to its own, halves and all
     * from {@code in} pixels to {@code full}, of which the {@code out} in the middle are kept.
     */
    private static final class Taps {
        /** More weights than these, as an image of millions of columns has, are not kept. */
        private static final int MOST = 1 << 22;
        /** Bits behind the binary point: 8 bits of a value and 2 for filters that overshoot are left of 32. */
        private static final int BITS = 22;
        /** What is added before the bits are dropped. */
        private static final int HALF = 1 << BITS - 1;

        /** The pixels that each new one is made of; neither ever decreases. */
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
            // torchvision's and Python's rounding: halves go to the even number.
            offset = (int) Math.rint((full - out) / 2.0);
            if (filter == Interpolation.NEAREST) {
                // Pillow adds up the steps here; where a centre falls between two pixels the rounding decides.
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

        /** The weights of a new pixel. */
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

        /** The weights of all new pixels, null if they are too many. */
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

    /** Lists of one value for each channel: a single value stands for all. */
    public static List<Double> each(List<Double> values, Channels channels) {
        return values.size() == 1 ? Collections.nCopies(channels.count(), values.get(0)) : values;
    }
}
