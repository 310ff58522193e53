// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.network.BatchStatistics;
import io.github.simclr4j.train.network.Network;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Splits the rows of a batch into micro-batches, each of which has one or more groups with their own batch norm statistics.
 *
 * <p>Rows are distributed over the groups in random order (shuffle BN), so that the views of one image share a group only by chance.
 * With one group the order is kept.
 *
 * <p>In the random order, groups and micro-batches are contiguous. A batch therefore has the same groups, and the same results, with
 * and without micro-batches.
 */
final class MicroBatches {
    private final int micro;
    private final int groups;
    private final boolean alone;
    private int draws;
    private Map<Network, BatchStatistics> statistics = new HashMap<>();
    private NDManager step;

    /**
     * Creates a division of batches for a single thread.
     *
     * @param micro number of micro-batches
     * @param groups number of groups, a multiple of {@code micro}
     */
    MicroBatches(int micro, int groups) {
        this(micro, groups, true);
    }

    /**
     * Creates a division of batches.
     *
     * @param micro number of micro-batches
     * @param groups number of groups, a multiple of {@code micro}
     * @param alone whether no other thread renders views of the same batch
     */
    MicroBatches(int micro, int groups, boolean alone) {
        if (groups % micro != 0) {
            throw new IllegalArgumentException(
                    "Batch norm splits must be a multiple of the number of micro-batches, found " + groups + " and "
                            + micro);
        }
        this.micro = micro;
        this.groups = groups;
        this.alone = alone;
    }

    /** Begins a step, whose manager owns the tensors of the step. */
    void begin(NDManager manager) {
        step = manager;
        draws = 0;
        statistics = new HashMap<>();
    }

    /** Updates the running statistics once, after the optimizer step. */
    void end() {
        statistics.forEach(Network::move);
    }

    /**
     * Adds the statistics of copies of networks in this step.
     *
     * @param others the division of the copies' device
     * @param copies the copies by the networks whose running statistics are updated
     */
    void add(MicroBatches others, Map<Network, Network> copies) {
        copies.forEach((network, copy) -> {
            BatchStatistics seen = others.statistics.get(copy);
            if (seen != null) {
                statistics
                        .computeIfAbsent(network, n -> new BatchStatistics(step))
                        .add(seen);
            }
        });
    }

    int micro() {
        return micro;
    }

    /** Assigns rows to the groups in random order; each call within a step has its own order, which is reproducible. */
    int[] deal(BatchViews batch, int rows) {
        if (groups == 1) {
            return IntStream.range(0, rows).toArray();
        }
        if (rows % groups != 0) {
            throw new IllegalArgumentException(rows + " views cannot be split into " + groups + " equal groups");
        }
        return Seeds.permutation(rows, new Random(batch.seed(1 + draws++)));
    }

    /** Assigns the rows of a branch, which are ordered view by view, to the groups. */
    int[] deal(BatchViews batch, Branch branch) {
        return deal(batch, branch.views().size() * batch.size());
    }

    /** Returns the rows of a micro-batch. */
    int[] part(int[] dealt, int number) {
        int per = dealt.length / micro;
        return Arrays.copyOfRange(dealt, number * per, (number + 1) * per);
    }

    /**
     * Runs rows of a branch in one pass.
     *
     * @param branch the branch
     * @param batch renders the views
     * @param places indices of the rows within the branch, in the assigned order
     * @param gradients whether to record a graph
     * @param count whether to collect batch norm statistics
     * @param manager owner of the result
     * @return the branch's results, in the order of {@code places}
     */
    NDList forward(Branch branch, BatchViews batch, int[] places, boolean gradients, boolean count, NDManager manager) {
        // Only full-size views update the running statistics, because the exported encoder sees full-size images.
        BatchStatistics seen = count && !batch.isSmall(branch.views().get(0))
                ? statistics.computeIfAbsent(branch.network(), n -> new BatchStatistics(step))
                : null;
        int n = batch.size();
        int[] rows = IntStream.of(places)
                .map(p -> branch.views().get(p / n) * n + p % n)
                .toArray();
        try (NDArray x = views(batch, rows, manager)) {
            return branch.network()
                    .run(
                            x.getDataType() == DataType.FLOAT32
                                            && branch.network().type() == DataType.FLOAT64
                                    ? x.toType(DataType.FLOAT64, true)
                                    : x,
                            new Network.Pass(true, groups / micro, gradients, seen),
                            branch.results().toArray(String[]::new));
        }
    }

    /** Renders views. On the CPU they share memory that the next ones overwrite, so concurrent threads copy them. */
    private NDArray views(BatchViews batch, int[] rows, NDManager manager) {
        if (alone) {
            return batch.rows(manager, rows);
        }
        synchronized (batch) {
            NDArray x = batch.rows(manager, rows);
            if (manager.getDevice().isGpu()) {
                return x;
            }
            try (x) {
                return x.duplicate();
            }
        }
    }

    /**
     * Embeds some micro-batches of a branch, without gradient.
     *
     * @param branch the branch
     * @param batch renders the views
     * @param dealt rows in the assigned order
     * @param from index of the first micro-batch, inclusive
     * @param to index after the last micro-batch, exclusive
     * @param manager owner of the result
     * @return the branch's results, in the assigned order
     */
    NDList embed(Branch branch, BatchViews batch, int[] dealt, int from, int to, NDManager manager) {
        NDList all = new NDList();
        for (int k = from; k < to; k++) {
            try (NDManager m = manager.newSubManager()) {
                NDList some = forward(branch, batch, part(dealt, k), false, true, m);
                for (int r = 0; r < some.size(); r++) {
                    // One array for all micro-batches avoids fragmenting the memory between their activations.
                    if (k == from) {
                        all.add(manager.zeros(
                                        some.get(r).getShape(), some.get(r).getDataType())
                                .repeat(0, to - from));
                    }
                    int per = dealt.length / micro;
                    all.get(r).set(new NDIndex("{}:{}", (k - from) * per, (k - from + 1) * per), some.get(r));
                }
            }
        }
        return all;
    }

    /** Restores the order of the rows of results in the assigned order. Gradients pass through. */
    static NDList gather(NDList results, int[] dealt) {
        int[] place = new int[dealt.length];
        for (int i = 0; i < dealt.length; i++) {
            place[dealt[i]] = i;
        }
        NDList ordered = new NDList();
        results.forEach(r -> ordered.add(inOrder(r, place)));
        return ordered;
    }

    /** Reorders the rows of an array: row i of the result is row {@code place[i]}. Gradients pass through. */
    static NDArray inOrder(NDArray x, int[] place) {
        boolean same = x.getShape().get(0) == place.length;
        for (int i = 0; same && i < place.length; i++) {
            same = place[i] == i;
        }
        return same
                ? x
                : x.get(x.getManager()
                        .create(Arrays.stream(place).asLongStream().toArray()));
    }

    /** Returns the concatenation of scalars or vectors. */
    static NDArray together(NDList parts) {
        return parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
    }
}
