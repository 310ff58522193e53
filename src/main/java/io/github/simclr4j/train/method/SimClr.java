// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.SmallAnchors;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * SimCLR (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, algorithm 1).
 *
 * <p>Both views of every image go through one network in one batch. The two views of an image are a positive pair, and the
 * other 2N - 2 views of the batch are negatives. The loss is symmetric.
 *
 * @since 0.1.0
 */
public final class SimClr implements MethodFactory {
    /** The losses; {@link Losses} has their formulas. */
    public static final Option<String> LOSS = Option.choice(
            "loss",
            List.of(
                    "nt-xent",
                    "nt-logistic",
                    "nt-logistic-semihard",
                    "margin",
                    "margin-semihard",
                    "debiased",
                    "decoupled",
                    "supcon"),
            "The loss: NT-Xent, NT-Logistic and margin triplet, the last two"
                    + " also with semi-hard negatives, debiased (Chuang 2020), decoupled (Yeh 2022), or supcon (Khosla 2020, needs labels)",
            "Chen et al. 2020, equation 1 and table 4");
    /** Temperature of the loss. */
    public static final Option<Double> TEMPERATURE =
            Option.above("temperature", 0.2, 0, "Temperature of the loss", "of 0.1 to 1 in Chen et al. 2020, table 5");
    /** Margin of the margin losses. */
    public static final Option<Double> MARGIN =
            Option.atLeast("margin", 0.8, 0, "Margin of the margin losses", "Chen et al. 2020, table 2");
    /** Share of the negatives that belongs to the anchor's class. */
    public static final Option<Double> CLASS_PRIOR = Option.below(
            "class-prior",
            0.1,
            0,
            1,
            "Share of the negatives that the debiased loss assumes to belong to the anchor's class",
            "Chuang et al. 2020, for ten classes");
    /** Whether projections are compared without normalisation. */
    public static final Option<Boolean> DOT_PRODUCT = Option.flag(
            "dot-product",
            "Compare projections in NT-Xent by their dot"
                    + " product, without normalisation; this needs a far higher temperature",
            "Chen et al. 2020, table 5");

    @Override
    public String name() {
        return "simclr";
    }

    @Override
    public String summary() {
        return "The two views of an image are a positive pair, all other views of the batch are negatives";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2002.05709";
    }

    @Override
    public String publishedOptimizer() {
        return "lars";
    }

    @Override
    public List<Option<?>> options() {
        List<Option<?>> all = new ArrayList<>(List.of(LOSS, TEMPERATURE, MARGIN, CLASS_PRIOR, DOT_PRODUCT));
        all.addAll(MultiCrop.OPTIONS);
        return all;
    }

    @Override
    public SmallViews smallViews(OptionValues values, int imageSize) {
        return MultiCrop.views(values, imageSize);
    }

    @Override
    public void check(OptionValues values, Defaults run) {
        if (values.get(MultiCrop.COUNT) > 0 && !values.get(LOSS).equals("nt-xent")) {
            throw new IllegalArgumentException("multi-crop requires the loss nt-xent, found " + values.get(LOSS));
        }
        if (values.get(DOT_PRODUCT) && values.get(MultiCrop.COUNT) > 0) {
            throw new IllegalArgumentException(
                    "multi-crop uses cosine similarity and cannot be combined with dot-product");
        }
    }

    @Override
    public Map<Option<?>, String> withoutEffect(OptionValues values) {
        Map<Option<?>, String> none = MultiCrop.withoutEffect(values);
        String loss = values.get(LOSS);
        if (loss.startsWith("margin")) {
            none.put(TEMPERATURE, "where the loss is neither margin nor margin-semihard");
        } else {
            none.put(MARGIN, "where the loss is margin or margin-semihard");
        }
        if (!loss.equals("nt-xent")) {
            none.put(DOT_PRODUCT, "where the loss is nt-xent");
        }
        if (!loss.equals("debiased")) {
            none.put(CLASS_PRIOR, "where the loss is debiased");
        }
        return none;
    }

