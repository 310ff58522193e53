package io.github.simclr4j.train.augment;

import java.util.List;

/** Mirrors an image from left to right (Chen et al. 2020, appendix A). */
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
