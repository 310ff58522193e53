// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * Multi-crop (Caron et al. 2020, <a href="https://arxiv.org/abs/2006.09882">arXiv:2006.09882</a>, section 3.3).
 *
 * <p>In addition to two full-size views, an image has S small views, each of which is compared with both full-size views. As in
 * the authors' code, all pairs of a full-size view and another view have equal weight:
 * {@code L = (L of the full-size views + S * L of the small views) / (1 + S)}.
 *
 * <p>The anchors of a method with multi-crop are the 2N full-size views, then the S * N small ones, view by view.
 */
final class MultiCrop {
    /** Number of small views per image. */
    static final Option<Integer> COUNT = Option.whole(
            "multi-crop",
            0,
            0,
            64,
            "Small views per image in addition to the two full-size views, each compared with these two; 0 for none",
            "6 in Caron et al. 2020, section 3.3");
    /** Side of the small views. */
    static final Option<Integer> SIZE = Option.whole(
            "multi-crop-size",
            0,
            0,
            4096,
            "Side of the small views in pixels; 0 for 3/7 of the image size, or 5/8 of an image size up to 64",
            "96 of 224 in Caron et al. 2020, section 3.3");
    /** Smallest share of the image's area in a small view. */
    static final Option<Double> LEAST = Option.between(
            "multi-crop-least",
            0.05,
            0.001,
            1,
            "Smallest share of the image's area in a small view",
            "Caron et al. 2020, section 3.3");
    /** Largest share of the image's area in a small view. */
    static final Option<Double> MOST = Option.between(
            "multi-crop-most",
            0.4,
            0.001,
            1,
            "Largest share of the image's area in a small view",
            "Caron et al. 2021 (DINO); 0.14 in Caron et al. 2020");
    /** The options that describe the small views. */
    private static final List<Option<?>> OF_VIEWS = List.of(SIZE, LEAST, MOST);
    /** The options of a method with multi-crop. */
    static final List<Option<?>> OPTIONS = List.of(COUNT, SIZE, LEAST, MOST);

    /** Number of full-size views. */
    private static final int FULL = 2;

    private MultiCrop() {}

    /** Returns the options that have no effect, see {@link MethodFactory#withoutEffect}. */
    static Map<Option<?>, String> withoutEffect(OptionValues values) {
        Map<Option<?>, String> none = new HashMap<>();
        if (values.get(COUNT) == 0) {
            OF_VIEWS.forEach(o -> none.put(o, "where multi-crop is above 0"));
        }
        return none;
    }

    /** Returns the small views that the options describe. */
    static SmallViews views(OptionValues values, int imageSize) {
        if (values.get(COUNT) == 0) {
            return SmallViews.NONE;
        }
        int size = values.get(SIZE) > 0
                ? values.get(SIZE)
                : imageSize <= 64 ? Math.round(imageSize * 5 / 8f) : Math.round(imageSize * 3 / 7f);
        return new SmallViews(values.get(COUNT), size, values.get(LEAST), values.get(MOST));
    }

    /** Returns the branch of the small views, which uses the same network as the full-size ones; null for none. */
    static Branch branch(OptionValues values, Network network, String result) {
        int count = values.get(COUNT);
        return count == 0
                ? null
                : Branch.trained(
                        network,
                        result,
                        IntStream.range(FULL, FULL + count).boxed().toArray(Integer[]::new));
    }

    /** Returns the number of anchors of a number of images. */
    static int anchors(int images, Branch small) {
        return (FULL + (small == null ? 0 : small.views().size())) * images;
    }

    /**
     * Returns the loss of the requested anchors: a mean over anchors in which full-size and small views have the weights of the
     * formula above.
     *
     * @param z embeddings of the batch
     * @param small branch of the small views, or null
     * @param fullSize mean loss of a range of full-size anchors
     * @param ofSmall mean loss of a range of small views, counted from 0
     */
    static NDArray loss(
            Embeddings z,
            Branch small,
            BiFunction<Integer, Integer, NDArray> fullSize,
            BiFunction<Integer, Integer, NDArray> ofSmall) {
        int full = FULL * z.size();
        int from = z.from();
        int to = z.to();
        if (small == null) {
            return fullSize.apply(from, to);
        }
        double s = small.views().size();
        NDArray sum = null;
        if (from < full) {
            int end = Math.min(to, full);
            sum = weighted(fullSize.apply(from, end), (end - from) * (FULL + s) / FULL / (1 + s) / (to - from));
        }
        if (to > full) {
            int first = Math.max(from, full);
            NDArray part =
                    weighted(ofSmall.apply(first - full, to - full), (to - first) * (FULL + s) / (1 + s) / (to - from));
            sum = sum == null ? part : sum.add(part);
        }
        return sum;
    }

    private static NDArray weighted(NDArray loss, double weight) {
        return loss.mul(Rows.number(loss, weight));
    }

    /**
     * Returns the mean cosine similarity of small views to both full-size views of their images.
     *
     * @param some embeddings of consecutive small views, [n, d]
     * @param from index of the first of them among all S * N
     * @param full embeddings of the full-size views, view by view, [2N, d]
     */
    static NDArray cosine(NDArray some, int from, NDArray full) {
        int n = (int) full.getShape().get(0) / FULL;
        NDArray unit = Rows.normalise(full);
        // The dot product with the sum of two vectors is the sum of the dot products.
        NDArray sums = unit.get(":" + n).add(unit.get(n + ":"));
        NDArray targets = ofImages(sums, from, (int) some.getShape().get(0));
        NDArray products = Rows.normalise(some).mul(targets).sum(new int[] {1}).mean();
        return products.mul(Rows.number(products, 1.0 / FULL));
    }

    /** Returns rows {@code i mod N} for {@code count} consecutive indices i. */
    static NDArray ofImages(NDArray rows, int from, int count) {
        int n = (int) rows.getShape().get(0);
        NDList parts = new NDList();
        for (int i = from; i < from + count; ) {
            int first = i % n;
            int end = Math.min(n, first + from + count - i);
            parts.add(rows.get(first + ":" + end));
            i += end - first;
        }
        return parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
    }
}
