package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** The views of a step, to look at: the same pixels that the networks get. Row {@code v * N + i} is view v of image i. */
public interface StepViews {
    /** Returns the number of images, N. */
    int size();

    /** Returns the numbers of the images in the whole set. */
    int[] images();

    /** Makes some rows, float32 [rows, 3, side, side] in [0, 1]; they stay as they are until others are made. */
    NDArray rows(NDManager manager, int[] rows);
}
