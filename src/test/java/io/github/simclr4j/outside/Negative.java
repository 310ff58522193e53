// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.outside;

import io.github.simclr4j.train.augment.Augmentation;
import io.github.simclr4j.train.augment.AugmentationFactory;
import io.github.simclr4j.train.augment.Strength;
import java.util.List;

/** An augmentation that the library doesn't know: it mixes an image with its negative. */
public final class Negative implements AugmentationFactory {

    @Override
    public String name() {
        return "negative";
    }

    @Override
    public String help() {
        return "mixed with its negative; largest share of that";
    }

    @Override
    public double probability() {
        return 0.3;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.upTo("share", 1, 1, "largest share of the negative"));
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> {
            float share = (float) (strengths.get(0) * random.nextDouble());
            return image -> {
                for (float[] plane : image.planes()) {
                    for (int i = 0; i < image.pixels(); i++) {
                        plane[i] = (1 - share) * plane[i] + share * (1 - plane[i]);
                    }
                }
            };
        };
    }
}
