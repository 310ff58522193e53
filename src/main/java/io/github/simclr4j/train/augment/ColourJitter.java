// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Colour jitter: changes brightness, contrast, saturation and hue in random order, like torchvision's {@code ColorJitter}
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix A, "color distortion").
 *
 * <p>A strength s multiplies brightness, contrast and saturation by {@code 1 +- 0.8s} and shifts the hue by {@code +-0.2s} turns.
 *
 * @since 0.1.0
 */
public final class ColourJitter implements AugmentationFactory {
    private static final int BRIGHTNESS = 0;
    private static final int CONTRAST = 1;
    private static final int SATURATION = 2;
    private static final int HUE = 3;

    @Override
    public String name() {
        return "jitter";
    }

    @Override
    public String help() {
        return "s: brightness, contrast, saturation 1 +-0.8s, hue +-0.2s turns, in random order; or these four, as in"
                + " jitter:0.4/0.4/0.4/0.1";
    }

    @Override
    public double probability() {
        return 0.8;
    }

    @Override
    public List<Strength> strengths() {
        // The upper limit keeps the factor from becoming negative.
        return List.of(Strength.upTo(
                "strength", 0.5, 1.25, "brightness, contrast and saturation 1 +- 0.8s, hue +- 0.2s turns"));
    }

    @Override
    public List<List<Strength>> alternatives() {
        return List.of(List.of(
                Strength.upTo("brightness", 0.4, 1, "largest change of the factor"),
                Strength.upTo("contrast", 0.4, 1, "largest change of the factor"),
                Strength.upTo("saturation", 0.4, 1, "largest change of the factor"),
                Strength.upTo("hue", 0.1, 0.5, "largest turn, in whole turns")));
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        double s = strengths.get(0);
        double[] most = strengths.size() == 1
                ? new double[] {0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s}
                : strengths.stream().mapToDouble(d -> d).toArray();
        return (side, random) -> {
            int[] order = order(random);
            float[] factors = new float[4];
            for (int k = 0; k < 4; k++) {
                double draw = most[k] * (2 * random.nextDouble() - 1);
                factors[k] = (float) (k == HUE ? draw : Math.max(0, 1 + draw));
            }
            return image -> change(image, order, factors);
        };
    }

    /** Draws the order of the four operations. */
    static int[] order(RandomGenerator random) {
        int[] order = {BRIGHTNESS, CONTRAST, SATURATION, HUE};
        for (int i = 3; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return order;
    }

    /**
     * Applies the four operations. A factor of 1, or a hue shift of 0, changes nothing.
     *
     * @param image the image, changed in place
     * @param order order of the operations, each from 0 to 3
     * @param factors factor of each operation, indexed by the operation; that of the hue is a shift in turns
     */
    static void change(ViewImage image, int[] order, float[] factors) {
        for (int k : order) {
            float f = factors[k];
            if (k == HUE && f != 0) {
                Colours.hue(image, f);
            } else if (k == BRIGHTNESS && f != 1) {
                Colours.brightness(image, f);
            } else if (k == CONTRAST && f != 1) {
                Colours.contrast(image, f);
            } else if (k == SATURATION && f != 1) {
                Colours.saturation(image, f);
            }
        }
    }
}
