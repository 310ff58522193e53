// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.simclr4j.images.RgbImage;
import java.util.List;
import org.junit.jupiter.api.Test;

class EncoderComparisonTest {
    private static final List<RgbImage> IMAGES =
            List.of(new RgbImage(1, 1, new byte[3]), new RgbImage(1, 1, new byte[3]));

    private static EncoderComparison of(float[][] first, float[][] second) {
        return EncoderComparison.of(images -> first, images -> second, IMAGES);
    }

    @Test
    void figuresAreThoseOfTheirDefinition() {
        // Differences 0, 0, 1, 1; cosines 1 and (3 * 4 + 4 * 3) / 25.
        EncoderComparison c = of(new float[][] {{1, 2}, {3, 4}}, new float[][] {{1, 2}, {4, 3}});
        assertEquals(new EncoderComparison(2, 1, 0.5, 2.5, 0.96, 0.98), c);
    }

    @Test
    void theCosineOfAZeroVectorIsOneWithAnotherAndElseZero() {
        float[][] zeros = {{0, 0}, {0, 0}};
        float[][] one = {{0, 0}, {0, 1}};
        for (EncoderComparison c : List.of(of(zeros, one), of(one, zeros))) {
            assertEquals(0, c.leastCosine());
            assertEquals(0.5, c.meanCosine());
        }
        assertEquals(1, of(zeros, zeros).leastCosine());
        assertEquals(
                Double.NaN, of(zeros, new float[][] {{0, 0}, {0, Float.NaN}}).leastCosine());
    }
}
