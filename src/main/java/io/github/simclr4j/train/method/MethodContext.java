// SPDX-License-Identifier: Apache-2.0
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
 * What a method is created from: the run's encoder, and operations that create networks and state.
 *
 * <p>The context owns all networks and state. It saves them in checkpoints, updates the momentum encoders after each step, and
 * frees everything when it is closed.
 *
 * @since 0.1.0
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
     * Properties of the run.
     *
     * @param options values of the method's options
     * @param batch images per step
     * @param classes number of classes of the images; 0 without labels
     * @param seed seed of all random numbers
     * @param head adds the run's projection head to a graph
     */
    public record Run(OptionValues options, int batch, int classes, long seed, HeadOfRun head) {}

    /** Adds the projection head of a run to a network. */
    @FunctionalInterface
    public interface HeadOfRun {
        /**
         * Adds the projection head.
         *
         * @param graph the network's builder
         * @param features input of the head, [n]
         * @param name name of the head's result, and prefix of the names of its weights
         */
        void append(LayerGraph.Builder graph, LayerGraph.Node features, String name);
    }

    /**
     * A momentum encoder: a network whose weights are an exponential moving average of another network's.
     *
     * @param network the momentum encoder, which gets no gradient
     * @param leader the trained network that it follows
     * @param momentum momentum of the moving average
     */
    public record Follower(Network network, Network leader, Momentum momentum) {}

    /**
     * Creates a context.
     *
     * @param encoder the encoder and the layers after it
     * @param zeroGamma whether the scale of the last batch norm of each residual block starts at 0
     * @param computation device and precision of the networks
     * @param run properties of the run
     */
    public MethodContext(LayerGraph encoder, boolean zeroGamma, Computation computation, Run run) {
        this.encoder = encoder;
        this.zeroGamma = zeroGamma;
        this.computation = computation;
        this.run = run;
    }

    /**
     * Returns the encoder of the settings with the layers that {@link MethodFactory#headUse} asks for.
     *
     * <p>Its results are {@link LayerGraph#FEATURES} and, with the run's head or a classifier,
     * {@link io.github.simclr4j.onnx.network.ProjectionHead#PROJECTION}.
     */
    public LayerGraph encoder() {
        return encoder;
    }

    /** Returns a function that adds the run's projection head to a part of the encoder. */
    public HeadOfRun head() {
        return run.head();
    }

    /** Returns the values of the method's options. */
    public OptionValues options() {
        return run.options();
    }

    /** Returns the number of images per step. */
    public int batch() {
        return run.batch();
    }

    /** Returns the number of classes; 0 without labels. */
    public int classes() {
        return run.classes();
    }

    /** Returns the seed of all random numbers. */
    public long seed() {
        return run.seed();
    }

    /**
     * Creates a trained network with random weights. The first one holds the encoder that is exported.
     *
     * @param graph its layers: those of the encoder, optionally with more after them
     */
    public Network train(LayerGraph graph) {
        return add(new Network(graph, zeroGamma, computation, run.seed()));
    }

    /** Creates a trained network that starts as a copy of another network. */
    public Network trainCopy(Network network) {
        return add(network.copy());
    }

    private Network add(Network network) {
        trained.add(network);
        return network;
    }

    /**
     * Creates a momentum encoder: a network that starts as a copy of a trained network, gets no gradient, and follows it as an
     * exponential moving average of the weights after each step. Its batch norm statistics come from its own batches.
     *
     * @param name name in checkpoints, such as {@code key}
     * @param leader the network that it follows
     * @param part all layers of the leader, or some of them
     * @param momentum momentum of the moving average
     */
    public Network follow(String name, Network leader, LayerGraph part, Momentum momentum) {
        Network network = leader.copy(part, false);
        followers.put(name, new Follower(network, leader, momentum));
        return network;
    }

    /**
     * Registers a tensor that lasts for the whole run and is saved in checkpoints.
     *
     * @param name name in checkpoints, such as {@code queue}
     * @param first the initial values; the context takes ownership
     * @return the same tensor
     */
    public NDArray state(String name, NDArray first) {
        first.attach(exported().manager());
        states.put(name, first);
        return first;
    }

    /** Returns the network that holds the exported encoder: the first that was created. */
    public Network exported() {
        return trained.get(0);
    }

    /** Returns the trained networks in the order of their creation. */
    public List<Network> trained() {
        return trained;
    }

    /** Returns the momentum encoders by name. */
    public Map<String, Follower> followers() {
        return followers;
    }

    /** Returns the tensors of the momentum encoders and of the method's state that a checkpoint saves, by name. */
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
