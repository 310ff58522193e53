package io.github.simclr4j.train.study;

/** How the accuracies of a study are drawn. */
public enum Chart {
    /** A square for each cell: the first axis is the rows, the second the columns. */
    HEAT_MAP,
    /** A group of bars for each level of the first axis, one for each combination of the other axes. */
    BARS,
    /** Accuracy over the number that the levels of the first axis are, a line for each combination of the other axes. */
    LINES,
    /** Accuracy over the encoder's parameters, a line for each combination of all axes but the last. */
    PARAMETERS
}
