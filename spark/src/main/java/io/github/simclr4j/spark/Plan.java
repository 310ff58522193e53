package io.github.simclr4j.spark;

import java.io.Serializable;

/**
 * How a partition's rows are embedded, as the executors need it.
 *
 * @param input index of the column with the images
 * @param paths whether it holds paths, not images
 * @param name index of the column that names an image in errors; -1 for none
 * @param vector whether embeddings are Spark's vectors, not arrays of floats
 * @param error whether a column for errors follows
 * @param onUnreadable what becomes of an image that can't be read
 * @param provider ONNX Runtime's execution provider
 * @param batch images that go through the graph at once; 0 for a number that suits the encoder
 */
record Plan(int input, boolean paths, int name, boolean vector, boolean error, String onUnreadable, String provider, int batch)
        implements Serializable {
    static final String FAIL = "fail";
    static final String NULL = "null";
    static final String DROP = "drop";
}
