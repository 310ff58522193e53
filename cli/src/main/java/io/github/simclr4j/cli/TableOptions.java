// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.TableColumns;
import picocli.CommandLine.Option;

/** Options that name the columns of a table of images. */
final class TableOptions {
    /** The names of these options. */
    static final String[] NAMES = {"--path-column", "--label-column"};

    @Option(
            names = "--path-column",
            paramLabel = "NAME",
            description = "Column of the paths in a table of images (default: path, image, file_name or a similar"
                    + " name, else the first column).")
    String path;

    @Option(
            names = "--label-column",
            paramLabel = "NAME",
            description = "Column of the classes in a table of images (default: label or class).")
    String label;

    TableColumns columns() {
        return new TableColumns(path, label);
    }
}
