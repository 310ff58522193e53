package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import java.util.Random;

/**
 * A queue of embeddings of earlier batches, each of length 1, that forgets its oldest. It starts as noise. The newest are in front of
 * its position.
 *
 * @param rows the embeddings, [size, d]
 * @param position the row that is written next, [1]
 */
record KeyQueue(NDArray rows, NDArray position) {
    /** A queue's position is kept in float32, which counts up to here without a gap. */
    static final int MOST_KEYS = 1 << 24;
    /** Numbers that the queue may have, 4 GiB of them. */
    private static final long MOST_NUMBERS = 1L << 30;

    /**
     * Makes a queue, which the context keeps as {@code queue} and {@code queue.position}.
     *
     * @param network whose type and manager the queue has
     * @param size how many embeddings
     * @param d their length
     * @throws IllegalArgumentException if that takes too much memory
     */
    static KeyQueue of(MethodContext context, Network network, int size, int d) {
        if ((long) size * d > MOST_NUMBERS) {
            throw new IllegalArgumentException("The queue's keys must take at most " + MOST_NUMBERS + " numbers, found " + size
                    + " keys of " + d + ": lower the queue or the projection");
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
            NDArray queue = Rows.normalise(scratch.create(noise, new Shape(size, d))).toType(network.type(), true);
            queue.attach(m);
            return queue;
        }
    }

    /** Returns how many embeddings there are. */
    int size() {
        return (int) rows.getShape().get(0);
    }

    /** Puts embeddings in the places of the oldest; there are no more than the queue holds. */
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
