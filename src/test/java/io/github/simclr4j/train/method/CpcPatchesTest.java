// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.train.augment.PatchGrid;
import io.github.simclr4j.train.augment.ViewPicture;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which patches CPC takes from images of a size, and what their logits may cost. */
class CpcPatchesTest {
    /** The three published grids of 7x7, and those of other sizes and of a stem that needs 32 pixels. */
    @ParameterizedTest
    @CsvSource({
        // image size, stem, patch, stride, patches along a side
        "32, cifar, 8, 4, 7", // Bolts, CIFAR-10
        "64, cifar, 16, 8, 7", // Bolts and Greedy InfoMax, STL-10
        "256, imagenet, 64, 32, 7", // van den Oord et al. 2018, section 3.2
        "224, imagenet, 64, 32, 6",
        "224, cifar, 64, 32, 6",
        "96, cifar, 32, 16, 5",
        "48, cifar, 16, 8, 5",
        "128, imagenet, 32, 16, 7",
        "64, imagenet, 32, 16, 3",
        "16, cifar, 8, 4, 3"
    })
    void thePatchesFollowTheImageSizeInTrainingAndInPictures(int size, String stem, int patch, int stride, int along) {
        PretrainSettings s = settings("resnet18", Map.of("stem", stem), size).build(1000);
        PatchGrid patches = s.patches();
        assertEquals(new PatchGrid(patch, stride), patches);
        assertEquals(along, patches.along(size));
        if (PatchGrid.usual(size).side() >= 32 || stem.equals("cifar")) {
            assertEquals(
                    patches, ViewPicture.Composition.of("", s.firstView(), size).patches());
        }
    }

    private static PretrainBuilder settings(String encoder, Map<String, String> options, int size) {
        return new PretrainBuilder().method("cpc").encoder(encoder, options).imageSize(size);
    }

    @Test
    void anEncoderThatIsNamedWithPatchesKeepsItsOwn() {
        assertEquals(
                new PatchGrid(16, 16),
                settings("resnet18-patches", Map.of("patch-size", "16", "patch-stride", "16"), 96)
                        .build(1000)
                        .patches());
        assertEquals(
                new PatchGrid(8, 4),
                settings("resnet18-patches", Map.of(), 64).batch(16).build(1000).patches());
    }

    /** Patches of 8 every 4 of 96 pixels are 23x23, of which 21x23 are predicted: 128 * 483 times 128 * 529 logits of 4 bytes. */
    @Test
    void logitsThatNoMemoryHoldsAreRefused() {
        PretrainBuilder b = settings("resnet18-patches", Map.of(), 96);
        String message = assertThrows(IllegalArgumentException.class, () -> b.build(1000))
                .getMessage();
        assertTrue(
                message.startsWith("cpc compares 61824 predictions with 67712 patches in each step, which takes 17 GB"),
                message);
        assertThrows(
                IllegalArgumentException.class,
                () -> b.option("directions", 4).batch(64).build(1000));
        // A batch holds no more images than there are, and micro-batches take their shares of the loss in turn.
        b.option("directions", 1).batch(128).build(16);
        b.microBatch(32).build(1000);
        settings("resnet18", Map.of(), 96).build(1000);
    }
}
