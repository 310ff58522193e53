// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.explore.Duplicates;
import io.github.simclr4j.tribuo.explore.Thumbnails;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/** Runs {@code simclr duplicates}. */
@CommandLine.Command(
        name = "duplicates",
        description = "Finds groups of near-duplicates: images that were re-encoded, resized, slightly cropped"
                + " or recoloured, and photos of the same moment. The table's columns are group, path and"
                + " similarity; the first image of each group is the one to keep.")
final class DuplicatesCommand extends ExploreCommand {
    private Thumbnails thumbnails;

    @Override
    ImageSource prepared(ImageSource source) {
        thumbnails = new Thumbnails(source);
        return thumbnails;
    }

    @Override
    Findings explore(ImageSource source, EncodedImages found, Console console, Map<String, Object> json) {
        Duplicates duplicates = Duplicates.find(found.features(), thumbnails, found.numbers(), console);
        List<Findings.Row> rows = new ArrayList<>();
        int group = 0;
        for (List<Duplicates.Member> members : duplicates.groups()) {
            group++;
            for (Duplicates.Member member : members) {
                rows.add(new Findings.Row(
                        member.image(),
                        "Group " + group,
                        group,
                        found.features().name(member.image()),
                        member.similarity()));
            }
        }
        json.put("groups", group);
        json.put("kept", duplicates.kept().length);
        return new Findings(List.of("group", "path", "similarity"), rows);
    }

    @Override
    String title() {
        return "Near-duplicates";
    }

    @Override
    String meaning() {
        return "The first image of each group has the most pixels and is the one to keep. The similarity says "
                + "how well the pixels"
                + " of the others match it after cropping and recolouring, at most 1. Tick those that you want "
                + "to remove.";
    }
}
