package io.github.simclr4j.onnx.runtime;

/** Some rows of a map that {@link Winograd} has split: a tensor [N, channels, rows, width]. */
record Line(String name, int channels, int rows, int width) {
    /** How many of {@code height} rows are in line j of p. */
    static int rows(int height, int p, int j) {
        return (height - j + p - 1) / p;
    }
}
