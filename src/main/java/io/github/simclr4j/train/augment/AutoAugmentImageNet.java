package io.github.simclr4j.train.augment;

import java.util.List;

/** The policy that AutoAugment (Cubuk et al. 2019, table 9) learnt on ImageNet. */
public final class AutoAugmentImageNet implements AugmentationFactory {

    @Override
    public String name() {
        return "autoaugment-imagenet";
    }

    @Override
    public String help() {
        return "its ImageNet policy";
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
