// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiagnosisTest {
    private static final double CHANCE = Math.log(255);

    /**
     * Loss, top-1, alignment, uniformity, spread and effective rank of 20 epochs of mocov1 with its defaults on 10,000 images of CIFAR-10. The
     * rate falls to a tenth after epochs 12 and 16: the keys in the queue then become more alike in time, and the loss rises
     * although the features improve.
     */
    private static final double[][] MOCO_V1 = {
        {6.3280, 0.0587, 0.9055, -0.3781, 0.2981, 3.8740},
        {5.0727, 0.2193, 1.1388, -0.2823, 0.2548, 3.2139},
        {5.2830, 0.2183, 0.9638, -0.3666, 0.2916, 4.0978},
        {5.4286, 0.1823, 1.0020, -0.4692, 0.3323, 4.4844},
        {5.4524, 0.1707, 1.0533, -0.5304, 0.3551, 4.8086},
        {5.4021, 0.1679, 1.1005, -0.5846, 0.3758, 5.1157},
        {5.4210, 0.1454, 1.0561, -0.6467, 0.3989, 5.5159},
        {5.5879, 0.1251, 0.9392, -0.7202, 0.4228, 5.7954},
        {5.2822, 0.1683, 1.0951, -0.8294, 0.4578, 6.0058},
        {5.0859, 0.1833, 1.1143, -0.8416, 0.4605, 6.1008},
        {4.9819, 0.2152, 1.0885, -0.8367, 0.4580, 6.3714},
        {4.9686, 0.2074, 1.0704, -0.9029, 0.4784, 6.4639},
        {5.3118, 0.1759, 0.7084, -1.0502, 0.5206, 6.4901},
        {5.8040, 0.1403, 0.4814, -1.3029, 0.5863, 6.7386},
        {5.7314, 0.1469, 0.5408, -1.4976, 0.6332, 6.9610},
        {5.6331, 0.1551, 0.5967, -1.4839, 0.6293, 7.0860},
        {5.8265, 0.1300, 0.4506, -1.4585, 0.6225, 7.1677},
        {6.1038, 0.0858, 0.3251, -1.5211, 0.6373, 7.1260},
        {6.1976, 0.0699, 0.3037, -1.6044, 0.6567, 7.0874},
        {6.1882, 0.0611, 0.3059, -1.6932, 0.6769, 7.0632}
    };

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

    /** 8.3180 is ln(4097), the loss of chance with a queue of 4,096 keys, which the first 33 of 78 steps of an epoch fill. */
    @Test
    void aLossThatRisesBecauseItsQueueBecomesHarderDoesNotDiverge() {
        Diagnosis diagnosis = new Diagnosis(8.3180, 2, 33 / 78.0, true);
        for (int i = 0; i < MOCO_V1.length; i++) {
            double[] m = MOCO_V1[i];
            Monitor.Figures f = new Monitor.Figures(m[0], m[1], m[1], m[2], m[3], m[4], m[5], Map.of());
            assertEquals(List.of(), diagnosis.look(i + 1, f), "epoch " + (i + 1));
            assertEquals(Verdict.LEARNING, diagnosis.verdict(), "epoch " + (i + 1));
        }
    }

    /** The same losses, with embeddings that lose what they had: views drift apart, or all images move together. */
    @ParameterizedTest
    @CsvSource({"0.05, -0.05", "-0.05, 0.05", "0.05, 0.05", "0, 0"})
    void aRiseWithWorseAlignmentOrUniformityDiverges(double alignment, double uniformity) {
        Diagnosis diagnosis = new Diagnosis(8.3180, 0, 0, true);
        List<String> said = new ArrayList<>();
        for (int e = 1; e <= 5; e++) {
            said.addAll(diagnosis.look(
                    e,
                    new Monitor.Figures(
                            4 + 0.3 * e, 0.1, 0.2, 0.5 + alignment * e, -1.5 + uniformity * e, 0.6, 7, Map.of())));
        }
        assertEquals(1, said.size(), said.toString());
        assertTrue(said.get(0).startsWith("diverging: the loss has risen for 3 epochs to 5.200"), said.toString());
        assertEquals(Verdict.DIVERGING, diagnosis.verdict());
    }

    /** Epochs 4 to 7 of simsiam at twice its default rate, of which two make the views of an image less alike and one recovers. */
    @Test
    void theRiseOfALossThatIsTooFastCounts() {
        double[][] simSiam = {
            {-0.7742, 0.4567, -0.4177, 0.5603, 1.4108},
            {-0.7424, 0.4682, -0.6989, 0.5940, 1.5699},
            {-0.6710, 0.5927, -0.8715, 0.6738, 1.6091},
            {-0.6957, 0.6169, -1.0601, 0.7312, 1.7331}
        };
        Diagnosis diagnosis = new Diagnosis(Double.NaN, 0, 0, true);
        List<Integer> rising = new ArrayList<>();
        for (int i = 0; i < simSiam.length; i++) {
            double[] m = simSiam[i];
            diagnosis.look(i + 1, new Monitor.Figures(m[0], Double.NaN, Double.NaN, m[1], m[2], m[3], m[4], Map.of()));
            rising.add(diagnosis.rising());
        }
        assertEquals(List.of(0, 1, 2, 0), rising);
    }
}
