package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * Learning from a teacher's soft labels (Chen et al. 2020b, equation 2), of both views of an image. The labels of the images are
 * the teacher's most likely classes, and are for the monitor alone.
 */
public final class Distillation implements Method {
    private final Network network;
    private final SoftLabels soft;
    private final double temperature;

    public Distillation(Network network, SoftLabels soft, double temperature) {
        this.network = network;
        this.soft = soft;
        this.temperature = temperature;
    }

    @Override
    public List<Branch> branches() {
        return List.of(new Branch(network, 0, 1));
    }

    @Override
    public Part loss(Batch batch, NDArray z, int from, int to) {
        int[] images = batch.images();
        int classes = soft.probabilities()[0].length;
        FloatBuffer targets = FloatBuffer.allocate((to - from) * classes);
        for (int i = from; i < to; i++) {
            targets.put(soft.probabilities()[images[i % images.length]]);
        }
        NDArray p = z.getManager().create(targets.array(), new Shape(to - from, classes));
        return new Part(Losses.softCrossEntropy(z.get(from + ":" + to), p, temperature),
                new Supervised(network).loss(batch, z.stopGradient(), from, to).rank());
    }

    /** The labels' own entropy is not known to it. */
    @Override
    public double chance() {
        return Double.NaN;
    }
}
