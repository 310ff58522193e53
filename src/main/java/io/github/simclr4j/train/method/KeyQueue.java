// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import java.util.Random;

/**
 * A first-in, first-out queue of normalised embeddings of earlier batches, initialised with noise.
 *
 * @param rows the embeddings, [size, d]; the newest ones are before {@code position}
 * @param position the row that is overwritten next, [1]
 */
record KeyQueue(NDArray rows, NDArray position) {
    /** Number of images from which the published sizes are used: the queue must be small against the set. */
    static final int MANY_IMAGES = 200_000;
    /** The largest queue: its position is a float32, which is exact up to this number. */
    static final int MOST_KEYS = 1 << 24;
    /** The largest number of bytes in the queue: a checkpoint stores the size of a tensor as an int. */
    private static final int MOST_BYTES = Integer.MAX_VALUE;

    /**
     * Checks that a queue holds what a step puts into it.
     *
     * @param size number of embeddings in the queue
     * @param step number of embeddings that a step puts into it
     * @param what name of these embeddings, in the plural
     * @throws IllegalArgumentException if the queue is smaller
     */
    static void check(int size, int step, String what) {
        if (size < step) {
            throw new IllegalArgumentException(
                    "queue must hold the " + what + " of a batch, " + step + " or more, found " + size);
        }
    }

    /**
     * Creates a queue that the context saves as {@code queue} and {@code queue.position}.
     *
     * @param context context of the method
     * @param network network whose data type and manager the queue gets
     * @param size number of embeddings
     * @param d length of an embedding
     * @throws IllegalArgumentException if the queue takes too much memory
     */
    static KeyQueue of(MethodContext context, Network network, int size, int d) {
        int most = MOST_BYTES / network.type().getNumOfBytes();
        if ((long) size * d > most) {
            throw new IllegalArgumentException("The queue must hold at most " + most + " values (2 GiB), found " + size
                    + " keys of length " + d + ": lower the queue size or the projection length");
        }
        NDManager m = network.manager();
        NDArray rows = context.state("queue", noise(m, size, d, context.seed(), network));
        return new KeyQueue(rows, context.state("queue.position", m.zeros(new Shape(1))));
    }

    private static NDArray noise(NDManager m, int size, int d, long seed, Network network) {
        Random random = new Random(seed);
        float[] noise = new float[size * d];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = (float) random.nextGaussian();
        }
        try (NDManager scratch = m.newSubManager()) {
            NDArray queue =
                    Rows.normalise(scratch.create(noise, new Shape(size, d))).toType(network.type(), true);
            queue.attach(m);
            return queue;
        }
    }

    /** Returns the number of embeddings. */
    int size() {
        return (int) rows.getShape().get(0);
    }

    /** Overwrites the oldest embeddings; there must not be more keys than the queue holds. */
    void enqueue(NDArray keys) {
        int size = size();
        int at = (int) position.toFloatArray()[0];
        int n = (int) keys.getShape().get(0);
        int first = Math.min(n, size - at);
        rows.set(new NDIndex("{}:{}", at, at + first), keys.get(":" + first));
        if (first < n) {
            rows.set(new NDIndex("{}:{}", 0, n - first), keys.get(first + ":"));
        }
        position.muli(0).addi((at + n) % size);
    }
}
