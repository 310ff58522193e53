package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Chooses labelled images, as linear evaluation does. */
final class LabelledImages {
    private LabelledImages() {}

    /**
     * A share of each class, at least one image of each.
     *
     * @param source closed with what is returned
     * @param path what it was opened from
     * @param share above 0 and at most 1
     * @throws IOException if no image has a class, or all have the same
     */
    static ImageSource share(ImageSource source, Path path, double share, long seed, Progress progress) throws IOException {
        int[] with = IntStream.range(0, source.size()).filter(i -> source.label(i).isPresent()).toArray();
        List<String> labels = IntStream.of(with).mapToObj(i -> source.classes().get(source.label(i).getAsInt())).toList();
        Set<String> classes = new TreeSet<>(labels);
        if (classes.size() < 2) {
            throw new IOException(path + " has " + (classes.isEmpty() ? "no images with a class" : "one class, " + classes)
                    + ": expected at least two sub-folders");
        }
        if (with.length < source.size()) {
            progress.warn((source.size() - with.length) + " images of " + path + " have no class and are left out");
        }
        return source.only(IntStream.of(LinearEvaluation.share(labels, share, seed)).map(i -> with[i]).toArray());
    }
}
