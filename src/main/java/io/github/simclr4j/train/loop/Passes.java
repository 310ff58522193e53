package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.network.Network;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How the rows of a batch go through a network: in micro-batches, each of one or more groups with batch norm statistics of their
 * own. Rows are dealt to the groups in a random order, so that a group holds no more of an image's two views than chance gives;
 * with one group the order is kept.
 *
 * <p>Row r of the random order is in micro-batch {@code r mod micro} and in group {@code r mod groups}: whether a batch goes
 * through in one piece or in micro-batches, the groups are the same, and so are the results.
 */
public final class Passes {
    private final int micro;
    private final int groups;
    private final boolean half;
    private int draws;
    private Map<Network, Network.Statistics> statistics = new HashMap<>();
    private final Map<Network, Map<String, NDArray>> halves = new HashMap<>();
    private NDManager step;

    /**
     * @param micro number of micro-batches
     * @param groups number of groups, a multiple of {@code micro}
     * @param half run convolutions and dense layers in FLOAT16
     */
    public Passes(int micro, int groups, boolean half) {
        if (groups % micro != 0) {
            throw new IllegalArgumentException(
                    "Batch norm splits must be a multiple of the micro-batches, found " + groups + " and " + micro);
        }
        this.micro = micro;
        this.groups = groups;
        this.half = half;
    }

    /** A step begins: the manager owns what is made in it. */
    void begin(NDManager manager) {
        step = manager;
        draws = 0;
        statistics = new HashMap<>();
        halves.clear();
    }

    /** A step's weights have moved: so do the running statistics, once. */
    void end() {
        statistics.forEach(Network::move);
    }

    int micro() {
        return micro;
    }

    public int groups() {
        return groups;
    }

    /** The weights that a pass through a network uses: its own, or FLOAT16 copies that live as long as the step. */
    Map<String, NDArray> weights(Network network) {
        return half ? halves.computeIfAbsent(network, n -> n.halves(step)) : network.trained();
    }

    /** The order in which rows are dealt to the groups; a new one at each call within a step, the same in each run. */
    int[] deal(Batch batch, int rows) {
        if (groups == 1) {
            return IntStream.range(0, rows).toArray();
        }
        if (rows % groups != 0) {
            throw new IllegalArgumentException(rows + " views can't be split into " + groups + " equal groups");
        }
        return permutation(rows, new Random(batch.seed(1 + draws++)));
    }

    /** The rows of a micro-batch. */
    int[] part(int[] dealt, int number) {
        return IntStream.range(0, dealt.length / micro).map(i -> dealt[i * micro + number]).toArray();
    }

    /**
     * Embeds some rows of a batch in one piece.
     *
     * @param rows in the order dealt
     * @param count true to count their batch norm statistics
     */
    NDArray forward(Network network, Batch batch, int[] rows, boolean count, NDManager manager) {
        Network.Statistics seen =
                count ? statistics.computeIfAbsent(network, n -> new Network.Statistics(step)) : null;
        Network.Pass pass = new Network.Pass(true, groups / micro, seen, half ? weights(network) : null);
        NDArray x = batch.rows(manager, rows);
        x = x.toType(network.type(), false);
        return network.project(network.encode(x, pass), pass);
    }

    /**
     * Embeds rows of a batch by micro-batches, without gradient.
     *
     * @return projections in the order of {@code rows}, owned by the manager
     */
    public NDArray embed(Network network, Batch batch, int[] rows, NDManager manager) {
        int[] dealt = deal(batch, rows.length);
        return embed(network, batch, IntStream.of(dealt).map(i -> rows[i]).toArray(), dealt, manager);
    }

    /**
     * The same for rows that are dealt already.
     *
     * @param chosen the rows, in the order dealt
     * @param dealt their places
     * @return projections in the order of the places, owned by the manager
     */
    public NDArray embed(Network network, Batch batch, int[] chosen, int[] dealt, NDManager manager) {
        int per = chosen.length / micro;
        // One array for all, as with the statistics: nothing small is left between the activations of two micro-batches.
        NDArray all = manager.zeros(
                new Shape(chosen.length, network.head().projection(network.architecture().dimension())), network.type());
        for (int k = 0; k < micro; k++) {
            try (NDManager m = manager.newSubManager()) {
                all.set(new NDIndex("{}:{}", k * per, (k + 1) * per), forward(network, batch, part(chosen, k), true, m));
            }
        }
        return gather(all, dealt);
    }

    /** Puts the results of micro-batches, one after the other, back in the order from which they were dealt. */
    NDArray gather(NDArray parts, int[] dealt) {
        int[] place = new int[dealt.length];
        int per = dealt.length / micro;
        for (int i = 0; i < dealt.length; i++) {
            place[dealt[i]] = i % micro * per + i / micro;
        }
        return inOrder(parts, place);
    }

    /** Rows of an array in another order: row i of the result is row {@code place[i]}. Gradients pass through. */
    static NDArray inOrder(NDArray x, int[] place) {
        boolean same = x.getShape().get(0) == place.length;
        for (int i = 0; same && i < place.length; i++) {
            same = place[i] == i;
        }
        return same ? x : x.get(x.getManager().create(Arrays.stream(place).asLongStream().toArray()));
    }

    /** A random order of 0 to count - 1. */
    public static int[] permutation(int count, Random random) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
