// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.testing.Small;
import org.junit.jupiter.api.Test;

/** Batch norm on groups of a single view. */
class GroupSizesTest {
    private static void refused(PretrainBuilder settings, String setting) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new StepByStep(Small.build(settings)));
        assertTrue(
                e.getMessage().contains("one value per channel")
                        && e.getMessage().contains("head.1")
                        && e.getMessage().contains(setting),
                e.getMessage());
    }

    @Test
    void groupsOfOneViewAreRefusedWhereFeaturesAreNormalised() {
        refused(Small.settings("end-to-end").batch(4).headNorm(true).microBatch(1), "micro-batch, found 1");
        refused(Small.settings("mocov2").batch(8).headNorm(true).bnSplits(8), "bn-splits, found 8");
    }

    @Test
    void groupsOfOneViewAreAcceptedWhereEachChannelHasSeveralValues() {
        new StepByStep(Small.build(
                        Small.settings("mocov2").batch(8).headNorm(false).bnSplits(8)))
                .close();
        // Both views of an image share a pass.
        new StepByStep(Small.build(
                        Small.settings("simclr").batch(4).headNorm(true).microBatch(1)))
                .close();
    }
}
