// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Optional;

/**
 * Reads a table of paths, separated by commas, semicolons or tabs, in UTF-8, with a header. {@link TableColumns} defines the column with
 * the paths, which are relative to the table, and the column with the classes. A row has at most a million characters.
 *
 * @since 0.1.0
 */
public final class TableFormat implements ImageSetFormat {
    @Override
    public String name() {
        return "table";
    }

    @Override
    public String description() {
        return "a table of paths with a header (.csv, .tsv)";
    }

    @Override
    public int order() {
        return 800;
    }

    @Override
    public Optional<ImageSource> open(ImageSetCandidate candidate, Progress progress) throws IOException {
        boolean table = candidate.isText()
                && candidate.compression() == null
                && candidate.archive() == null
                && !ImageSetFormats.hasEnding(candidate.lowerCaseName());
        return table ? Optional.of(TableSource.open(candidate.path(), candidate.tableColumns())) : Optional.empty();
    }
}
