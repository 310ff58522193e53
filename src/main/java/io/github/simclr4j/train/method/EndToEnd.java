package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network;
import java.util.List;

/**
 * End to end (He et al. 2020, section 3.2 and figure 2a): the first views are queries and the second ones keys, each with an
 * encoder of its own; the two start equal and both get gradients. A query's negatives are the keys of the batch's other images,
 * so there are as many as the batch is large. The baseline that MoCo is compared with.
 */
final class EndToEnd implements Method {
    private final double temperature;
    private final int batch;
    private final Network query;
    private final Network key;

    EndToEnd(MethodSettings settings, Network query, int batch) {
        this.temperature = settings.temperature();
        this.batch = batch;
        this.query = query;
        key = query.copy();
    }

    @Override
    public List<Branch> branches() {
        return List.of(new Branch(query, 0), new Branch(key, 1));
    }

    /** The queries. */
    @Override
    public int anchors(NDArray z) {
        return (int) z.getShape().get(0) / 2;
    }

    @Override
    public Part loss(Batch batch, NDArray z, int from, int to) {
        NDArray logits = Losses.queryKeyLogits(z, temperature, from, to);
        return new Part(Losses.crossEntropyOfDiagonal(logits, from), Losses.rankOfDiagonal(logits.stopGradient(), from));
    }

    @Override
    public double chance() {
        return Math.log(batch);
    }

    @Override
    public void close() {
        key.close();
    }
}
