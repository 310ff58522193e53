package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network;
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
    public Part loss(Batch batch, NDArray z, int from, int to) {
        int[] labels = new int[to - from];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = batch.labels()[(from + i) % batch.size()];
        }
        NDArray some = z.get(from + ":" + to);
        return new Part(Losses.crossEntropy(some, labels), Losses.rankOf(some.stopGradient(), labels));
    }

    @Override
    public double chance() {
        return Math.log(network.head().projection(0));
    }
}
