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
 * Multi-crop (Caron et al. 2020, <a href="https://arxiv.org/abs/2006.09882">arXiv:2006.09882</a>, section 3.3): beside its two
 * full-size views an image has S small ones, each of which is compared with both full-size views. As in the authors' code all pairs of
 * a full-size view and another view count alike: {@code L = (L of the full-size views + S * L of the small views) / (1 + S)}.
 *
 * <p>The anchors of a method with multi-crop are the full-size views, 2N, and then the small ones, S * N, view by view.
 */
final class MultiCrop {
    /** How many small views an image has. */
    static final Option<Integer> COUNT = Option.whole("multi-crop", 0, 0, 64,
            "Small views of each image beside the two of full size, each compared with these two; 0 for none",
            "6 in Caron et al. 2020, section 3.3");
    /** Their side. */
    static final Option<Integer> SIZE = Option.whole("multi-crop-size", 0, 0, 4096,
            "Side of the small views in pixels; 0 for 3/7 of the image size, or 5/8 of one up to 64",
            "96 of 224 in Caron et al. 2020, section 3.3");
    /** The smallest share of the area that one shows. */
    static final Option<Double> LEAST = Option.between("multi-crop-least", 0.05, 0.001, 1,
            "Smallest share of the area that a small view shows", "Caron et al. 2020, section 3.3");
    /** The largest share. */
    static final Option<Double> MOST = Option.between("multi-crop-most", 0.4, 0.001, 1,
            "Largest share of the area that a small view shows", "Caron et al. 2021 (DINO); 0.14 in Caron et al. 2020");
    /** The options that a method with multi-crop has. */
    static final List<Option<?>> OPTIONS = List.of(COUNT, SIZE, LEAST, MOST);

    /** Numbers of the full-size views. */
    private static final int FULL = 2;

    private MultiCrop() {}

    /** Returns those of the options that have no effect, see {@link MethodFactory#withoutEffect}. */
    static Map<Option<?>, String> withoutEffect(OptionValues values) {
        Map<Option<?>, String> none = new HashMap<>();
        if (values.get(COUNT) == 0) {
            OPTIONS.forEach(o -> none.put(o, "where multi-crop is above 0"));
        }
        return none;
    }

    /** Returns what the options say. */
    static SmallViews views(OptionValues values, int imageSize) {
        if (values.get(COUNT) == 0) {
            return SmallViews.NONE;
        }
        int size = values.get(SIZE) > 0 ? values.get(SIZE)
                : imageSize <= 64 ? Math.round(imageSize * 5 / 8f) : Math.round(imageSize * 3 / 7f);
        return new SmallViews(values.get(COUNT), size, values.get(LEAST), values.get(MOST));
    }

    /** Returns the branch of the small views, which goes through the same network as the others; null for none. */
    static Branch branch(OptionValues values, Network network, String result) {
        int count = values.get(COUNT);
        return count == 0 ? null : Branch.trained(network, result, IntStream.range(FULL, FULL + count).boxed().toArray(Integer[]::new));
    }

    /** Returns how many anchors there are of some images. */
    static int anchors(int images, Branch small) {
        return (FULL + (small == null ? 0 : small.views().size())) * images;
    }

    /**
     * Returns the share in the loss of the anchors that are asked for: a mean over anchors, in which those of full-size and those of small
     * views have the weights of the class's formula.
     *
     * @param small the branch of the small views, or null
     * @param fullSize the mean loss of the full-size anchors from one up to another
     * @param ofSmall the same of the small views, whose first has the number 0
     */
    static NDArray loss(Embeddings z, Branch small, BiFunction<Integer, Integer, NDArray> fullSize,
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
            NDArray part = weighted(ofSmall.apply(first - full, to - full), (to - first) * (FULL + s) / (1 + s) / (to - from));
            sum = sum == null ? part : sum.add(part);
        }
        return sum;
    }

    private static NDArray weighted(NDArray loss, double weight) {
        return loss.mul(Rows.number(loss, weight));
    }

    /**
     * Returns the mean cosine of some small views with both full-size views of their images.
     *
     * @param some embeddings of the small views from one on, [n, d]
     * @param from number of the first of them, of S * N
     * @param full embeddings of the full-size views, view by view, [2N, d]
     */
    static NDArray cosine(NDArray some, int from, NDArray full) {
        int n = (int) full.getShape().get(0) / FULL;
        NDArray unit = Rows.normalise(full);
        // The product with the sum of two vectors is the sum of the products.
        NDArray sums = unit.get(":" + n).add(unit.get(n + ":"));
        NDArray targets = ofImages(sums, from, (int) some.getShape().get(0));
        NDArray products = Rows.normalise(some).mul(targets).sum(new int[] {1}).mean();
        return products.mul(Rows.number(products, 1.0 / FULL));
    }

    /** Returns row {@code i mod N} for each number i from one on. */
    static NDArray ofImages(NDArray rows, int from, int count) {
        int n = (int) rows.getShape().get(0);
        NDList parts = new NDList();
        for (int i = from; i < from + count;) {
            int first = i % n;
            int end = Math.min(n, first + from + count - i);
            parts.add(rows.get(first + ":" + end));
            i += end - first;
        }
        return parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts);
    }
}
