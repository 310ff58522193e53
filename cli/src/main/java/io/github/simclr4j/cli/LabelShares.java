// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Parses shares of the labels, such as {@code 10%}, and draws the labels of a share. */
final class LabelShares {
    private LabelShares() {}

    /**
     * Parses a share.
     *
     * @throws IllegalArgumentException if the text is not a percentage above 0% and up to 100%
     */
    static double parse(String label) {
        String text = label.strip();
        double share;
        try {
            share = Double.parseDouble(text.replace("%", "")) / 100;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("A share of labels must look like 10%, found " + label, e);
        }
        if (!text.endsWith("%") || !(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("A share of labels must be above 0% and at most 100%, found " + label);
        }
        return share;
    }

    /** Parses several shares, and returns their values by their text, in order. */
    static Map<String, Double> parse(List<String> labels) {
        Map<String, Double> shares = new LinkedHashMap<>();
        labels.forEach(label -> shares.put(label.strip(), parse(label)));
        return shares;
    }

    /**
     * Draws a share of each class in the same way as linear evaluation, at least one image of each.
     *
     * @param source closed with the returned source
     * @param path path of the source
     * @param share share of the images, above 0 and at most 1
     * @throws IOException if no image has a class, or all have the same class
     */
    static ImageSource draw(ImageSource source, Path path, double share, long seed, Progress progress)
            throws IOException {
        int[] with = IntStream.range(0, source.size())
                .filter(i -> source.label(i).isPresent())
                .toArray();
        List<String> labels = IntStream.of(with)
                .mapToObj(i -> source.classes().get(source.label(i).getAsInt()))
                .toList();
        Set<String> classes = new TreeSet<>(labels);
        if (classes.size() < 2) {
            throw new IOException(
                    path + " has " + (classes.isEmpty() ? "no images with a class" : "one class, " + classes)
                            + ": expected at least two sub-folders");
        }
        if (with.length < source.size()) {
            progress.warn((source.size() - with.length) + " images of " + path + " have no class and are left out");
        }
        return source.only(IntStream.of(LinearEvaluation.share(labels, share, seed))
                .map(i -> with[i])
                .toArray());
    }
}
