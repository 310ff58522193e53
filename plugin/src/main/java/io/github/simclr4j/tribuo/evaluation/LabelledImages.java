// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import io.github.simclr4j.images.source.ImageSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A set of images with classes.
 *
 * @param path the file or folder that the images were opened from, for messages and provenances
 * @param source the images; images without a class are left out
 * @since 0.1.0
 */
public record LabelledImages(Path path, ImageSource source) {

    /** Returns the names of the classes that have images, in the order of their first image. */
    public List<String> classNames() {
        Set<Integer> labels = new LinkedHashSet<>();
        for (int i = 0; i < source.size(); i++) {
            source.label(i).ifPresent(labels::add);
        }
        return labels.stream().map(source.classes()::get).toList();
    }

    /**
     * Returns the names of the classes after checking that test images have no others.
     *
     * @param test the test images
     * @return the names of the classes, in the order of their first image
     * @throws IllegalStateException if there are fewer than two classes, or if the test images have other classes; the message names
     *     the images
     */
    public List<String> sameClasses(LabelledImages test) {
        List<String> known = classNames();
        if (known.size() < 2) {
            throw new IllegalStateException(
                    path + " has " + (known.isEmpty() ? "no images with a class" : "one class, " + known)
                            + ": expected at least two classes, such as one sub-folder per class");
        }
        List<String> unknown = new ArrayList<>(test.classNames());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw new IllegalStateException("Test images of classes that " + path + " lacks: " + unknown
                    + "; add them there or remove them from " + test.path);
        }
        return known;
    }
}
