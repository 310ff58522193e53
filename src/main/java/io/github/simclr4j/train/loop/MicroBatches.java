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
 * How the rows of a batch go through a network: in micro-batches, each of one or more groups with batch norm statistics of their
 * own. Rows are dealt to the groups in a random order, so that a group holds no more of an image's views than chance gives; with
 * one group the order is kept.
 *
 * <p>In the random order the rows of a group stand together, and the groups of a micro-batch do: whether a batch goes through in one
 * piece or in micro-batches, the groups are the same, and so are the results.
 */
final class MicroBatches {
    private final int micro;
    private final int groups;
    private final boolean alone;
    private int draws;
    private Map<Network, BatchStatistics> statistics = new HashMap<>();
    private NDManager step;

    /**
     * Divides batches.
     *
     * @param micro number of micro-batches
     * @param groups number of groups, a multiple of {@code micro}
     */
    MicroBatches(int micro, int groups) {
        this(micro, groups, true);
    }

    /**
     * Divides batches.
     *
     * @param micro number of micro-batches
     * @param groups number of groups, a multiple of {@code micro}
     * @param alone whether no other thread makes views of the same batch
     */
    MicroBatches(int micro, int groups, boolean alone) {
        if (groups % micro != 0) {
            throw new IllegalArgumentException(
                    "Batch norm splits must be a multiple of the micro-batches, found " + groups + " and " + micro);
        }
        this.micro = micro;
        this.groups = groups;
        this.alone = alone;
    }

    /** Begins a step, whose manager owns what is made in it. */
    void begin(NDManager manager) {
        step = manager;
        draws = 0;
        statistics = new HashMap<>();
    }

    /** Moves the running statistics once, after the weights of a step have moved. */
    void end() {
        statistics.forEach(Network::move);
    }

    /**
     * Adds the statistics that copies of a network saw in this step.
     *
     * @param copies by the networks whose running statistics are moved
     */
    void add(MicroBatches others, Map<Network, Network> copies) {
        copies.forEach((network, copy) -> {
            BatchStatistics seen = others.statistics.get(copy);
            if (seen != null) {
                statistics.computeIfAbsent(network, n -> new BatchStatistics(step)).add(seen);
            }
        });
    }

    int micro() {
        return micro;
    }

    /** Deals rows to the groups in another order at each call within a step, which is the same in each run. */
    int[] deal(BatchViews batch, int rows) {
        if (groups == 1) {
            return IntStream.range(0, rows).toArray();
        }
        if (rows % groups != 0) {
            throw new IllegalArgumentException(rows + " views can't be split into " + groups + " equal groups");
        }
        return Seeds.permutation(rows, new Random(batch.seed(1 + draws++)));
    }

    /** Deals the rows of a branch, which are numbered view by view. */
    int[] deal(BatchViews batch, Branch branch) {
        return deal(batch, branch.views().size() * batch.size());
    }

    /** Returns the rows of a micro-batch. */
    int[] part(int[] dealt, int number) {
        int per = dealt.length / micro;
        return Arrays.copyOfRange(dealt, number * per, (number + 1) * per);
    }

    /**
     * Runs some rows of a branch in one piece.
     *
     * @param places of the rows within the branch, in the order dealt
     * @param gradients whether a graph is kept
     * @param count whether to count their batch norm statistics
     * @return the branch's results, in the order of the places
     */
    NDList forward(Branch branch, BatchViews batch, int[] places, boolean gradients, boolean count, NDManager manager) {
        // The exported encoder sees images of full size, so the running statistics are those of these alone.
        BatchStatistics seen = count && !batch.isSmall(branch.views().get(0)) ? statistics.computeIfAbsent(branch.network(), n -> new BatchStatistics(step)) : null;
        int n = batch.size();
        int[] rows = IntStream.of(places).map(p -> branch.views().get(p / n) * n + p % n).toArray();
        try (NDArray x = views(batch, rows, manager)) {
            return branch.network().run(x.getDataType() == DataType.FLOAT32 && branch.network().type() == DataType.FLOAT64
                            ? x.toType(DataType.FLOAT64, true) : x,
                    new Network.Pass(true, groups / micro, gradients, seen), branch.results().toArray(String[]::new));
        }
    }

    /** Views on the CPU lie in memory that the next ones take, so what threads make at the same time is copied. */
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
     * @param from the first
     * @param to the one after the last
     * @return the branch's results, in the order dealt, owned by the manager
     */
    NDList embed(Branch branch, BatchViews batch, int[] dealt, int from, int to, NDManager manager) {
        NDList all = new NDList();
        for (int k = from; k < to; k++) {
            try (NDManager m = manager.newSubManager()) {
                NDList some = forward(branch, batch, part(dealt, k), false, true, m);
                for (int r = 0; r < some.size(); r++) {
                    // One array for all micro-batches: nothing small is left between the activations of two of them.
                    if (k == from) {
                        all.add(manager.zeros(some.get(r).getShape(), some.get(r).getDataType()).repeat(0, to - from));
                    }
                    int per = dealt.length / micro;
                    all.get(r).set(new NDIndex("{}:{}", (k - from) * per, (k - from + 1) * per), some.get(r));
                }
            }
        }
        return all;
    }

    /** Puts results that stand in the order dealt back in the order of the rows. Gradients pass through. */
    static NDList gather(NDList results, int[] dealt) {
        int[] place = new int[dealt.length];
        for (int i = 0; i < dealt.length; i++) {
            place[dealt[i]] = i;
        }
        NDList ordered = new NDList();
        results.forEach(r -> ordered.add(inOrder(r, place)));
        return ordered;
    }

    /** Returns rows of an array in another order: row i of the result is row {@code place[i]}. Gradients pass through. */
    static NDArray inOrder(NDArray x, int[] place) {
        boolean same = x.getShape().get(0) == place.length;
        for (int i = 0; same && i < place.length; i++) {
            same = place[i] == i;
        }
        return same ? x : x.get(x.getManager().create(Arrays.stream(place).asLongStream().toArray()));
    }

    /** Returns the concatenation of scalars or vectors, or the only one. */
    static NDArray together(NDList parts) {
        return parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
    }
}
