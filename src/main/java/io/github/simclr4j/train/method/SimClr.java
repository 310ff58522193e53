package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network;
import java.util.List;

/**
 * SimCLR (Chen et al. 2020, algorithm 1): both views of every image go through one network in one batch, the two views of an
 * image are a positive pair, and all other 2N - 2 views are negatives. The loss is symmetric.
 */
final class SimClr implements Method {
    private final MethodSettings settings;
    private final Network network;
    private final int batch;

    SimClr(MethodSettings settings, Network network, int batch) {
        this.settings = settings;
        this.network = network;
        this.batch = batch;
    }

    @Override
    public List<Branch> branches() {
        return List.of(new Branch(network, 0, 1));
    }

    /** Semi-hard mining finds a negative for some anchors only, and the mean is over these. */
    @Override
    public boolean separable() {
        return !settings.loss().endsWith("-semihard");
    }

    @Override
    public Part loss(Batch batch, NDArray z, int from, int to) {
        double t = settings.temperature();
        Anchors a = new Anchors(z, from, to);
        NDArray loss = switch (settings.loss()) {
            case "nt-xent" -> Losses.ntXent(a, t);
            case "nt-logistic" -> Losses.ntLogistic(a, t, false);
            case "nt-logistic-semihard" -> Losses.ntLogistic(a, t, true);
            case "margin" -> Losses.margin(a, settings.margin(), false);
            case "margin-semihard" -> Losses.margin(a, settings.margin(), true);
            case "debiased" -> Losses.debiased(a, t, settings.classPrior());
            case "decoupled" -> Losses.decoupled(a, t);
            case "supcon" -> Losses.supCon(a, t, batch.labels());
            default -> throw new IllegalArgumentException(settings.loss());
        };
        return new Part(loss, rank(z, from, to));
    }

    /** Its matrices are as large as the loss's own, so they are freed at once. */
    private static NDArray rank(NDArray z, int from, int to) {
        try (NDManager m = z.getManager().newSubManager()) {
            NDArray fixed = z.stopGradient();
            fixed.attach(m);
            NDArray rank = Losses.rankAmongViews(new Anchors(fixed, from, to));
            rank.attach(z.getManager());
            return rank;
        }
    }

    @Override
    public double chance() {
        return switch (settings.loss()) {
            case "nt-xent", "supcon", "debiased" -> Math.log(2 * batch - 1);
            case "decoupled" -> Math.log(2 * batch - 2);
            default -> Double.NaN;
        };
    }
}
