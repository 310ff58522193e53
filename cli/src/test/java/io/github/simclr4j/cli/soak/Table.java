// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.soak;

import java.util.Collections;

/** The table that a soak prints, a row a command or method, and the seed that decides what is drawn. */
final class Table {
    static final long SEED = Long.getLong("soak.seed", 1);

    private Table() {}

    /** Prints the seed and the head of a table in Markdown. */
    static void head(String... columns) {
        System.out.println("seed " + SEED);
        System.out.println("| " + String.join(" | ", columns) + " |");
        System.out.println("| " + String.join(" | ", Collections.nCopies(columns.length, "---")) + " |");
    }
}
