// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import ai.djl.ndarray.NDArray;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/**
 * Which weights an optimizer exempts from weight decay, layer adaptation or the schedule.
 *
 * @param plain tells by name and value whether a weight is exempt from weight decay and layer adaptation
 * @param constantRate tells by name whether a weight always uses the learning rate of the settings, whatever the schedule, such
 *     as the predictor of SimSiam (<a href="https://arxiv.org/abs/2011.10566">Chen and He 2021</a>, section 4.2)
 * @since 0.1.0
 */
public record WeightRules(BiPredicate<String, NDArray> plain, Predicate<String> constantRate) {
    /** Exempts weights of one dimension (batch norm and biases) from weight decay and layer adaptation; all follow the schedule. */
    public static final WeightRules DEFAULT =
            new WeightRules((name, w) -> w.getShape().dimension() == 1, name -> false);
}
