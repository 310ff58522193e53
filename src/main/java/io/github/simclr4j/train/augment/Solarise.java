// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * Solarisation: inverts values from a threshold upwards (<a href="https://arxiv.org/abs/2006.07733">Grill et al. 2020</a>, appendix B).
 *
 * @since 0.1.0
 */
public final class Solarise implements AugmentationFactory {

    @Override
    public String name() {
        return "solarise";
    }

    @Override
    public String help() {
        return "solarisation: values from the threshold upwards are inverted, as in BYOL's second view";
    }

    @Override
    public double probability() {
        return 0.2;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(
                Strength.upTo("threshold", 0.5, 1, "values from here upwards are inverted, for values from 0 to 1"));
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        float threshold = strengths.get(0).floatValue();
        return (side, random) -> image -> invert(image, threshold);
    }

    private static void invert(ViewImage image, float threshold) {
        int n = image.pixels();
        for (float[] x : image.planes()) {
            for (int i = 0; i < n; i++) {
                x[i] = x[i] >= threshold ? 1 - x[i] : x[i];
            }
        }
    }
}
