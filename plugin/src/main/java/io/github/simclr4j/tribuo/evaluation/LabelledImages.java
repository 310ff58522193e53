package io.github.simclr4j.tribuo.evaluation;

import io.github.simclr4j.images.source.ImageSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Images with classes.
 *
 * @param path what they were opened from, for messages and provenances
 * @param source the images; an image without a class is left out
 */
public record LabelledImages(Path path, ImageSource source) {

    /** Returns the names of the classes that have images, in the order of the images. */
    public List<String> classNames() {
        Set<Integer> labels = new LinkedHashSet<>();
        for (int i = 0; i < source.size(); i++) {
            source.label(i).ifPresent(labels::add);
        }
        return labels.stream().map(source.classes()::get).toList();
    }

    /**
     * Returns the names of the classes, which some other images are to be predicted as.
     *
     * @throws IllegalStateException if these are fewer than two, or the other images have others; the message names the images
     */
    public List<String> sameClasses(LabelledImages test) {
        List<String> known = classNames();
        if (known.size() < 2) {
            throw new IllegalStateException(path + " has " + (known.isEmpty() ? "no images with a class" : "one class, " + known)
                    + ": expected at least two sub-folders");
        }
        List<String> unknown = new ArrayList<>(test.classNames());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw new IllegalStateException("Test images of classes that " + path + " lacks: " + unknown
                    + "; add them there or take them out of " + test.path);
        }
        return known;
    }
}
