// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/**
 * Read access to the views of a step: the same pixels that the networks get. Row {@code v * N + i} is view v of image i.
 *
 * @since 0.1.0
 */
public interface StepViews {
    /** Returns the number of images, N. */
    int size();

    /** Returns the indices of the images in the training set, [N]. */
    int[] images();

    /**
     * Creates the pixels of some rows. They are valid until the next call.
     *
     * @param manager owner of the result
     * @param rows indices of the rows
     * @return float32 [rows, 3, side, side] in [0, 1]
     */
    NDArray rows(NDManager manager, int[] rows);
}
