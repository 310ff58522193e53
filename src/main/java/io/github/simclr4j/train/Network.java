package io.github.simclr4j.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.ResNet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * The encoder f and the projection head g (Chen et al. 2020, section 2.1): features are {@code h = f(x)}, the loss is taken
 * on {@code z = g(h)}. The head is dense, batch norm, ReLU, dense, batch norm (the last without shift), the dense layers
 * without bias. Owns its weights' native memory until it is closed. Not thread-safe.
 */
public final class Network implements AutoCloseable {
    /** Names of the head's weights start with this. */
    static final String HEAD = "head.";

    private static final float MOMENTUM = 0.9f;

    private final ResNet net;
    private final NDManager manager;
    private final Map<String, NDArray> trained = new LinkedHashMap<>();
    private final Map<String, NDArray> running = new LinkedHashMap<>();

    /**
     * Makes a network with random weights: convolutions from a normal distribution of variance 2 / fan-out (He et al.
     * 2015), dense layers uniform in {@code +-1/sqrt(fan-in)}, batch norm 1 and 0.
     *
     * @param net the encoder
     * @param hidden width of the head's hidden layer
     * @param out length of a projection
     * @param device where the weights are
     * @param seed of the weights
     */
    public Network(ResNet net, int hidden, int out, Device device, long seed) {
        this.net = net;
        Torch.noGradient();
        manager = Torch.engine().newBaseManager(device);
        Random random = new Random(seed);
        for (ResNet.Conv c : net.convolutions()) {
            double deviation = Math.sqrt(2.0 / ((double) c.out() * c.kernel() * c.kernel()));
            float[] w = new float[c.out() * c.in() * c.kernel() * c.kernel()];
            for (int i = 0; i < w.length; i++) {
                w[i] = (float) (random.nextGaussian() * deviation);
            }
            train(c.name() + ".weight", w, new Shape(c.out(), c.in(), c.kernel(), c.kernel()));
            norm(c.norm(), c.out(), true);
        }
        dense(HEAD + "0", net.dimension(), hidden, random);
        norm(HEAD + "1", hidden, true);
        dense(HEAD + "3", hidden, out, random);
        norm(HEAD + "4", out, false);
    }

    private void dense(String name, int in, int out, Random random) {
        double bound = 1 / Math.sqrt(in);
        float[] w = new float[in * out];
        for (int i = 0; i < w.length; i++) {
            w[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        }
        train(name + ".weight", w, new Shape(out, in));
    }

    private void norm(String name, int channels, boolean shift) {
        float[] ones = new float[channels];
        java.util.Arrays.fill(ones, 1);
        train(name + ".weight", ones, new Shape(channels));
        NDArray zeros = manager.zeros(new Shape(channels));
        if (shift) {
            zeros.setRequiresGradient(true);
            trained.put(name + ".bias", zeros);
        } else {
            running.put(name + ".bias", zeros);
        }
        running.put(name + ".running_mean", manager.zeros(new Shape(channels)));
        running.put(name + ".running_var", manager.ones(new Shape(channels)));
    }

    private void train(String name, float[] values, Shape shape) {
        NDArray w = manager.create(values, shape);
        w.setRequiresGradient(true);
        trained.put(name, w);
    }

    /** The encoder's architecture. */
    public ResNet architecture() {
        return net;
    }

    NDManager manager() {
        return manager;
    }

    /** The weights that get gradients, by name, in order. Those with one dimension are batch norm's. */
    Map<String, NDArray> trained() {
        return trained;
    }

    /** All tensors by name, the running statistics included. */
    Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>(trained);
        all.putAll(running);
        return all;
    }

    /** The values of a tensor, row-major; what the ONNX writer asks for. */
    public float[] values(String name) {
        NDArray a = trained.containsKey(name) ? trained.get(name) : running.get(name);
        if (a == null) {
            throw new IllegalArgumentException("No tensor " + name + " in " + net);
        }
        return a.toFloatArray();
    }

    /**
     * Features h.
     *
     * @param x float32 [n, 3, size, size] in [0, 1]
     * @param training true to normalise by the batch's statistics and to move the running ones
     * @return float32 [n, dimension], owned by the manager of x
     */
    NDArray encode(NDArray x, boolean training) {
        NDArray y = x.sub(Preprocessing.MEAN).div(Preprocessing.DEVIATION);
        y = Activation.relu(convolve(y, net.stemConv(), training));
        if (net.stem() == ResNet.Stem.IMAGENET) {
            y = Pool.maxPool2d(y, new Shape(3, 3), new Shape(2, 2), new Shape(1, 1), false);
        }
        for (ResNet.Block b : net.blocks()) {
            NDArray in = y;
            for (ResNet.Conv c : b.convolutions()) {
                y = convolve(y == in ? in : Activation.relu(y), c, training);
            }
            y = Activation.relu(y.add(b.shortcut() == null ? in : convolve(in, b.shortcut(), training)));
        }
        return Pool.globalAvgPool2d(y).reshape(x.getShape().get(0), net.dimension());
    }

    /** Projections z of features h, not normalised. */
    NDArray project(NDArray h, boolean training) {
        NDArray y = normalise(linear(h, HEAD + "0"), HEAD + "1", training);
        return normalise(linear(Activation.relu(y), HEAD + "3"), HEAD + "4", training);
    }

    private NDArray convolve(NDArray x, ResNet.Conv c, boolean training) {
        NDList y = Conv2d.conv2d(x, trained.get(c.name() + ".weight"), null, new Shape(c.stride(), c.stride()),
                new Shape(c.padding(), c.padding()), new Shape(1, 1), 1);
        return normalise(y.get(0), c.norm(), training);
    }

    private NDArray linear(NDArray x, String name) {
        return Linear.linear(x, trained.get(name + ".weight"), null).get(0);
    }

    private NDArray normalise(NDArray x, String name, boolean training) {
        NDArray shift = trained.getOrDefault(name + ".bias", running.get(name + ".bias"));
        // Axis -1 skips two axis swaps; libtorch takes the second axis for the channels either way.
        return BatchNorm.batchNorm(x, running.get(name + ".running_mean"), running.get(name + ".running_var"),
                trained.get(name + ".weight"), shift, -1, MOMENTUM, ResNet.EPSILON, training).get(0);
    }

    /**
     * A batch on the device as float32 [n, 3, side, side] in [0, 1].
     *
     * @param m owner of the result
     * @param set the images
     * @param index which of them
     */
    static NDArray batch(NDManager m, ImageSet set, int[] index) {
        int bytes = 3 * set.size() * set.size();
        java.nio.ByteBuffer pixels = java.nio.ByteBuffer.allocateDirect(index.length * bytes);
        for (int i : index) {
            pixels.put(set.pixels().get(i));
        }
        pixels.flip();
        NDArray uint8 = m.create(pixels, new Shape(index.length, set.size(), set.size(), 3), DataType.UINT8);
        return uint8.transpose(0, 3, 1, 2).toType(DataType.FLOAT32, false).div(255);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        manager.close();
    }
}
