// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DiagnosisTest {
    private static final double CHANCE = Math.log(255);

    private static Monitor.Figures figures(double loss, double top1, double spread, double rank) {
        return new Monitor.Figures(loss, top1, top1, 1, -2, spread, rank, Map.of());
    }

    private static Verdict after(Diagnosis diagnosis, Monitor.Figures... epochs) {
        for (int i = 0; i < epochs.length; i++) {
            diagnosis.look(i + 1, epochs[i]);
        }
        return diagnosis.verdict();
    }

    private static Diagnosis fresh() {
        return new Diagnosis(CHANCE, 0, 0, true);
    }

    @Test
    void aVerdictSaysHowTheRunStandsAfterTheLastEpoch() {
        assertEquals(Verdict.NO_STEP, fresh().verdict());
        assertEquals(Verdict.LEARNING, after(fresh(), figures(4, 0.3, 0.9, 20)));
        assertEquals(Verdict.AT_CHANCE, after(fresh(), figures(CHANCE * 0.99, 0.01, 0.9, 20)));
        assertEquals(Verdict.AT_CHANCE, after(fresh(), figures(CHANCE * 1.3, 0.01, 0.9, 20)), "worse than chance");
        assertEquals(Verdict.COLLAPSED, after(fresh(), figures(4, 0.3, 0.01, 20)), "all alike");
        assertEquals(Verdict.COLLAPSED, after(fresh(), figures(4, 0.3, 0.9, 1.2)), "on a line");
        assertEquals(
                Verdict.DIVERGING,
                after(
                        fresh(),
                        figures(3, 0.3, 0.9, 9),
                        figures(3.2, 0.3, 0.9, 9),
                        figures(3.4, 0.3, 0.9, 9),
                        figures(3.6, 0.3, 0.9, 9)));
        assertEquals(
                Verdict.LEARNING,
                after(fresh(), figures(CHANCE, 0.01, 0.9, 20), figures(4, 0.3, 0.9, 20)),
                "it recovers");
        assertEquals(Verdict.NO_STEP, after(fresh(), figures(Double.NaN, Double.NaN, Double.NaN, Double.NaN)));
    }

    @Test
    void aMethodWhoseLossAtChanceIsUnknownOrHasNoCandidatesMayBeAboveIt() {
        assertEquals(Verdict.LEARNING, after(new Diagnosis(Double.NaN, 0, 0, true), figures(9, Double.NaN, 0.9, 20)));
        assertEquals(Verdict.LEARNING, after(new Diagnosis(2, 0, 0, true), figures(9, Double.NaN, 0.9, 20)));
        assertEquals(
                Verdict.LEARNING,
                after(new Diagnosis(2, 0, 0, false), figures(1, 0.5, 0.01, 1)),
                "logits need no spread");
    }
}
