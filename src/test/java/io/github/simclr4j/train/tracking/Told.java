// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.monitor.Monitor;
import io.github.simclr4j.train.monitor.Verdict;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Map;

/** What a listener is told by runs that never were. */
final class Told {
    static final String NAME = "2026-11-29T06:38:12.345678Z";

    private Told() {}

    static StartedRun run(int done, Map<String, String> settings) {
        return new StartedRun(NAME, settings, done, 10, () -> {
            BufferedImage image = new BufferedImage(7, 5, BufferedImage.TYPE_INT_RGB);
            image.setRGB(3, 2, 0x123456);
            return image;
        });
    }

    static StartedRun run(int done) {
        return run(done, Map.of("training.method", "mocov2", "training.temperature", "0.2"));
    }

    /** An epoch whose figures follow from its number; only even ones have measured neighbours. */
    static EpochSummary epoch(int number) {
        Monitor.Figures figures =
                new Monitor.Figures(4.0 / number, 0.5, Double.NaN, 0.25, -1.5, 0.75, 12, Map.of("codeUse", 3.0));
        return new EpochSummary(
                number,
                10,
                figures,
                0.1 * number,
                100,
                number % 2 == 0 ? 0.01 * number : Double.NaN,
                List.of(),
                5,
                Verdict.LEARNING);
    }
}
