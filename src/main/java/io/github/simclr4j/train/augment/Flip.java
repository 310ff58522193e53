// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * Flips an image horizontally (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix A).
 *
 * @since 0.1.0
 */
public final class Flip implements AugmentationFactory {

    @Override
    public String name() {
        return "flip";
    }

    @Override
    public String help() {
        return "horizontal flip";
    }

    @Override
    public double probability() {
        return 0.5;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> ViewImage::flip;
    }
}
