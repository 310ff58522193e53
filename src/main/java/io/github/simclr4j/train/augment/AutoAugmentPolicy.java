// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/**
 * A policy that AutoAugment has learned (<a href="https://arxiv.org/abs/1805.09501">Cubuk et al. 2019</a>): an image gets one of 25 pairs
 * of operations. Each operation has its own probability and magnitude, and a random sign if it has two directions.
 */
final class AutoAugmentPolicy implements Augmentation {
    /** Table 7 of the paper: name, probability, and a magnitude from 0 to 9 if the operation has one. */
    static final AutoAugmentPolicy CIFAR10 = new AutoAugmentPolicy(
            "invert 0.1, contrast 0.2 6",
            "rotate 0.7 2, translate_x 0.3 9",
            "sharpness 0.8 1, sharpness 0.9 3",
            "shear_y 0.5 8, translate_y 0.7 9",
            "autocontrast 0.5, equalize 0.9",
            "shear_y 0.2 7, posterize 0.3 7",
            "color 0.4 3, brightness 0.6 7",
            "sharpness 0.3 9, brightness 0.7 9",
            "equalize 0.6, equalize 0.5",
            "contrast 0.6 7, sharpness 0.6 5",
            "color 0.7 7, translate_x 0.5 8",
            "equalize 0.3, autocontrast 0.4",
            "translate_y 0.4 3, sharpness 0.2 6",
            "brightness 0.9 6, color 0.2 8",
            "solarize 0.5 2, invert 0",
            "equalize 0.2, autocontrast 0.6",
            "equalize 0.2, equalize 0.6",
            "color 0.9 9, equalize 0.6",
            "autocontrast 0.8, solarize 0.2 8",
            "brightness 0.1 3, color 0.7 0",
            "solarize 0.4 5, autocontrast 0.9",
            "translate_y 0.9 9, translate_y 0.7 9",
            "autocontrast 0.9, solarize 0.8 3",
            "equalize 0.8, invert 0.1",
            "translate_y 0.7 9, autocontrast 0.9");

    /** Table 9 of the paper. */
    static final AutoAugmentPolicy IMAGENET = new AutoAugmentPolicy(
            "posterize 0.4 8, rotate 0.6 9",
            "solarize 0.6 5, autocontrast 0.6",
            "equalize 0.8, equalize 0.6",
            "posterize 0.6 7, posterize 0.6 6",
            "equalize 0.4, solarize 0.2 4",
            "equalize 0.4, rotate 0.8 8",
            "solarize 0.6 3, equalize 0.6",
            "posterize 0.8 5, equalize 1",
            "rotate 0.2 3, solarize 0.6 8",
            "equalize 0.6, posterize 0.4 6",
            "rotate 0.8 8, color 0.4 0",
            "rotate 0.4 9, equalize 0.6",
            "equalize 0, equalize 0.8",
            "invert 0.6, equalize 1",
            "color 0.6 4, contrast 1 8",
            "rotate 0.8 8, color 1 2",
            "color 0.8 8, solarize 0.8 7",
            "sharpness 0.4 7, invert 0.6",
            "shear_x 0.6 5, equalize 1",
            "color 0.4 0, equalize 0.6",
            "equalize 0.4, solarize 0.2 4",
            "solarize 0.6 5, autocontrast 0.6",
            "invert 0.6, equalize 1",
            "color 0.6 4, contrast 1 8",
            "equalize 0.8, equalize 0.6");

    /** An operation of a pair. */
    record Step(AutoAugmentOperation operation, double probability, int magnitude) {
        static Step of(String text) {
            String[] part = text.strip().split(" ");
            return new Step(
                    AutoAugmentOperation.valueOf(part[0].toUpperCase(Locale.ROOT)),
                    Double.parseDouble(part[1]),
                    part.length == 2 ? 0 : Integer.parseInt(part[2]));
        }
    }

    private final List<List<Step>> pairs;

    private AutoAugmentPolicy(String... pairs) {
        this.pairs = Arrays.stream(pairs)
                .map(p -> Arrays.stream(p.split(",")).map(Step::of).toList())
                .toList();
    }

    /** Returns the pairs. */
    List<List<Step>> pairs() {
        return pairs;
    }

    @Override
    public Change draw(int side, RandomGenerator random) {
        List<Step> pair = pairs.get(random.nextInt(pairs.size()));
        boolean[] chosen = new boolean[2];
        double[] value = new double[2];
        for (int k = 0; k < 2; k++) {
            // Always draws the same random numbers, so that later augmentations do not depend on the choice.
            Step step = pair.get(k);
            chosen[k] = random.nextDouble() < step.probability();
            double sign = random.nextBoolean() && step.operation().signed() ? -1 : 1;
            value[k] = sign * step.operation().value(step.magnitude(), side);
        }
        return image -> {
            toLevels(image);
            for (int k = 0; k < 2; k++) {
                if (chosen[k]) {
                    pair.get(k).operation().change(image, value[k]);
                }
            }
            toValues(image);
        };
    }

    /** Rounds values to whole levels from 0 to 255. */
    static void toLevels(ViewImage image) {
        for (float[] x : image.planes()) {
            for (int i = 0; i < image.pixels(); i++) {
                x[i] = (float) Math.rint(x[i] * 255);
            }
        }
    }

    /** Divides levels by 255. */
    static void toValues(ViewImage image) {
        for (float[] x : image.planes()) {
            for (int i = 0; i < image.pixels(); i++) {
                x[i] /= 255;
            }
        }
    }
}
