// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.testing;

import io.github.simclr4j.util.Progress;

/** Interrupts runs. */
public final class Interrupt {
    private Interrupt() {}

    /** Returns a listener that interrupts the run's thread after a number of steps. */
    public static Progress after(int steps) {
        return new Progress() {
            private int seen;
            private boolean before;

            /** What comes before the first epoch has no steps. */
            @Override
            public void start(String task, long total) {
                before = !task.startsWith("epoch");
            }

            @Override
            public void at(long done, String detail) {
                if (!before && ++seen == steps) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }
}
