// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * AutoAugment's policy for CIFAR-10 (<a href="https://arxiv.org/abs/1805.09501">Cubuk et al. 2019</a>, table 7).
 *
 * @since 0.1.0
 */
public final class AutoAugmentCifar10 implements AugmentationFactory {

    @Override
    public String name() {
        return "autoaugment";
    }

    @Override
    public String help() {
        return "CIFAR-10 policy of AutoAugment";
    }

    @Override
    public double probability() {
        return 1;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return AutoAugmentPolicy.CIFAR10;
    }
}
