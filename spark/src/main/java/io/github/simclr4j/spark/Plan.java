// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import java.io.Serializable;

/**
 * The settings that executors need to embed the rows of a partition.
 *
 * @param columns number of columns of the result before the embedding; the rows may have more
 * @param input index of the image column
 * @param paths whether the image column contains paths instead of the bytes of image files
 * @param name index of the column with the images' names for messages, or -1 for none
 * @param vector whether embeddings are Spark vectors instead of arrays of floats
 * @param error whether to append a column for errors
 * @param onUnreadable the policy for images that can't be read
 * @param provider the execution provider of ONNX Runtime
 * @param batch number of images per run of the encoder; 0 for a number that suits the encoder
 */
record Plan(
        int columns,
        int input,
        boolean paths,
        int name,
        boolean vector,
        boolean error,
        String onUnreadable,
        String provider,
        int batch)
        implements Serializable {
    static final String FAIL = "fail";
    static final String NULL = "null";
    static final String DROP = "drop";
}
