// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Holds the findings of a search as rows of a table.
 *
 * @param columns names of the columns
 * @param rows rows in order
 */
record Findings(List<String> columns, List<Row> rows) {

    /**
     * Holds one row.
     *
     * @param image index of the image
     * @param group heading of its group in the report; empty for none
     * @param cells one value per column
     */
    record Row(int image, String group, List<String> cells) {
        Row(int image, String group, Object... cells) {
            this(image, group, texts(cells));
        }

        private static List<String> texts(Object... cells) {
            List<String> texts = new ArrayList<>();
            for (Object cell : cells) {
                texts.add(cell instanceof Double d ? String.format(Locale.ROOT, "%.6f", d) : String.valueOf(cell));
            }
            return texts;
        }

        /** Returns the row as a line of CSV, without a line break. */
        String csv() {
            return line(cells);
        }
    }

    /** Returns the names of the columns as a line of CSV. */
    String header() {
        return line(columns);
    }

    /** Returns the whole table as CSV. */
    String csv() {
        StringBuilder csv = new StringBuilder(header()).append('\n');
        rows.forEach(r -> csv.append(r.csv()).append('\n'));
        return csv.toString();
    }

    private static String line(List<String> cells) {
        return String.join(",", cells.stream().map(CsvFeatures::quote).toList());
    }
}
