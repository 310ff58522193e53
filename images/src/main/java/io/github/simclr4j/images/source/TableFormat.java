package io.github.simclr4j.images.source;

import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.Optional;

/**
 * A table of paths: comma, semicolon or tab separated, in UTF-8, with a header. The column {@code path} or {@code image}, or
 * else the first, holds paths relative to the table; the column {@code label} or {@code class}, if there is one, their
 * classes.
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
        boolean table = candidate.isText() && candidate.compression() == null && candidate.archive() == null
                && !ImageSetFormats.hasEnding(candidate.lowerCaseName());
        return table ? Optional.of(FileSource.table(candidate.path())) : Optional.empty();
    }
}
