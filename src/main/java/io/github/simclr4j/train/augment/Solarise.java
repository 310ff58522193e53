package io.github.simclr4j.train.augment;

import java.util.List;

/** Inverts what is bright: a value from the threshold on becomes 1 minus itself (Grill et al. 2020, appendix B). */
public final class Solarise implements AugmentationFactory {

    @Override
    public String name() {
        return "solarise";
    }

    @Override
    public String help() {
        return "values from the threshold on are inverted, as BYOL's second view has it";
    }

    @Override
    public double probability() {
        return 0.2;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.upTo("threshold", 0.5, 1, "from which on values are inverted, where they are from 0 to 1"));
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
