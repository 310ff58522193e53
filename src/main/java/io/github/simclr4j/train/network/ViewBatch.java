// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.augment.ViewRequest;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Renders views into a tensor.
 *
 * @since 0.1.0
 */
public final class ViewBatch {
    private ViewBatch() {}

    /**
     * Renders views of one size.
     *
     * @param requests at least one request
     * @param pool renders the views
     * @param manager owner of the result
     * @return float32 [requests, 3, size, size] in [0, 1]; on the CPU it uses the pool's memory, which the next batch overwrites
     * @throws IllegalArgumentException if the views take more than 2 GB
     */
    public static NDArray of(List<ViewRequest> requests, ViewPool pool, NDManager manager) {
        int size = requests.get(0).generator().size();
        long bytes = (long) requests.size() * requests.get(0).generator().values() * Float.BYTES;
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(requests.size() + " views of " + size + "x" + size
                    + " pixels take more than 2 GB: use a smaller micro-batch");
        }
        ByteBuffer buffer = pool.memory((int) bytes);
        pool.make(requests, buffer.asFloatBuffer());
        return manager.create(buffer.rewind(), new Shape(requests.size(), 3, size, size), DataType.FLOAT32);
    }
}
