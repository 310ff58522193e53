package io.github.simclr4j.train.study;

import java.util.Map;

/**
 * What came of a cell.
 *
 * @param cell the cell
 * @param measured what was measured; null if it failed or is still to be done
 * @param failure why it failed; null if it did not
 */
public record CellResult(Cell cell, Measured measured, String failure) {

    /**
     * What was measured of a cell.
     *
     * @param accuracy of a linear classifier on the test images, with all labels, 0 to 1
     * @param finalLoss mean loss of the last epoch in which a step was taken; NaN if there was none
     * @param parameters trained weights of the encoder, without the projection head
     * @param dimension length of the features
     * @param epochs passes over the images
     * @param steps steps in all
     * @param seconds that the training and its evaluation took, without what was done before an interruption
     * @param encoder SHA-256 of the encoder's file
     * @param training every setting of the training, as the encoder's file has it
     */
    public record Measured(double accuracy, double finalLoss, long parameters, int dimension, int epochs, long steps,
            double seconds, String encoder, Map<String, String> training) {
        /** Copies the map. */
        public Measured {
            training = Map.copyOf(training);
        }
    }

    /** Returns whether the cell is neither done nor failed. */
    public boolean isOpen() {
        return measured == null && failure == null;
    }

    /** Returns {@code done}, {@code failed} or {@code open}. */
    public String state() {
        return measured != null ? "done" : failure != null ? "failed" : "open";
    }
}
