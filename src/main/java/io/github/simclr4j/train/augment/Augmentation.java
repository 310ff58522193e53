package io.github.simclr4j.train.augment;

import io.github.simclr4j.train.method.MoCo;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One random change of an image (Chen et al. 2020, figure 4). As text it is {@code name:strengths@probability}, of which the
 * last two may be left out: {@code crop:0.08}, {@code jitter:0.5@0.8}, {@code jitter:0.4/0.4/0.4/0.1}.
 *
 * @param kind what is done
 * @param strength how much, see {@link Kind}
 * @param probability that an image is changed, 0 to 1
 */
public record Augmentation(Kind kind, List<Double> strength, double probability) {

    /** What can be done. Chen et al. 2020, appendix A, where nothing else is said. */
    public enum Kind {
        /**
         * Crop and resize, antialiased bicubic. Strength: the smallest share of the area that is kept, at most 1; aspect
         * ratio 3/4 to 4/3.
         */
        CROP(1, 0.08),
        /** The same with bilinear resizing, as MoCo and most PyTorch programs. */
        CROP_BILINEAR(1, 0.08),
        /** Horizontal flip. No strength. */
        FLIP(0.5),
        /**
         * Colour jitter, in random order. Strength: s, which multiplies brightness, contrast and saturation by
         * {@code 1 +- 0.8s} and turns the hue by {@code +-0.2s} turns; or these four themselves.
         */
        JITTER(0.8, 0.5),
        /** Colour drop: grey-scale. No strength. */
        GREY(0.2),
        /** Rotation by 90, 180 or 270 degrees. No strength. */
        ROTATE(0.75),
        /**
         * A grey square around a random pixel (DeVries and Taylor 2017), at the edges only a part of it. Strength: its side
         * over the image's, at most 1.
         */
        CUTOUT(1, 0.5),
        /** Gaussian noise on every value. Strength: the largest standard deviation, at most 1, the range of values. */
        NOISE(0.5, 0.1),
        /**
         * Gaussian blur; the kernel is a tenth of the image, three pixels at least. Strength: the largest standard deviation
         * in pixels, at most 100; the smallest is 0.1.
         */
        BLUR(0.5, 2.0),
        /** Size of the gradient by the Sobel filter, in grey. No strength. */
        SOBEL(0.5),
        /** The CIFAR-10 policy of AutoAugment (Cubuk et al. 2019, table 7). No strength. */
        AUTOAUGMENT(1),
        /** The ImageNet policy of AutoAugment (Cubuk et al. 2019, table 9). No strength. */
        AUTOAUGMENT_IMAGENET(1);

        private final double probability;
        private final List<Double> strength;

        Kind(double probability, Double... strength) {
            this.probability = probability;
            this.strength = List.of(strength);
        }

        /** As it is written. */
        public String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        boolean crops() {
            return this == CROP || this == CROP_BILINEAR;
        }
    }

    /** Checks the ranges. */
    public Augmentation {
        strength = List.copyOf(strength);
        boolean four = kind == Kind.JITTER && strength.size() == 4;
        if (strength.size() != kind.strength.size() && !four) {
            throw new IllegalArgumentException(kind.text() + " takes " + kind.strength.size()
                    + (kind == Kind.JITTER ? " or 4" : "") + " strengths, found " + strength);
        }
        for (int i = 0; i < strength.size(); i++) {
            double s = strength.get(i);
            boolean positive = kind.crops() || kind == Kind.CUTOUT || kind == Kind.BLUR;
            // A hue turns by half a turn at most; 0.8 s and 0.2 s must not exceed what is possible either.
            double most = switch (kind) {
                case JITTER -> four ? i == 3 ? 0.5 : 1 : 1.25;
                case BLUR -> 100;
                default -> 1;
            };
            if (!(s >= 0 && s <= most) || positive && s == 0) {
                throw new IllegalArgumentException("A strength of " + kind.text() + " must be "
                        + (positive ? "above 0 and at most " : "from 0 to ") + most + ", found " + s);
            }
        }
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("A probability must be from 0 to 1, found " + probability);
        }
    }

    /**
     * Parses {@code name:strengths@probability}.
     *
     * @throws IllegalArgumentException if the text is none of that, the name is unknown or a number is out of its range
     */
    public static Augmentation of(String text) {
        String[] chance = text.strip().split("@", 2);
        String[] parts = chance[0].split(":", 2);
        Kind kind = Arrays.stream(Kind.values())
                .filter(k -> k.text().equals(parts[0].strip().toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown augmentation, expected one of "
                        + Arrays.stream(Kind.values()).map(Kind::text).collect(Collectors.joining(", "))
                        + ", found " + parts[0].strip()));
        try {
            List<Double> strength = parts.length == 1
                    ? kind.strength
                    : Arrays.stream(parts[1].split("/")).map(Double::valueOf).toList();
            return new Augmentation(kind, strength, chance.length == 1 ? kind.probability : Double.parseDouble(chance[1]));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "Expected an augmentation as name:strength@probability, found " + text.strip(), e);
        }
    }

    /** As {@link #of} reads it. */
    @Override
    public String toString() {
        return kind.text()
                + (strength.isEmpty() ? "" : ":" + strength.stream().map(s -> "" + s).collect(Collectors.joining("/")))
                + "@" + probability;
    }
}
