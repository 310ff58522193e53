// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

/** Some rows of a feature map that {@link Winograd} has split: a tensor [N, channels, rows, width]. */
record Line(String name, int channels, int rows, int width) {
    /** Returns how many of {@code height} rows are in line j of p lines. */
    static int rows(int height, int p, int j) {
        return (height - j + p - 1) / p;
    }
}
