// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;

class LinearEvaluationTest {
    private static final int FEATURES = 32;

    /**
     * Four classes of Gaussian features, pair by pair: feature 2k is noise that pairs share, feature 2k + 1 the same noise plus
     * a little signal, so that only the differences tell. The differences are independent, with means +-0.5 in two groups of
     * features, so the best classifier decides two bits of distance 2 * 0.5 * sqrt(8) between their means, each right with
     * probability Phi(0.5 * sqrt(8)) = 0.92135, both with 0.8489.
     */
    @Test
    void comesNearTheBestPossibleClassifierOfCorrelatedGaussians() {
        Random random = new Random(1);
        double accuracy = LinearEvaluation.evaluate(sample(20_000, random), sample(20_000, random), 1, 1)
                .accuracy();
        assertEquals(0.8489, accuracy, 0.01);
    }

    private static MutableDataset<Label> sample(int count, Random random) {
        MutableDataset<Label> set = new MutableDataset<>(
                new SimpleDataSourceProvenance("gaussians", new LabelFactory()), new LabelFactory());
        String[] names = new String[FEATURES];
        for (int i = 0; i < FEATURES; i++) {
            names[i] = "f" + (char) ('A' + i);
        }
        for (int n = 0; n < count; n++) {
            int label = n * 4 / count;
            double[] x = new double[FEATURES];
            for (int k = 0; k < FEATURES / 2; k++) {
                int bit = k < FEATURES / 4 ? label & 1 : label >> 1;
                x[2 * k] = 2 * random.nextGaussian();
                x[2 * k + 1] = x[2 * k] + random.nextGaussian() + (bit - 0.5);
            }
            set.add(new ArrayExample<>(new Label("class" + label), names, x));
        }
        return set;
    }
}
