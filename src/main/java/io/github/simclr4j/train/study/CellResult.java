// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import java.util.Map;

/**
 * The result of a cell.
 *
 * @param cell the cell
 * @param measured the measurements; null if the cell failed or is not done
 * @param failure why the cell failed; null if it did not
 * @since 0.1.0
 */
public record CellResult(Cell cell, Measured measured, String failure) {

    /**
     * The measurements of a cell.
     *
     * @param accuracy test accuracy of a linear classifier that was trained on all labels, 0 to 1
     * @param finalLoss mean loss of the last epoch with at least one step; NaN if there was none
     * @param parameters number of trainable weights of the encoder, without the projection head
     * @param dimension length of the features
     * @param epochs passes over the images
     * @param steps number of steps
     * @param seconds duration of training and evaluation in seconds, without the time before an interruption
     * @param encoder SHA-256 of the encoder file
     * @param training all settings of the training, as in the metadata of the encoder file
     */
    public record Measured(
            double accuracy,
            double finalLoss,
            long parameters,
            int dimension,
            int epochs,
            long steps,
            double seconds,
            String encoder,
            Map<String, String> training) {
        /** Copies the map. */
        public Measured {
            training = Map.copyOf(training);
        }
    }

    /** Tells whether the cell is neither done nor failed. */
    public boolean isOpen() {
        return measured == null && failure == null;
    }

    /** Returns {@code done}, {@code failed} or {@code open}. */
    public String state() {
        return measured != null ? "done" : failure != null ? "failed" : "open";
    }
}
