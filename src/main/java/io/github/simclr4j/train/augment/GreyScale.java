package io.github.simclr4j.train.augment;

import java.util.List;

/** Takes the colour out of an image (Chen et al. 2020, appendix A, "color drop"). */
public final class GreyScale implements AugmentationFactory {

    @Override
    public String name() {
        return "grey";
    }

    @Override
    public String help() {
        return "colour drop";
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
