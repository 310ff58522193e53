// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.explore.Features;
import io.github.simclr4j.tribuo.explore.Nearest;
import io.github.simclr4j.tribuo.explore.NearestSearch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Runs {@code simclr neighbours}. */
@CommandLine.Command(
        name = "neighbours",
        description = "Finds the nearest images by their features, for one image or for each image of the set."
                + " The table's columns are query, rank, path and similarity.")
final class NeighboursCommand extends ExploreCommand {
    @Option(
            names = "--query",
            paramLabel = "FILE",
            description = "Image file to find the neighbours of (default: each image of the set).")
    Path query;

    @Option(
            names = "--top",
            paramLabel = "K",
            defaultValue = "10",
            description = "Number of neighbours per query (default: ${DEFAULT-VALUE}).")
    int top;

    @Override
    void checkOptions() throws IOException {
        if (top < 1) {
            throw new IllegalArgumentException("--top must be at least 1, found " + top);
        }
        if (query != null && !Files.exists(query)) {
            throw new IOException(query + ": no such file");
        }
    }

    @Override
    Findings explore(ImageSource source, EncodedImages found, Console console, Map<String, Object> json)
            throws IOException {
        Features set = found.features();
        Features asked = set;
        Nearest nearest;
        int itself = -1;
        if (query == null) {
            found.atLeast(2, images);
            nearest = NearestSearch.of(set, console).ofEach(top);
        } else {
            try (ImageSource one = ImageSource.ofFiles(List.of(query))) {
                asked = encode(one, query, console).features();
            }
            itself = set.names().indexOf(query.toString());
            // A single query is compared with each image once, so an index would not pay off.
            nearest = NearestSearch.exact(set, console).nearest(asked, itself < 0 ? top : top + 1);
            json.put("query", query.toString());
        }
        List<Findings.Row> rows = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            int rank = 0;
            String heading = "Nearest to " + asked.name(i);
            for (int j = 0; j < nearest.images()[i].length && rank < top; j++) {
                int image = nearest.images()[i][j];
                if (image != itself) {
                    rows.add(new Findings.Row(image, heading, asked.name(i), ++rank, set.name(image), (double)
                            nearest.similarities()[i][j]));
                }
            }
        }
        return new Findings(List.of("query", "rank", "path", "similarity"), rows);
    }

    @Override
    String title() {
        return "Nearest images";
    }

    @Override
    String meaning() {
        return "The images with the nearest features, nearest first. The similarity is the cosine of the angle "
                + "between the"
                + " features, at most 1.";
    }
}
