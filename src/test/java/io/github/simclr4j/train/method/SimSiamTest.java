// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.simclr4j.train.loop.StepByStep;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Small;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What SimSiam depends on beside its loss. */
class SimSiamTest {
    private static PretrainSettings settings(String predictorRate) {
        return Small.build(Small.settings("simsiam")
                .option("predictor-hidden", 12)
                .option("predictor-rate", predictorRate)
                .optimizer("sgd")
                .momentum(0)
                .weightDecay(0.0)
                .learningRate(0.5)
                .batch(8)
                .epochs(1)
                .imageSize(16));
    }

    /** Section 4.2: at the end of a cosine the predictor still moves as at its beginning. */
    @Test
    void thePredictorsRateStaysWhereTheScheduleFalls() throws IOException {
        StepByStep.Taken full = StepByStep.take(settings("constant"), 1, 1);
        StepByStep.Taken tenth = StepByStep.take(settings("constant"), 1, 0.1);
        StepByStep.Taken scheduled = StepByStep.take(settings("scheduled"), 1, 0.1);
        int predictors = 0;
        for (String name : full.before().keySet()) {
            if (name.startsWith("optimizer.") || name.contains("running_")) {
                continue;
            }
            double[] before = full.before().get(name);
            double[] whole = moved(before, full.after().get(name));
            double[] part = moved(before, tenth.after().get(name));
            if (name.startsWith("predictor.")) {
                predictors++;
                assertArrayEquals(whole, part, 1e-9, name);
                assertFalse(Arrays.equals(whole, moved(before, scheduled.after().get(name))), name);
            } else {
                Golden.same(Arrays.stream(whole).map(w -> 0.1 * w).toArray(), part, 1e-3, 1e-6, name);
                assertArrayEquals(part, moved(before, scheduled.after().get(name)), 1e-9, name);
            }
        }
        assertEquals(5, predictors, "weights of the predictor: two dense layers, a bias, and a batch norm's two");
    }

    private static double[] moved(double[] before, double[] after) {
        double[] moved = new double[before.length];
        for (int i = 0; i < before.length; i++) {
            moved[i] = after[i] - before[i];
        }
        return moved;
    }
}
