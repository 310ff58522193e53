// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.TableColumns;
import picocli.CommandLine.Option;

/** Which columns of a table of images hold what. */
final class TableOptions {
    @Option(
            names = "--path-column",
            paramLabel = "NAME",
            description = "Of a table of images: the column of their paths (default:"
                    + " path, image, file_name or a like name, or else the first).")
    String path;

    @Option(
            names = "--label-column",
            paramLabel = "NAME",
            description = "Of a table of images: the column of their classes" + " (default: label or class).")
    String label;

    TableColumns columns() {
        return new TableColumns(path, label);
    }
}
