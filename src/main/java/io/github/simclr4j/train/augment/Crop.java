// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Crops a random box and resizes it, like torchvision's {@code RandomResizedCrop}
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix A, "random crop and resize to original size"). A skipped
 * image is resized as a whole.
 *
 * @since 0.1.0
 */
public class Crop implements AugmentationFactory {
    private static final int TRIES = 10;
    private static final double LEAST_RATIO = 3.0 / 4;
    private static final double MOST_RATIO = 4.0 / 3;

    private final String name;
    private final Interpolation interpolation;
    private final String help;

    /** Creates a crop that resizes with the bicubic filter. */
    public Crop() {
        this(
                "crop",
                Interpolation.BICUBIC,
                "smallest share of the area, to 1, or to a second strength; aspect 3/4 to 4/3; resized by a bicubic filter");
    }

    Crop(String name, Interpolation interpolation, String help) {
        this.name = name;
        this.interpolation = interpolation;
        this.help = help;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String help() {
        return help;
    }

    @Override
    public double probability() {
        return 1;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.positive("area", 0.08, 1, "smallest share of the area in the crop"));
    }

    @Override
    public List<List<Strength>> alternatives() {
        return List.of(List.of(
                Strength.positive("least", 0.05, 1, "smallest share of the area in the crop"),
                Strength.positive("most", 0.4, 1, "largest share of the area in the crop")));
    }

    @Override
    public boolean crops() {
        return true;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return new Cropping(strengths.get(0), strengths.size() > 1 ? strengths.get(1) : 1, interpolation);
    }

    private record Cropping(double least, double most, Interpolation interpolation) implements Augmentation {
        Cropping {
            if (least > most) {
                throw new IllegalArgumentException(
                        "The smallest share of a crop must not exceed its largest share, found " + least + " and "
                                + most);
            }
        }

        @Override
        public Change draw(int side, RandomGenerator random) {
            double area = (double) side * side;
            for (int attempt = 0; attempt < TRIES; attempt++) {
                double target = area * (least + (most - least) * random.nextDouble());
                double ratio =
                        Math.exp(Math.log(LEAST_RATIO) + Math.log(MOST_RATIO / LEAST_RATIO) * random.nextDouble());
                int width = (int) Math.round(Math.sqrt(target * ratio));
                int height = (int) Math.round(Math.sqrt(target / ratio));
                if (width > 0 && width <= side && height > 0 && height <= side) {
                    return place(side, height, width, random);
                }
            }
            return place(side, side, side, random);
        }

        @Override
        public Change skip(int side, RandomGenerator random) {
            return place(side, side, side, random);
        }

        private Change place(int side, int height, int width, RandomGenerator random) {
            int top = random.nextInt(side - height + 1);
            int left = random.nextInt(side - width + 1);
            return image -> image.crop(top, left, height, width, interpolation);
        }
    }
}
