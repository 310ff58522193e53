package io.github.simclr4j.onnx;

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
 * @param shortSide what {@link Resize#SHORT_SIDE} makes the shorter side, in pixels; 0 with the other rules
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
        /** The whole image, proportions ignored. */
        STRETCH
    }

    /** Filters of resizing; all but {@link #NEAREST} are widened by the scale when shrinking ("antialias"), as in Pillow. */
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

        /** Checks the values and copies the lists. */
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
    /** Names the resize rule in an encoder's metadata; changes when {@link #apply} does. */
    public static final String RULE = "center-square-antialiased-bilinear-1";
    private static final int MAX_SIDE = 4096;

    /** Checks the ranges. */
    public Preprocessing {
        if (height < 8 || height > MAX_SIDE || width < 8 || width > MAX_SIDE) {
            throw new IllegalArgumentException("Image size must be from 8 to " + MAX_SIDE + ", found "
                    + (height == width ? "" + height : height + "x" + width));
        }
        if (resize == Resize.SHORT_SIDE ? shortSide < Math.max(height, width) || shortSide > 2 * MAX_SIDE : shortSide != 0) {
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
        if (equals(new Preprocessing(Math.min(1024, size())))) {
            return RULE;
        }
        String name = resize == Resize.SHORT_SIDE ? "short-side-" + shortSide : lower(resize);
        String values = scaling == null
                ? "bytes"
                : "scale " + scaling.scale() + ", mean " + scaling.mean() + ", deviation " + scaling.deviation();
        return name + "-antialiased-" + lower(interpolation) + "-1, " + height + "x" + width + ", " + lower(channels)
                + ", " + values;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The image cropped and resized to {@code height} by {@code width}, values rounded to bytes; still RGB. */
    public RgbImage apply(RgbImage image) {
        int w = image.width();
        int h = image.height();
        return switch (resize) {
            case STRETCH -> resample(image, 0, 0, w, h, width, height);
            case CENTER_SQUARE -> {
                if (w == width && h == height) {
                    yield image;
                }
                int boxW = (int) Math.min(w, Math.max(1, (long) h * width / height));
                int boxH = (int) Math.min(h, Math.max(1, (long) w * height / width));
                yield resample(image, (w - boxW) / 2, (h - boxH) / 2, boxW, boxH, width, height);
            }
            case SHORT_SIDE -> {
                int fullW = w <= h ? shortSide : (int) ((long) shortSide * w / h);
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
        // Only the lines that the window needs.
        int first = lines.first();
        int count = lines.end() - first;
        byte[] in = image.rgb();
        // What others trained with rounds to bytes between its two passes; with overshooting filters it shows.
        boolean pillow = resize != Resize.CENTER_SQUARE;
        float[] rows = new float[Math.multiplyExact(count, width * 3)];
        for (int y = 0; y < count; y++) {
            int line = ((top + first + y) * image.width() + left) * 3;
            for (int x = 0; x < width; x++) {
                float r = 0;
                float g = 0;
                float b = 0;
                int p = line + columns.start[x] * 3;
                for (float w : columns.weight[x]) {
                    r += w * (in[p] & 255);
                    g += w * (in[p + 1] & 255);
                    b += w * (in[p + 2] & 255);
                    p += 3;
                }
                int q = (y * width + x) * 3;
                rows[q] = pillow ? level(r) : r;
                rows[q + 1] = pillow ? level(g) : g;
                rows[q + 2] = pillow ? level(b) : b;
            }
        }
        byte[] out = new byte[height * width * 3];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width * 3; x++) {
                float sum = 0;
                int p = (lines.start[y] - first) * width * 3 + x;
                for (float w : lines.weight[y]) {
                    sum += w * rows[p];
                    p += width * 3;
                }
                out[y * width * 3 + x] = (byte) level(sum);
            }
        }
        return new RgbImage(width, height, out);
    }

    private static int level(float value) {
        return Math.max(0, Math.min(255, Math.round(value)));
    }

    /** Weights of one direction: from {@code in} pixels to {@code full}, of which the {@code out} in the middle are kept. */
    private static final class Taps {
        final float[][] weight;
        final int[] start;

        Taps(int in, int full, int out, Interpolation filter) {
            weight = new float[out][];
            start = new int[out];
            double scale = (double) in / full;
            double widen = filter == Interpolation.NEAREST ? 1 : Math.max(1, scale);
            double support = filter.support * widen;
            // torchvision's and Python's rounding: halves go to the even number.
            int offset = (int) Math.rint((full - out) / 2.0);
            // Pillow adds up the steps here; where a centre falls between two pixels the rounding decides.
            double nearest = 0.5 * scale;
            for (int i = 0; i < offset; i++) {
                nearest += scale;
            }
            for (int i = 0; i < out; i++) {
                if (filter == Interpolation.NEAREST) {
                    start[i] = Math.min(in - 1, (int) nearest);
                    weight[i] = new float[] {1};
                    nearest += scale;
                    continue;
                }
                double center = (offset + i + 0.5) * scale;
                int from = Math.max(0, (int) (center - support + 0.5));
                int to = Math.min(in, (int) (center + support + 0.5));
                float[] w = new float[to - from];
                double sum = 0;
                for (int j = from; j < to; j++) {
                    w[j - from] = (float) filter.at((j + 0.5 - center) / widen);
                    sum += w[j - from];
                }
                for (int j = 0; j < w.length; j++) {
                    w[j] /= (float) sum;
                }
                weight[i] = w;
                start[i] = from;
            }
        }

        int first() {
            int least = Integer.MAX_VALUE;
            for (int s : start) {
                least = Math.min(least, s);
            }
            return least;
        }

        int end() {
            int most = 0;
            for (int i = 0; i < start.length; i++) {
                most = Math.max(most, start[i] + weight[i].length);
            }
            return most;
        }
    }

    /** Lists of one value for each channel: a single value stands for all. */
    static List<Double> each(List<Double> values, Channels channels) {
        return values.size() == 1 ? Collections.nCopies(channels.count(), values.get(0)) : values;
    }
}
