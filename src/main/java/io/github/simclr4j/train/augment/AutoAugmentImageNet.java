// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * AutoAugment's policy for ImageNet (<a href="https://arxiv.org/abs/1805.09501">Cubuk et al. 2019</a>, table 9).
 *
 * @since 0.1.0
 */
public final class AutoAugmentImageNet implements AugmentationFactory {

    @Override
    public String name() {
        return "autoaugment-imagenet";
    }

    @Override
    public String help() {
        return "ImageNet policy of AutoAugment";
    }

    @Override
    public double probability() {
        return 1;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return AutoAugmentPolicy.IMAGENET;
    }
}
