// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/** Converts Tribuo examples of pixels to images of the trainer. */
final class PixelExamples {
    private PixelExamples() {}

    /** Returns the names of the classes, in the order of their IDs. */
    static List<String> classes(ImmutableOutputInfo<Label> outputs) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            names.add(outputs.getOutput(i).getLabel());
        }
        return names;
    }

    /**
     * Returns the images of examples.
     *
     * @param examples labelled examples of pixels
     * @param outputs IDs of the classes
     * @param size side of the images in pixels
     * @throws IllegalArgumentException if an example has no label or another size, or if there are fewer than two classes
     */
    static ImageSet labelled(Iterable<Example<Label>> examples, ImmutableOutputInfo<Label> outputs, int size) {
        List<RgbImage> images = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        Set<String> found = new HashSet<>();
        int without = 0;
        for (Example<Label> example : examples) {
            String label = example.getOutput().getLabel();
            if (example.getOutput().equals(LabelFactory.UNKNOWN_LABEL)) {
                without++;
                continue;
            }
            images.add(PixelFeatureExtractor.image(example, size, size));
            labels.add(outputs.getID(example.getOutput()));
            found.add(label);
        }
        if (without > 0) {
            throw new IllegalArgumentException("Expected examples with a label, found " + without
                    + " without: remove them, or" + " use them in self-training or distillation");
        }
        twoClasses(found);
        return set(images, labels.stream().mapToInt(i -> i).toArray(), outputs, size);
    }

    /** Returns a set of images with the IDs of their classes. */
    static ImageSet set(List<RgbImage> images, int[] labels, ImmutableOutputInfo<Label> outputs, int size) {
        ImageSet bare = ImageSet.of(images, size);
        return new ImageSet(size, bare.pixels(), labels, classes(outputs), List.of(), bare.fingerprint());
    }

    static void twoClasses(Set<String> found) {
        if (found.size() < 2) {
            throw new IllegalArgumentException("Expected images of at least two classes, found "
                    + (found.isEmpty() ? "none with a label" : "only " + String.join("", found)));
        }
    }
}
