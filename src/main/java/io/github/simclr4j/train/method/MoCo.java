package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loop.Passes;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.Network;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Momentum contrast (He et al. 2020, algorithm 1): the first view is the query, the second one, through the momentum encoder, its
 * key. The negatives are the keys of earlier batches, in a queue that forgets its oldest. The momentum encoder starts equal to
 * the encoder, gets no gradient, and follows it: {@code key = m * key + (1 - m) * query} (equation 2). Version 1 and 2 differ in
 * head, views and temperature alone.
 *
 * <p>Keys of a batch must not tell by their batch norm statistics which query they belong to: queries and keys are dealt to the
 * groups of {@code --bn-splits} in different random orders ({@link Passes}).
 */
public final class MoCo implements Method {
    private static final String POSITION = "queue.position";

    private final MethodSettings settings;
    private final Network query;
    private final Network key;
    private final Passes passes;
    private final int batch;
    private final NDArray queue;
    private final NDArray position;
    /** Keys of the present batch, normalised, in the order of the queries. */
    private NDArray keys;

    MoCo(MethodSettings settings, Network query, int batch, Passes passes, long seed) {
        this.settings = settings;
        this.query = query;
        this.batch = batch;
        this.passes = passes;
        int arriving = settings.symmetric() ? 2 * batch : batch;
        if (settings.queue() < arriving) {
            throw new IllegalArgumentException("The queue must hold the keys of a batch at least: expected " + arriving
                    + " or more, found " + settings.queue());
        }
        key = query.copy();
        key.trained().values().forEach(w -> w.setRequiresGradient(false));
        int d = query.head().projection(query.architecture().dimension());
        Random random = new Random(seed);
        float[] noise = new float[settings.queue() * d];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = (float) random.nextGaussian();
        }
        // It lives as long as the momentum encoder.
        NDManager m = key.manager();
        try (NDArray raw = m.create(noise, new Shape(settings.queue(), d)); NDManager step = m.newSubManager()) {
            raw.attach(step);
            queue = Losses.normalise(raw).toType(query.type(), true);
            queue.attach(m);
        }
        position = m.zeros(new Shape(1));
    }

    @Override
    public List<Branch> branches() {
        return List.of(settings.symmetric() ? new Branch(query, 0, 1) : new Branch(query, 0));
    }

    @Override
    public void prepare(Batch batch, NDManager manager) {
        int n = batch.size();
        // The key of a query is the other view.
        int[] rows = settings.symmetric()
                ? IntStream.range(0, 2 * n).map(r -> (r + n) % (2 * n)).toArray()
                : IntStream.range(n, 2 * n).toArray();
        keys = Losses.normalise(passes.embed(key, batch, rows, manager));
    }

    @Override
    public Part loss(Batch batch, NDArray z, int from, int to) {
        String some = from + ":" + to;
        NDArray logits = Losses.queueLogits(z.get(some), keys.get(some), queue, settings.temperature());
        return new Part(Losses.crossEntropyOfFirst(logits), Losses.rankOfFirst(logits.stopGradient()));
    }

    @Override
    public NDList pairs(NDArray z) {
        return new NDList(z.stopGradient(), keys);
    }

    @Override
    public void finish(double done) {
        double rise = (1 - Math.cos(Math.PI * done)) / 2;
        key.followWeights(query, settings.momentum() + (settings.momentumEnd() - settings.momentum()) * rise);
        enqueue(keys);
    }

    /** The newest keys take the places of the oldest. */
    public void enqueue(NDArray arriving) {
        int size = settings.queue();
        int at = (int) position.toFloatArray()[0];
        int n = (int) arriving.getShape().get(0);
        int first = Math.min(n, size - at);
        queue.set(new NDIndex("{}:{}", at, at + first), arriving.get(":" + first));
        if (first < n) {
            queue.set(new NDIndex("{}:{}", 0, n - first), arriving.get(first + ":"));
        }
        position.muli(0).addi((at + n) % size);
    }

    public Network momentumEncoder() {
        return key;
    }

    public NDArray queue() {
        return queue;
    }

    @Override
    public double chance() {
        return Math.log(settings.queue() + 1);
    }

    /** The queue starts as noise, from which a key is told apart at once. */
    @Override
    public int settling() {
        return settings.queue() / (settings.symmetric() ? 2 * batch : batch) + 1;
    }

    @Override
    public Map<String, NDArray> state() {
        Map<String, NDArray> all = new LinkedHashMap<>();
        key.tensors().forEach((name, a) -> all.put("key." + name, a));
        all.put("queue", queue);
        all.put(POSITION, position);
        return all;
    }

    @Override
    public void close() {
        key.close();
    }
}
