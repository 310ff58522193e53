// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * Converts an image to greyscale (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, appendix A, "color drop").
 *
 * @since 0.1.0
 */
public final class GreyScale implements AugmentationFactory {

    @Override
    public String name() {
        return "grey";
    }

    @Override
    public String help() {
        return "greyscale (colour drop)";
    }

    @Override
    public double probability() {
        return 0.2;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> Colours::grey;
    }
}
