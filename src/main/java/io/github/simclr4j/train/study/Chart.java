// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

/**
 * The chart of a study's accuracies.
 *
 * @since 0.1.0
 */
public enum Chart {
    /** One square per cell: the first axis gives the rows, the second the columns. */
    HEAT_MAP,
    /** One group of bars per level of the first axis, with one bar per combination of the other axes. */
    BARS,
    /** Accuracy over the numeric levels of the first axis, with one line per combination of the other axes. */
    LINES,
    /** Accuracy over the encoder's parameters, with one line per combination of all axes but the last. */
    PARAMETERS
}
