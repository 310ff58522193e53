package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/**
 * Which weights an optimizer treats in another way.
 *
 * @param plain by name and value: weights that get neither weight decay nor layer adaptation
 * @param constantRate by name: weights that always move by the rate of the settings, whatever the schedule says, such as the
 *     predictor of SimSiam (Chen and He 2021, section 4.2)
 */
public record WeightRules(BiPredicate<String, NDArray> plain, Predicate<String> constantRate) {
    /** Weights with one dimension (normalisation and biases) are plain, and all follow the schedule. */
    public static final WeightRules DEFAULT = new WeightRules((name, w) -> w.getShape().dimension() == 1, name -> false);
}
