package io.github.simclr4j.train.augment;

import java.util.List;

/** The policy that AutoAugment (Cubuk et al. 2019, table 7) learnt on CIFAR-10. */
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
