// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.explore.Features;
import io.github.simclr4j.tribuo.explore.Selection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Runs {@code simclr select}. */
@CommandLine.Command(
        name = "select",
        description = "Chooses diverse images to label first. The table's columns are rank and path.")
final class SelectCommand extends ExploreCommand {
    @Option(names = "--count", paramLabel = "N", required = true, description = "Number of images to choose.")
    int count;

    @Option(
            names = "--labelled",
            paramLabel = "SET",
            description = "Images that are labelled already; images similar to them are chosen later.")
    Path labelled;

    @Override
    void checkOptions() {
        if (count < 1) {
            throw new IllegalArgumentException("--count must be at least 1, found " + count);
        }
    }

    @Override
    Findings explore(ImageSource source, EncodedImages found, Console console, Map<String, Object> json)
            throws IOException {
        if (count > found.features().size()) {
            throw new IllegalArgumentException("--count must be at most the number of readable images, "
                    + found.features().size() + ", found " + count);
        }
        Features known = null;
        if (labelled != null) {
            try (ImageSource others = open(labelled, tables, console)) {
                EncodedImages encoded = encode(others, labelled, console);
                known = encoded.features();
                json.put("labelled", known.size());
                json.put("labelledSkipped", encoded.skipped());
            }
        }
        int[] chosen = Selection.select(found.features(), count, known, common.seed, console);
        List<Findings.Row> rows = new ArrayList<>();
        for (int image : chosen) {
            rows.add(new Findings.Row(
                    image, "", rows.size() + 1, found.features().name(image)));
        }
        return new Findings(List.of("rank", "path"), rows);
    }

    @Override
    String title() {
        return "Images to label first";
    }

    @Override
    String meaning() {
        return "Each image is the one that differs most from those before it"
                + (labelled == null ? "" : " and those that are labelled already")
                + "; the most unusual images of the set come last.";
    }
}
