package io.github.simclr4j.train.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.augment.ViewRequest;
import java.nio.ByteBuffer;
import java.util.List;

/** Makes views as a tensor. */
public final class ViewBatch {
    private ViewBatch() {}

    /**
     * Makes views of one size.
     *
     * @param requests at least one
     * @param pool makes them
     * @return float32 [requests, 3, size, size] in [0, 1], owned by the manager; on the CPU it lies in the pool's memory, and the
     *     next batch takes its place
     * @throws IllegalArgumentException if they take more than 2 GB
     */
    public static NDArray of(List<ViewRequest> requests, ViewPool pool, NDManager manager) {
        int size = requests.get(0).generator().size();
        long bytes = (long) requests.size() * requests.get(0).generator().values() * Float.BYTES;
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(requests.size() + " views of " + size + "x" + size
                    + " pixels are more than 2 GB: let fewer go through the network at once by a smaller micro-batch");
        }
        ByteBuffer buffer = pool.memory((int) bytes);
        pool.make(requests, buffer.asFloatBuffer());
        return manager.create(buffer.rewind(), new Shape(requests.size(), 3, size, size), DataType.FLOAT32);
    }
}
