// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Views that were rendered in advance, so that a step can be measured without rendering. */
final class MadeViews extends BatchViews {
    private final NDArray made;
    private final NDArray small;

    /**
     * Wraps views.
     *
     * @param made float32 [views * images, 3, size, size], which the caller closes
     * @param small the same for smaller views, whose indices follow, or null
     * @param images number of images
     * @param labels class of each image
     * @param seed seed of everything that is drawn once per step
     */
    MadeViews(NDArray made, NDArray small, int images, int[] labels, long seed) {
        super(null, List.of(), 0, IntStream.range(0, images).toArray(), labels, seed, seed, null);
        this.made = made;
        this.small = small;
    }

    @Override
    boolean isSmall(int view) {
        return (long) view * size() >= made.getShape().get(0);
    }

    @Override
    public NDArray rows(NDManager manager, int[] rows) {
        int full = (int) made.getShape().get(0);
        return rows[0] < full
                ? rows(made, manager, rows)
                : rows(small, manager, IntStream.of(rows).map(r -> r - full).toArray());
    }

    private static NDArray rows(NDArray made, NDManager manager, int[] rows) {
        boolean all = rows.length == made.getShape().get(0)
                && IntStream.range(0, rows.length).allMatch(i -> rows[i] == i);
        if (all) {
            return Torch.onDeviceOf(manager, made);
        }
        // Index on the device of the views, which need not be the manager's.
        try (NDManager there = made.getManager().newSubManager()) {
            NDArray some =
                    made.get(there.create(Arrays.stream(rows).asLongStream().toArray()));
            some.attach(there);
            return Torch.onDeviceOf(manager, some);
        }
    }
}
