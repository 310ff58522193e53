package io.github.simclr4j.train.data;

import io.github.simclr4j.images.source.ImageSource;
import java.util.List;

/** The images that a run learns from: squares of one size, with or without labels. */
public sealed interface TrainingImages permits ImageSet, StreamedImages {
    /** How many there are. */
    int count();

    /**
     * The images as they were before they became squares, in their numbers' order, for what looks at them in another size; the
     * squares where nothing else is known. Whoever opened the source that they are from closes it.
     */
    ImageSource originals();

    /** Side in pixels. */
    int side();

    /** Class of each image, an index into {@link #classes()}; null where not all of them have one. */
    int[] labels();

    /** Names of the classes, in order; empty where there are no labels. */
    List<String> classes();

    /** Names the content, so that a run is not continued with other images; the same in memory and streamed. */
    String fingerprint();

    /** The images that could not be read so far, and why. */
    List<String> skipped();
}
