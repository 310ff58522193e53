package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a method is made from: the run's encoder, and the means to make networks and state. The context owns all of them: it saves
 * them in checkpoints, moves the followers after each step, and frees them when it is closed.
 */
public final class MethodContext implements AutoCloseable {
    private final LayerGraph encoder;
    private final boolean zeroGamma;
    private final Computation computation;
    private final Run run;
    private final List<Network> trained = new ArrayList<>();
    private final Map<String, Follower> followers = new LinkedHashMap<>();
    private final Map<String, NDArray> states = new LinkedHashMap<>();

    /**
     * What is known of the run.
     *
     * @param options values of the method's options
     * @param batch images a step
     * @param classes how many classes the images have; 0 without labels
     * @param seed of everything random
     * @param head adds the run's projection head
     */
    public record Run(OptionValues options, int batch, int classes, long seed, HeadOfRun head) {}

    /** Adds the projection head of a run to a network. */
    @FunctionalInterface
    public interface HeadOfRun {
        /**
         * Adds it.
         *
         * @param graph the network's builder
         * @param features what the head takes, [n]
         * @param name of the head's result, and the beginning of its weights' names
         */
        void append(LayerGraph.Builder graph, LayerGraph.Node features, String name);
    }

    /**
     * A network that follows another one.
     *
     * @param network gets no gradient
     * @param leader the trained network that it follows
     * @param momentum how slowly
     */
    public record Follower(Network network, Network leader, Momentum momentum) {}

    /**
     * Makes a context.
     *
     * @param encoder the encoder and what stands behind it
     * @param zeroGamma start the last batch norm of each residual branch at 0
     */
    public MethodContext(LayerGraph encoder, boolean zeroGamma, Computation computation, Run run) {
        this.encoder = encoder;
        this.zeroGamma = zeroGamma;
        this.computation = computation;
        this.run = run;
    }

    /**
     * Returns the encoder as the settings have it, and what {@linkplain MethodFactory#headUse stands behind it}: results
     * {@link LayerGraph#FEATURES} and, with the run's head or a classifier,
     * {@link io.github.simclr4j.onnx.network.ProjectionHead#PROJECTION}.
     */
    public LayerGraph encoder() {
        return encoder;
    }

    /** Returns what adds the run's projection head to a part of the encoder. */
    public HeadOfRun head() {
        return run.head();
    }

    /** Returns the values of the method's options. */
    public OptionValues options() {
        return run.options();
    }

    /** Returns the number of images a step. */
    public int batch() {
        return run.batch();
    }

    /** Returns the number of classes, 0 without labels. */
    public int classes() {
        return run.classes();
    }

    /** Returns the seed of everything random. */
    public long seed() {
        return run.seed();
    }

    /**
     * Makes a network that gets gradients, with random weights. The first one holds the encoder that is written.
     *
     * @param graph its layers; the encoder's, or the encoder's with more behind it
     */
    public Network train(LayerGraph graph) {
        return add(new Network(graph, zeroGamma, computation, run.seed()));
    }

    /** Makes a network that gets gradients and starts equal to another. */
    public Network trainCopy(Network network) {
        return add(network.copy());
    }

    private Network add(Network network) {
        trained.add(network);
        return network;
    }

    /**
     * Makes a network that starts equal to a trained one, gets no gradient, and follows it as a moving average of the weights after
     * each step. Its batch norm statistics are those of its own batches.
     *
     * @param name in checkpoints, such as {@code key}
     * @param leader which network it follows
     * @param part the leader's layers, or some of them
     * @param momentum how slowly
     */
    public Network follow(String name, Network leader, LayerGraph part, Momentum momentum) {
        Network network = leader.copy(part, false);
        followers.put(name, new Follower(network, leader, momentum));
        return network;
    }

    /**
     * Keeps a tensor for the whole run and in checkpoints.
     *
     * @param name in checkpoints, such as {@code queue}
     * @param first its first values; the context takes it over
     * @return the same tensor
     */
    public NDArray state(String name, NDArray first) {
        first.attach(exported().manager());
        states.put(name, first);
        return first;
    }

    /** Returns the network that holds the encoder: the first that was made. */
    public Network exported() {
        return trained.get(0);
    }

    /** Returns the networks that get gradients, in the order in which they were made. */
    public List<Network> trained() {
        return trained;
    }

    /** Returns the networks that follow others, by name. */
    public Map<String, Follower> followers() {
        return followers;
    }

    /** Returns what a checkpoint keeps of the followers and the method's state, by name. */
    public Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>();
        followers.forEach((name, f) -> f.network().tensors().forEach((n, a) -> all.put(name + "." + n, a)));
        all.putAll(states);
        return all;
    }

    /** Frees all networks and state. */
    @Override
    public void close() {
        states.values().forEach(NDArray::close);
        followers.values().forEach(f -> f.network().close());
        trained.forEach(Network::close);
    }
}
