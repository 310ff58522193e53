// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import io.github.simclr4j.images.source.ImageSource;
import java.util.List;

/**
 * The training images of a run: squares of one size, with or without labels.
 *
 * @since 0.1.0
 */
public sealed interface TrainingImages permits ImageSet, StreamedImages {
    /** Returns the number of images. */
    int count();

    /**
     * Returns the images before they were resized to squares, in the same order, for a teacher with another input size.
     *
     * <p>These are the squares if the originals are unknown. The code that opened the source closes it.
     */
    ImageSource originals();

    /** Returns the side in pixels. */
    int side();

    /** Returns the class of each image, an index into {@link #classes()}; null unless all images have labels. */
    int[] labels();

    /** Returns the names of the classes, in order; empty without labels. */
    List<String> classes();

    /** Returns a hash of the content, which keeps a run from continuing with other images; it is the same in memory and streamed. */
    String fingerprint();

    /** Returns the images that could not be read so far, with the reasons. */
    List<String> skipped();
}
