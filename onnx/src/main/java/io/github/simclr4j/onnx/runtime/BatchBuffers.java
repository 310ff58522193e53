// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.ConcurrentLinkedDeque;

/** A pool of pairs of direct buffers for a batch. */
final class BatchBuffers {
    private final ImageInput input;
    private final EmbeddingOutputs outputs;
    private final int batch;
    private final ConcurrentLinkedDeque<Pair> free = new ConcurrentLinkedDeque<>();

    /** Buffers for one call. */
    record Pair(ByteBuffer in, ByteBuffer out) {}

    BatchBuffers(ImageInput input, EmbeddingOutputs outputs, int batch) {
        this.input = input;
        this.outputs = outputs;
        this.batch = batch;
    }

    /**
     * Takes an unused pair, or allocates one.
     *
     * @throws IllegalStateException if there is not enough direct memory
     */
    Pair take() {
        Pair pair = free.poll();
        if (pair != null) {
            return pair;
        }
        int out = Math.toIntExact(outputs.bytes(batch));
        try {
            return new Pair(input.buffer(batch), ByteBuffer.allocateDirect(out).order(ByteOrder.nativeOrder()));
        } catch (OutOfMemoryError e) {
            throw new IllegalStateException(
                    "Not enough direct memory for a batch of " + batch + " images, "
                            + ((long) batch * input.bytes() + out) + " bytes: choose a smaller batch, or give Java more"
                            + " (-XX:MaxDirectMemorySize)",
                    e);
        }
    }

    void giveBack(Pair pair) {
        free.push(pair);
    }

    void clear() {
        free.clear();
    }
}
