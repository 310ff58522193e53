// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One pretraining of a study.
 *
 * @param levels label of the cell's level by the name of each axis, in the order of the axes
 * @param settings settings of the cell by the names of {@link CellSettings}
 * @since 0.1.0
 */
public record Cell(Map<String, String> levels, Map<String, String> settings) {
    /** Number of characters of a folder's name before the hash. */
    private static final int READABLE = 48;

    private static final int HASH = 8;

    /** Copies the maps in their order. */
    public Cell {
        levels = Collections.unmodifiableMap(new LinkedHashMap<>(levels));
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** Returns the cell's name for messages, such as {@code loss NT-Xent, temperature 0.1}. */
    public String title() {
        StringBuilder title = new StringBuilder();
        levels.forEach((axis, level) -> title.append(title.isEmpty() ? "" : ", ")
                .append(axis)
                .append(' ')
                .append(level));
        return title.toString();
    }

    /** Returns the name of the cell's folder, which depends only on its levels. */
    public String folder() {
        String readable = String.join("_", levels.values()).replaceAll("[^A-Za-z0-9._]+", "-");
        String hash = Sha256.hex(levels.toString().getBytes(StandardCharsets.UTF_8));
        return readable.substring(0, Math.min(READABLE, readable.length())) + "-" + hash.substring(0, HASH);
    }
}
