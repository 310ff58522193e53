// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

/**
 * Methods to derive the range of an activation from its values for the calibration images.
 *
 * @since 0.1.0
 */
public enum CalibrationMethod {
    /** From the smallest to the largest value. */
    MIN_MAX,
    /** Without the outermost 0.01% of the values, half of them on each side that is not 0. */
    PERCENTILE,
    /** The range with the smallest mean squared error of rounding and clipping, by a histogram of the values. */
    MSE
}
