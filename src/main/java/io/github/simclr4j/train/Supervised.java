package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import java.util.List;

/**
 * Supervised training of the same encoder on the same views: the head is a linear classifier, and the loss is the cross entropy
 * of both views of an image with its label. What the others are compared with, and what fine-tunes an encoder.
 */
final class Supervised implements Method {
    private final Network network;

    Supervised(Network network) {
        this.network = network;
    }

    @Override
    public List<Branch> branches() {
        return List.of(new Branch(network, 0, 1));
    }

    @Override
    public Outcome loss(Batch batch, NDArray z) {
        int n = batch.size();
        int[] twice = new int[2 * n];
        System.arraycopy(batch.labels(), 0, twice, 0, n);
        System.arraycopy(batch.labels(), 0, twice, n, n);
        NDArray fixed = z.stopGradient();
        return new Outcome(Losses.crossEntropy(z, twice), Losses.rankOf(fixed, twice),
                fixed.get(":" + n), fixed.get(n + ":"));
    }

    @Override
    public double chance() {
        return Math.log(network.head().projection(0));
    }
}
