// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.augment.ViewRequest;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.data.StreamedImages;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.ViewBatch;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Weighted k-nearest-neighbour accuracy of features (<a href="https://arxiv.org/abs/1805.01978">Wu et al. 2018</a>, section 3.4).
 *
 * <p>The k = 200 images with the largest cosine similarity vote for their class with weight {@code exp(cosine / t)}, t = 0.1. No
 * classifier is trained, so it is cheap enough to monitor during training.
 *
 * @since 0.1.0
 */
public final class Knn {
    private static final int K = 200;
    private static final double T = 0.1;
    private static final int BATCH = 256;
    /** Number of pixel values of the images that are embedded at once: those of 256 images of about 300 pixels. */
    private static final int MOST_VALUES = 1 << 26;

    private Knn() {}

    /**
     * Returns the accuracy of a network's features on labelled images.
     *
     * @param network the network
     * @param resize gives images the form that the network takes, without augmenting them
     * @param bank images that vote
     * @param test images to classify, or null to classify each image of the bank by the others
     * @param pool resizes the images
     * @return 0 to 1
     * @throws IOException if an image cannot be read
     * @throws InterruptedIOException if the thread is interrupted; its interrupt status stays set
     */
    public static double accuracy(
            Network network, ViewGenerator resize, TrainingImages bank, TrainingImages test, ViewPool pool)
            throws IOException {
        Torch.noGradient();
        try (NDManager m = network.manager().newSubManager()) {
            Features known = features(network, resize, bank, m, pool);
            Features asked = test == null ? known : features(network, resize, test, m, pool);
            // Each set has its own indices of classes.
            int[] expected = test == null
                    ? known.labels()
                    : IntStream.of(asked.labels())
                            .map(l -> bank.classes().indexOf(test.classes().get(l)))
                            .toArray();
            return accuracy(known.rows(), known.labels(), bank.classes().size(), asked.rows(), expected, test == null);
        }
    }

    /**
     * Checks that the images that vote have all classes of the images to classify.
     *
     * @throws IOException if a class is missing
     */
    public static void check(TrainingImages bank, TrainingImages test) throws IOException {
        List<String> strange =
                test.classes().stream().filter(c -> !bank.classes().contains(c)).toList();
        if (!strange.isEmpty()) {
            throw new IOException("The neighbours lack images of class " + String.join(", ", strange)
                    + ": they only have the classes " + String.join(", ", bank.classes()));
        }
    }

    /** Normalised features and the classes of their images. */
    private record Features(NDArray rows, int[] labels) {}

    private static Features features(
            Network network, ViewGenerator resize, TrainingImages images, NDManager manager, ViewPool pool)
            throws IOException {
        NDList all = new NDList();
        int[] labels = new int[images.count()];
        int[] order = IntStream.range(0, labels.length).toArray();
        // The buffer of a stream is sized for its own batches.
        int most = batch(resize);
        int batch = images instanceof StreamedImages s ? Math.min(most, s.batch()) : most;
        int whole = order.length / batch * batch;
        try (BatchLoader loader = BatchLoader.of(images)) {
            for (int from = 0; from < order.length; from += batch) {
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted while images were classified by their neighbours");
                }
                int n = Math.min(batch, order.length - from);
                if (from == 0 || from == whole) {
                    // A pass has one batch size, so the remainder needs its own pass.
                    loader.begin(Arrays.copyOfRange(order, from, n < batch ? order.length : whole), n, 0);
                }
                int[] which = loader.next();
                List<ViewRequest> requests = new ArrayList<>();
                for (int i = 0; i < n; i++) {
                    labels[from + i] = images.labels()[which[i]];
                    requests.add(new ViewRequest(resize, loader.pixels(i), loader.side(), 0));
                }
                try (NDManager m = manager.newSubManager()) {
                    NDArray x = ViewBatch.of(requests, pool, m);
                    NDArray h = Rows.normalise(
                            network.run(x.toType(network.type(), false), Network.Pass.EVALUATION, LayerGraph.FEATURES)
                                    .get(0));
                    h.attach(manager);
                    all.add(h);
                }
            }
        }
        return new Features(NDArrays.concat(all), labels);
    }

    /** Returns the number of images that are embedded at once. */
    static int batch(ViewGenerator resize) {
        return Math.max(1, Math.min(BATCH, MOST_VALUES / resize.values()));
    }

    /**
     * Returns the accuracy on features.
     *
     * @param known features that vote, [n, d], rows normalised
     * @param labels classes of {@code known}, [n]
     * @param classes number of classes
     * @param asked features to classify, [m, d], rows normalised
     * @param expected classes of {@code asked}, [m]
     * @param others whether {@code asked} equals {@code known}, so that a row must not vote for itself
     * @return 0 to 1
     */
    public static double accuracy(
            NDArray known, int[] labels, int classes, NDArray asked, int[] expected, boolean others) {
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
                    NDArray own =
                            m.arange(from, to).toType(DataType.INT64, false).oneHot(n);
                    cosines = cosines.sub(own.mul(4));
                }
                NDList top = cosines.topK(k, 1, true, false);
                NDArray weights = top.get(0).div(T).exp();
                NDArray classOf = votes.get(top.get(1).reshape(-1)).reshape(new Shape(to - from, k, classes));
                classOf.attach(m);
                long[] best = weights.expandDims(2)
                        .mul(classOf)
                        .sum(new int[] {1})
                        .argMax(1)
                        .toLongArray();
                for (int i = 0; i < best.length; i++) {
                    right += best[i] == expected[from + i] ? 1 : 0;
                }
            }
        }
        return (double) right / expected.length;
    }
}
