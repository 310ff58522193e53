// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.explore.Mislabelled;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** Runs {@code simclr mislabelled}. */
@CommandLine.Command(
        name = "mislabelled",
        description = "Ranks all images that have a class by how doubtful the class is. The table's columns are"
                + " rank, path, label, suggested and score.")
final class MislabelledCommand extends ExploreCommand {
    @Override
    boolean takes(ImageSource source, int image) {
        return source.label(image).isPresent();
    }

    @Override
    Findings explore(ImageSource source, EncodedImages found, Console console, Map<String, Object> json)
            throws IOException {
        List<String> labels = Arrays.stream(found.numbers())
                .mapToObj(i -> source.classes().get(source.label(i).getAsInt()))
                .toList();
        if (labels.stream().distinct().count() < 2) {
            throw new IOException(
                    images + " has readable images of only one class: expected at least two classes, such as one"
                            + " sub-folder per class");
        }
        List<Findings.Row> rows = new ArrayList<>();
        for (Mislabelled.Doubt d : Mislabelled.rank(found.features(), labels, common.seed, console)) {
            rows.add(new Findings.Row(
                    d.image(),
                    "",
                    rows.size() + 1,
                    found.features().name(d.image()),
                    labels.get(d.image()),
                    d.suggested(),
                    d.score()));
        }
        json.put("classes", labels.stream().distinct().sorted().toList());
        return new Findings(List.of("rank", "path", "label", "suggested", "score"), rows);
    }

    @Override
    String title() {
        return "Doubtful labels";
    }

    @Override
    String meaning() {
        return "A classifier that was trained on the other images finds the labels of these images least "
                + "probable. The suggested"
                + " label is the one that it finds most probable. The score is 1 minus the probability of the label.";
    }
}
