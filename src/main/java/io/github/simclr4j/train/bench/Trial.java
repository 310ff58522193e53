// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Precision;
import java.util.Locale;

/**
 * A configuration of the training, and the throughput of its steps.
 *
 * @param batch images per step
 * @param precision precision of the network
 * @param layout memory layout of feature maps
 * @param viewsPerSecond median throughput of steps alone; NaN if they do not fit into memory
 * @since 0.1.0
 */
public record Trial(int batch, Precision precision, MemoryLayout layout, double viewsPerSecond) {
    /** Tells whether the steps fit into memory. */
    public boolean fits() {
        return !Double.isNaN(viewsPerSecond);
    }

    /** Returns the text form that {@link #parse} parses. */
    String text() {
        return batch + " " + precision + " " + layout + " " + viewsPerSecond;
    }

    static Trial parse(String text) {
        String[] f = text.split(" ");
        return new Trial(
                Integer.parseInt(f[0]), Precision.valueOf(f[1]), MemoryLayout.valueOf(f[2]), Double.parseDouble(f[3]));
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "batch %d, %s, %s: %s",
                batch,
                precision.text(),
                layoutText(),
                fits() ? String.format(Locale.ROOT, "%.0f views/s", viewsPerSecond) : "does not fit into memory");
    }

    /** Returns the name of the layout in lower case, such as {@code channels-last}. */
    public String layoutText() {
        return layout.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
