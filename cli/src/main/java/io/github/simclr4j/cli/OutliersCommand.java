// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.explore.NearestSearch;
import io.github.simclr4j.tribuo.explore.Outliers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** Runs {@code simclr outliers}. */
@CommandLine.Command(
        name = "outliers",
        description = "Ranks all images by how much they differ from the others. The table's columns are rank,"
                + " path and score.")
final class OutliersCommand extends ExploreCommand {
    @Override
    Findings explore(ImageSource source, EncodedImages found, Console console, Map<String, Object> json)
            throws IOException {
        found.atLeast(2, images);
        List<Findings.Row> rows = new ArrayList<>();
        for (Outliers.Score s : Outliers.rank(NearestSearch.of(found.features(), console))) {
            rows.add(new Findings.Row(
                    s.image(), "", rows.size() + 1, found.features().name(s.image()), s.score()));
        }
        return new Findings(List.of("rank", "path", "score"), rows);
    }

    @Override
    String title() {
        return "Outliers";
    }

    @Override
    String meaning() {
        return "The images that differ most from the others, the most unusual first. The score is the mean "
                + "distance of the features to the "
                + Outliers.NEIGHBOURS + " nearest images, 1 minus the cosine.";
    }
}
