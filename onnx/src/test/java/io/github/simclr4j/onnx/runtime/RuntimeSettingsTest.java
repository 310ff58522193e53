// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class RuntimeSettingsTest {
    @Test
    void threadsHaveAnUpperBound() {
        int most = Math.max(64, 4 * Runtime.getRuntime().availableProcessors());
        assertEquals(most, RuntimeSettings.maxThreads());
        assertEquals(most, RuntimeSettings.DEFAULT.withThreads(most).threads());
        for (int threads : new int[] {-1, most + 1, 100_000, Integer.MAX_VALUE}) {
            assertEquals(
                    "Expected at least 0 threads, at most " + most
                            + " on this machine, and a batch of 0 to 65536, found " + threads + " and 0",
                    assertThrows(IllegalArgumentException.class, () -> RuntimeSettings.DEFAULT.withThreads(threads))
                            .getMessage());
        }
    }
}
