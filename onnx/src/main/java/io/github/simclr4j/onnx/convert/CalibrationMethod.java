package io.github.simclr4j.onnx.convert;

/** How the range of an activation follows from what calibration images give. */
public enum CalibrationMethod {
    /** The smallest and the largest value seen. */
    MIN_MAX,
    /** Leaves out the outermost 0.01% of the values, half of them on each side that is not zero. */
    PERCENTILE,
    /** The range with the least mean squared error of rounding and clipping, over a histogram of the values. */
    MSE
}