    @Override
    public boolean needsLabels(OptionValues values) {
        return values.get(LOSS).equals("supcon");
    }

    @Override
    public Method create(MethodContext context) {
        OptionValues o = context.options();
        Network network = context.train(context.encoder());
        Branch both = Branch.trained(network, ProjectionHead.PROJECTION, 0, 1);
        return new Pairs(
                both,
                MultiCrop.branch(o, network, ProjectionHead.PROJECTION),
                o.get(LOSS),
                o.get(TEMPERATURE),
                o.get(MARGIN),
                o.get(CLASS_PRIOR),
                o.get(DOT_PRODUCT),
                context.batch());
    }

    private record Pairs(
            Branch both,
            Branch small,
            String loss,
            double temperature,
            double margin,
            double prior,
            boolean dotProduct,
            int batch)
            implements Method {
        @Override
        public List<Branch> branches() {
            return small == null ? List.of(both) : List.of(both, small);
        }

        /** Returns 0 with semi-hard mining, because its loss is a mean over those anchors only that have a semi-hard negative. */
        @Override
        public int anchors(int images) {
            return loss.endsWith("-semihard") ? 0 : MultiCrop.anchors(images, small);
        }

        @Override
        public Loss loss(Embeddings z) {
            if (small != null) {
                return withSmallViews(z);
            }
            Anchors a = anchors(z.size()) == 0 ? Anchors.all(z.of(both)) : new Anchors(z.of(both), z.from(), z.to());
            NDArray value = switch (loss) {
                case "nt-xent" -> Losses.ntXent(dotProduct ? a.byDotProduct() : a, temperature);
                case "nt-logistic" -> Losses.ntLogistic(a, temperature, false);
                case "nt-logistic-semihard" -> Losses.ntLogistic(a, temperature, true);
                case "margin" -> Losses.margin(a, margin, false);
                case "margin-semihard" -> Losses.margin(a, margin, true);
                case "debiased" -> Losses.debiased(a, temperature, prior);
                case "decoupled" -> Losses.decoupled(a, temperature);
                case "supcon" -> Losses.supCon(a, temperature, z.labels());
                default -> throw new IllegalArgumentException(loss);
            };
            return Loss.of(value, rank(a));
        }

        private Loss withSmallViews(Embeddings z) {
            NDList ranks = new NDList();
            NDArray value = MultiCrop.loss(
                    z,
                    small,
                    (from, to) -> {
                        Anchors a = new Anchors(z.of(both), from, to);
                        ranks.add(rank(a));
                        return Losses.ntXent(a, temperature);
                    },
                    (from, to) -> {
                        SmallAnchors a = new SmallAnchors(z.of(small).get(from + ":" + to), z.of(both), from);
                        ranks.add(a.rank());
                        return a.crossEntropy(temperature);
                    });
            return Loss.of(value, ranks.size() == 1 ? ranks.get(0) : NDArrays.concat(ranks));
        }

        /** Returns the ranks; their matrices are as large as those of the loss, so they are freed at once. */
        private static NDArray rank(Anchors a) {
            try (NDManager m = a.z().getManager().newSubManager()) {
                NDArray fixed = a.z().stopGradient();
                fixed.attach(m);
                NDArray rank = Losses.rankAmongViews(new Anchors(fixed, a.from(), a.to()));
                rank.attach(a.z().getManager());
                return rank;
            }
        }

        /** Returns the loss of guessing; a small view also has 2N - 1 candidates, because one full-size view of its image is left out. */
        @Override
        public double lossAtCollapse() {
            return switch (loss) {
                case "nt-xent", "supcon", "debiased" -> Math.log(2 * batch - 1);
                case "decoupled" -> Math.log(2 * batch - 2);
                default -> Double.NaN;
            };
        }
    }
}
