// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Many views at once. */
class ViewPoolTest {
    private static final ViewGenerator FIRST = new ViewGenerator(AugmentationPipeline.of("simclr"), 8);
    private static final ViewGenerator SECOND = new ViewGenerator(AugmentationPipeline.of("rotate"), 8);

    @Test
    void rowsMayBeMadeInSeveralWaysOfImagesOfSeveralSizes() {
        byte[] small = ViewFixtures.random(6, 1);
        byte[] large = ViewFixtures.random(12, 2);
        FloatBuffer out = FloatBuffer.allocate(3 * 192);
        try (ViewPool pool = new ViewPool(2)) {
            pool.make(
                    List.of(
                            new ViewRequest(FIRST, small, 6, 3),
                            new ViewRequest(SECOND, large, 12, 4),
                            new ViewRequest(FIRST, large, 12, 3)),
                    out);
            pool.make(List.of(), out);
        }
        assertArrayEquals(FIRST.view(small, 6, 3), Arrays.copyOf(out.array(), 192));
        assertArrayEquals(SECOND.view(large, 12, 4), Arrays.copyOfRange(out.array(), 192, 384));
        assertArrayEquals(FIRST.view(large, 12, 3), Arrays.copyOfRange(out.array(), 384, 576));
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new ViewPool(0));
        ViewRequest request = new ViewRequest(FIRST, ViewFixtures.random(6, 1), 6, 3);
        ViewRequest larger =
                new ViewRequest(new ViewGenerator(AugmentationPipeline.of("none"), 9), request.pixels(), 6, 3);
        try (ViewPool pool = new ViewPool(1)) {
            assertEquals(
                    "The views of one buffer must have one size, found 8 and 9",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> pool.make(List.of(request, larger), FloatBuffer.allocate(1000)))
                            .getMessage());
            assertEquals(
                    "2 views take 384 values, but the buffer has 383",
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () -> pool.make(List.of(request, request), FloatBuffer.allocate(383)))
                            .getMessage());
        }
    }

    /** Whichever thread fails, the caller sees why, the pool goes on to work, and an interrupt is kept. */
    @Test
    void aFailureReachesTheCaller() {
        ViewRequest good = new ViewRequest(FIRST, ViewFixtures.random(6, 1), 6, 3);
        ViewRequest bad = new ViewRequest(FIRST, new byte[5], 6, 3);
        FloatBuffer out = FloatBuffer.allocate(20 * 192);
        try (ViewPool pool = new ViewPool(3)) {
            for (int place = 0; place < 20; place++) {
                List<ViewRequest> requests = new ArrayList<>(Collections.nCopies(20, good));
                requests.set(place, bad);
                assertEquals(
                        "Expected 3 bytes for each of 6x6 pixels, found 5",
                        assertThrows(IllegalArgumentException.class, () -> pool.make(requests, out))
                                .getMessage());
            }
            Thread.currentThread().interrupt();
            pool.make(Collections.nCopies(20, good), out);
            assertTrue(Thread.interrupted());
        }
        for (int i = 0; i < 20; i++) {
            assertArrayEquals(FIRST.view(good.pixels(), 6, 3), Arrays.copyOfRange(out.array(), i * 192, (i + 1) * 192));
        }
    }
}
