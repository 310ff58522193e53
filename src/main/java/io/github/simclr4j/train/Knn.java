package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Weighted k-nearest-neighbour accuracy of features (Wu et al. 2018, section 3.4): the k images with the largest cosines vote for
 * their class with weight {@code exp(cosine / t)}; k = 200, t = 0.1. No classifier is trained, so that it can be watched.
 */
final class Knn {
    private static final int K = 200;
    private static final double T = 0.1;
    private static final int BATCH = 256;

    private Knn() {}

    /**
     * Accuracy on some labelled images.
     *
     * @param bank images that vote
     * @param test images to be classified, or null for those of the bank, each by all others
     * @return 0 to 1
     */
    static double accuracy(Network network, int imageSize, TrainingImages bank, TrainingImages test) throws IOException {
        Torch.noGradient();
        try (NDManager m = network.manager().newSubManager()) {
            NDArray known = features(network, imageSize, bank, m);
            NDArray asked = test == null ? known : features(network, imageSize, test, m);
            int[] labels = test == null ? bank.labels() : test.labels();
            return accuracy(known, bank.labels(), bank.classes().size(), asked, labels, test == null);
        }
    }

    /** Features of all images, each of length 1. */
    private static NDArray features(Network network, int imageSize, TrainingImages images, NDManager manager)
            throws IOException {
        NDList all = new NDList();
        int[] order = IntStream.range(0, images.count()).toArray();
        try (Feed feed = Feed.of(images, manager)) {
            Views resize = new Views(Composition.of("none"), imageSize);
            for (int from = 0; from < order.length; from += BATCH) {
                int n = Math.min(BATCH, order.length - from);
                feed.begin(Arrays.copyOfRange(order, from, from + n), n, 0);
                feed.next();
                try (NDManager m = manager.newSubManager()) {
                    NDArray x = resize.view(feed.images(m, IntStream.range(0, n).toArray()), new long[n]);
                    NDArray h = Losses.normalise(network.encode(
                            x.toType(network.type(), false), Network.Pass.EVALUATION));
                    h.attach(manager);
                    all.add(h);
                }
            }
        }
        return NDArrays.concat(all);
    }

    /**
     * The same on features.
     *
     * @param known [n, d], rows of length 1
     * @param asked [m, d], likewise
     * @param others true if asked is known, and a row must not vote for itself
     */
    static double accuracy(NDArray known, int[] labels, int classes, NDArray asked, int[] expected, boolean others) {
        int n = labels.length;
        int k = Math.min(K, others ? n - 1 : n);
        int right = 0;
        NDManager manager = known.getManager();
        NDArray votes = manager.create(labels).oneHot(classes);
        for (int from = 0; from < expected.length; from += BATCH) {
            int to = Math.min(expected.length, from + BATCH);
            try (NDManager m = manager.newSubManager()) {
                NDArray some = asked.get(from + ":" + to);
                some.attach(m);
                NDArray columns = known.transpose();
                columns.attach(m);
                NDArray cosines = some.matMul(columns);
                if (others) {
                    NDArray own = m.arange(from, to).toType(DataType.INT64, false).oneHot(n);
                    cosines = cosines.sub(own.mul(4));
                }
                NDList top = cosines.topK(k, 1, true, false);
                NDArray weights = top.get(0).div(T).exp();
                NDArray classOf = votes.get(top.get(1).reshape(-1)).reshape(new Shape(to - from, k, classes));
                classOf.attach(m);
                long[] best = weights.expandDims(2).mul(classOf).sum(new int[] {1}).argMax(1).toLongArray();
                for (int i = 0; i < best.length; i++) {
                    right += best[i] == expected[from + i] ? 1 : 0;
                }
            }
        }
        return (double) right / expected.length;
    }
}
