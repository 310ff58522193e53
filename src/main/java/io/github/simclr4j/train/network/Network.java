package io.github.simclr4j.train.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * The encoder f and the projection head g (Chen et al. 2020, section 2.1): features are {@code h = f(x)}, the loss is taken
 * on {@code z = g(h)}. Owns its weights' native memory until it is closed. Not thread-safe.
 */
public final class Network implements AutoCloseable {
    /** Names of the head's weights start with this. */
    public static final String HEAD = "head.";

    private static final double MOMENTUM = 0.9;
    /**
     * On the CPU libtorch 2.7.1 computes convolutions in blocks of so many channels and multiplies what its memory happens to hold
     * beyond the last one by zero; where that is no number, neither is the result. So channels are padded to whole blocks.
     */
    private static final int BLOCK = 16;

    private final ResNet net;
    private final Head head;
    private final DataType type;
    private final NDManager manager;
    private final Map<String, NDArray> trained = new LinkedHashMap<>();
    private final Map<String, NDArray> running = new LinkedHashMap<>();

    /**
     * Makes a network with random weights: convolutions from a normal distribution of variance 2 / fan-out (He et al.
     * 2015), dense layers uniform in {@code +-1/sqrt(fan-in)}, batch norm 1 and 0.
     *
     * @param net the encoder
     * @param head the projection head
     * @param zeroGamma start the last batch norm of each residual block at 0 (Goyal et al. 2017, section 5.1)
     * @param device where the weights are
     * @param type FLOAT32, or FLOAT64 to check gradients
     * @param seed of the weights
     */
    public Network(ResNet net, Head head, boolean zeroGamma, Device device, DataType type, long seed) {
        this.net = net;
        this.head = head;
        this.type = type;
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
        if (zeroGamma) {
            for (ResNet.Block b : net.blocks()) {
                trained.get(b.convolutions().get(b.convolutions().size() - 1).norm() + ".weight").muli(0);
            }
        }
        int in = net.dimension();
        for (int i = 0; i < head.layers(); i++) {
            int out = head.width(i, net.dimension());
            double bound = 1 / Math.sqrt(in);
            float[] w = new float[in * out];
            for (int k = 0; k < w.length; k++) {
                w[k] = (float) ((2 * random.nextDouble() - 1) * bound);
            }
            train(Head.dense(i) + ".weight", w, new Shape(out, in));
            if (head.batchNorm()) {
                norm(Head.norm(i), out, i < head.layers() - 1);
            } else {
                train(Head.dense(i) + ".bias", new float[out], new Shape(out));
            }
            in = out;
        }
    }

    private void norm(String name, int channels, boolean shift) {
        float[] ones = new float[channels];
        Arrays.fill(ones, 1);
        Shape shape = new Shape(channels);
        train(name + ".weight", ones, shape);
        if (shift) {
            train(name + ".bias", new float[channels], shape);
        } else {
            running.put(name + ".bias", manager.zeros(shape, type));
        }
        running.put(name + ".running_mean", manager.zeros(shape, type));
        running.put(name + ".running_var", manager.ones(shape, type));
    }

    private void train(String name, float[] values, Shape shape) {
        NDArray w = manager.create(values, shape);
        if (type != DataType.FLOAT32) {
            NDArray narrow = w;
            w = narrow.toType(type, true);
            narrow.close();
        }
        w.setRequiresGradient(true);
        trained.put(name, w);
    }

    /** The encoder's architecture. */
    public ResNet architecture() {
        return net;
    }

    public Head head() {
        return head;
    }

    public NDManager manager() {
        return manager;
    }

    public DataType type() {
        return type;
    }

    /** The weights that get gradients, by name, in order. Those with one dimension are batch norm's, or biases. */
    public Map<String, NDArray> trained() {
        return trained;
    }

    /** FLOAT16 copies of the weights of convolutions and dense layers, which get gradients of their own; the rest as it is. */
    public Map<String, NDArray> halves(NDManager owner) {
        Map<String, NDArray> all = new LinkedHashMap<>();
        trained.forEach((name, w) -> {
            boolean bias = name.startsWith(HEAD) && name.endsWith(".bias") && !head.batchNorm();
            if (w.getShape().dimension() > 1 || bias) {
                NDArray half = w.toType(DataType.FLOAT16, true);
                half.attach(owner);
                half.setRequiresGradient(true);
                all.put(name, half);
            } else {
                all.put(name, w);
            }
        });
        return all;
    }

    /** All tensors by name, the running statistics included. */
    public Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>(trained);
        all.putAll(running);
        return all;
    }

    /**
     * The values of a tensor, row-major; what the ONNX writer asks for.
     *
     * @throws IllegalArgumentException if there is no tensor of that name
     */
    public float[] values(String name) {
        NDArray a = trained.containsKey(name) ? trained.get(name) : running.get(name);
        if (a == null) {
            throw new IllegalArgumentException("No tensor " + name + " in " + net);
        }
        return a.toFloatArray();
    }

    /**
     * Takes over values.
     *
     * @param values by name, row-major; what is not among them stays
     * @throws IllegalArgumentException if one has another size
     */
    public void load(Map<String, float[]> values) {
        tensors().forEach((name, a) -> {
            float[] v = values.get(name);
            if (v == null) {
                return;
            }
            if (v.length != a.getShape().size()) {
                throw new IllegalArgumentException(name + ": expected " + a.getShape() + ", found " + v.length + " values");
            }
            try (NDArray source = manager.create(v, a.getShape())) {
                a.muli(0).addi(source);
            }
        });
    }

    /**
     * Makes the encoder's batch norms fit some images without a change of what it computes in evaluation. A file's batch norms are
     * folded into the convolutions: as read back they neither know the statistics of what comes to them nor scale it, so in
     * training, where every batch is normalised, the network would be another one.
     *
     * @param x images as for {@link #encode}
     */
    public void fitStatistics(NDArray x) {
        Statistics seen = new Statistics(x.getManager());
        encode(x, new Pass(false, 1, seen, null));
        for (ResNet.Conv c : net.convolutions()) {
            float[] mean = seen.sums.get(c.norm() + ".running_mean").toFloatArray();
            float[] variance = seen.sums.get(c.norm() + ".running_var").toFloatArray();
            float[] scale = values(c.norm() + ".weight");
            float[] shift = values(c.norm() + ".bias");
            float[] oldMean = values(c.norm() + ".running_mean");
            float[] oldVariance = values(c.norm() + ".running_var");
            for (int i = 0; i < scale.length; i++) {
                double a = scale[i] / Math.sqrt(oldVariance[i] + ResNet.EPSILON);
                shift[i] += (float) ((mean[i] - oldMean[i]) * a);
                scale[i] = (float) (a * Math.sqrt(variance[i] + ResNet.EPSILON));
            }
            load(Map.of(c.norm() + ".weight", scale, c.norm() + ".bias", shift, c.norm() + ".running_mean", mean,
                    c.norm() + ".running_var", variance));
        }
    }

    /** Another network with the same values, owned by the caller. */
    public Network copy() {
        Network other = new Network(net, head, false, manager.getDevice(), type, 0);
        other.follow(this, 0);
        return other;
    }

    /** Moves every tensor towards another network's: {@code this = momentum * this + (1 - momentum) * other}; 0 copies. */
    public void follow(Network other, double momentum) {
        Map<String, NDArray> theirs = other.tensors();
        tensors().forEach((name, mine) -> follow(mine, theirs.get(name), momentum));
    }

    /** Likewise the trained weights alone: the statistics of a momentum encoder are those of its own batches. */
    public void followWeights(Network other, double momentum) {
        trained.forEach((name, mine) -> follow(mine, other.trained.get(name), momentum));
    }

    private void follow(NDArray mine, NDArray theirs, double momentum) {
        try (NDManager m = manager.newSubManager()) {
            NDArray part = theirs.mul(1 - momentum);
            part.attach(m);
            mine.muli(momentum).addi(part);
        }
    }

    /**
     * How images go through the network.
     *
     * @param training true to normalise by the statistics of the images, false by the running ones
     * @param groups row r belongs to group r mod {@code groups}; each has batch norm statistics of its own
     * @param seen collects the statistics, or null
     * @param weights the weights to use by name, such as FLOAT16 copies, or null for the network's own
     */
    public record Pass(boolean training, int groups, Statistics seen, Map<String, NDArray> weights) {
        public static final Pass EVALUATION = new Pass(false, 1, null, null);
    }

    /** The batch norm statistics that a step saw; the running ones move once by their mean. */
    public static final class Statistics {
        private final NDManager owner;
        private final Map<String, NDArray> sums = new LinkedHashMap<>();
        private final Map<String, Integer> counts = new HashMap<>();

        public Statistics(NDManager owner) {
            this.owner = owner;
        }

        /**
         * Adds to the sum at once: small arrays that stayed of every micro-batch would lie scattered among the freed activations, and
         * the next micro-batch's would find no room between them.
         */
        private void add(String name, NDArray value) {
            NDArray sum = sums.get(name);
            if (sum == null) {
                sum = value.duplicate();
                sum.attach(owner);
                sums.put(name, sum);
            } else {
                sum.addi(value);
            }
            counts.merge(name, 1, Integer::sum);
        }
    }

    /** Moves the running statistics by what a step saw. */
    public void move(Statistics statistics) {
        statistics.sums.forEach((name, sum) -> running.get(name).muli(MOMENTUM)
                .addi(sum.mul((1 - MOMENTUM) / statistics.counts.get(name))));
    }

    /**
     * Features h.
     *
     * @param x [n, 3, size, size] in [0, 1], of the network's type
     * @return [n, dimension], of the network's type, owned by the manager of x
     */
    public NDArray encode(NDArray x, Pass pass) {
        NDArray y = Torch.replace(x, x, in -> stem(in, pass));
        for (ResNet.Block b : net.blocks()) {
            y = Torch.replace(y, x, in -> block(in, b, pass));
        }
        return wide(Pool.globalAvgPool2d(y).reshape(x.getShape().get(0), net.dimension()));
    }

    private NDArray stem(NDArray x, Pass pass) {
        NDArray y = x.sub(Preprocessing.MEAN).div(Preprocessing.DEVIATION);
        y = y.toType(weight(net.stemConv().name() + ".weight", pass).getDataType(), false);
        y = Activation.relu(convolve(y, net.stemConv(), pass));
        return net.stem() == ResNet.Stem.IMAGENET
                ? Pool.maxPool2d(y, new Shape(3, 3), new Shape(2, 2), new Shape(1, 1), false) : y;
    }

    private NDArray block(NDArray in, ResNet.Block b, Pass pass) {
        NDArray y = in;
        for (ResNet.Conv c : b.convolutions()) {
            y = convolve(y == in ? in : Activation.relu(y), c, pass);
        }
        return Activation.relu(y.add(b.shortcut() == null ? in : convolve(in, b.shortcut(), pass)));
    }

    /** Projections z of features h, not normalised, of the network's type. */
    public NDArray project(NDArray h, Pass pass) {
        if (head.layers() == 0) {
            return h;
        }
        NDArray y = h;
        for (int i = 0; i < head.layers(); i++) {
            NDArray w = weight(Head.dense(i) + ".weight", pass);
            NDArray bias = head.batchNorm() ? null : weight(Head.dense(i) + ".bias", pass);
            NDArray in = i == 0 ? y : Activation.relu(y);
            y = Linear.linear(narrow(in, w.getDataType()), w, bias).get(0);
            if (head.batchNorm()) {
                y = normalise(y, Head.norm(i), pass);
            }
        }
        return wide(y);
    }

    /** A cast that gradients pass through: {@code toType} cuts them. */
    private static NDArray narrow(NDArray x, DataType to) {
        if (x.getDataType() == to) {
            return x;
        }
        int n = x.getShape().dimension();
        return x.expandDims(n).cumProd(n, to).reshape(x.getShape());
    }

    /** Likewise back to the network's own type: a product takes the wider type of the two. */
    private NDArray wide(NDArray x) {
        return x.getDataType() == type ? x : x.mul(x.getManager().ones(new Shape(1), type));
    }

    private NDArray weight(String name, Pass pass) {
        return pass.weights() == null ? trained.get(name) : pass.weights().get(name);
    }

    private NDArray convolve(NDArray x, ResNet.Conv c, Pass pass) {
        NDArray w = weight(c.name() + ".weight", pass);
        NDArray y;
        if (manager.getDevice().isGpu()) {
            y = convolve(x, w, c.stride(), c.padding());
        } else if (c.kernel() == 1) {
            y = product(x, w, c.stride());
        } else {
            NDManager m = x.getManager();
            NDArray wide = padded(m, padded(m, w, 1, c.in()), 0, c.out());
            y = convolve(padded(m, x, 1, c.in()), wide, c.stride(), c.padding());
            if (c.out() % BLOCK != 0) {
                y = y.get(":, :" + c.out());
            }
        }
        return normalise(y, c.norm(), pass);
    }

    /**
     * A 1x1 convolution as the matrix product that it is. libtorch 2.7.1 chooses a block size for such convolutions, forwards and
     * backwards, from the sizes of the CPU's caches, and where a virtual machine does not tell them it divides by zero, which kills
     * the process.
     */
    private static NDArray product(NDArray x, NDArray w, int stride) {
        NDArray y = stride == 1 ? x : x.get(":, :, ::" + stride + ", ::" + stride);
        NDArray matrix = Torch.alias(w, x.getManager()).reshape(w.getShape().get(0), w.getShape().get(1));
        return Linear.linear(y.transpose(0, 2, 3, 1), matrix, null).get(0).transpose(0, 3, 1, 2);
    }

    private static NDArray convolve(NDArray x, NDArray w, int stride, int padding) {
        return Conv2d.conv2d(x, w, null, new Shape(stride, stride), new Shape(padding, padding), new Shape(1, 1), 1).get(0);
    }

    /** Zeros up to a whole number of blocks along an axis that has {@code size}; 3, the colours, stays. */
    private static NDArray padded(NDManager m, NDArray a, int axis, int size) {
        int more = size == 3 ? 0 : (BLOCK - size % BLOCK) % BLOCK;
        if (more == 0) {
            return a;
        }
        long[] shape = a.getShape().getShape().clone();
        shape[axis] = more;
        NDArray all = NDArrays.concat(new NDList(a, m.zeros(new Shape(shape), a.getDataType())), axis);
        all.attach(m);
        return all;
    }

    private NDArray normalise(NDArray x, String name, Pass pass) {
        NDArray scale = weight(name + ".weight", pass);
        NDArray shift = trained.containsKey(name + ".bias") ? weight(name + ".bias", pass) : running.get(name + ".bias");
        if (!pass.training()) {
            if (pass.seen() != null) {
                Shape s = x.getShape();
                NDArray columns = x.reshape(s.get(0), s.get(1), -1).transpose(1, 0, 2).reshape(s.get(1), -1);
                NDArray mean = columns.sum(new int[] {1}).div(columns.getShape().get(1));
                NDArray variance = columns.sub(mean.reshape(-1, 1)).square().sum(new int[] {1}).div(columns.getShape().get(1));
                pass.seen().add(name + ".running_mean", mean);
                pass.seen().add(name + ".running_var", variance);
            }
            return batchNorm(x, running.get(name + ".running_mean"), running.get(name + ".running_var"), scale, shift,
                    false);
        }
        NDManager m = x.getManager();
        int groups = pass.groups();
        Shape shape = x.getShape();
        long channels = shape.get(1);
        NDArray y = x;
        if (groups > 1) {
            // Row r of group r mod groups: the groups become further channels, and nothing is copied.
            long[] folded = shape.getShape().clone();
            folded[0] /= groups;
            folded[1] *= groups;
            y = x.reshape(new Shape(folded));
            scale = repeat(m, scale, groups);
            shift = repeat(m, shift, groups);
        }
        // With a momentum of 0 the "running" statistics that come back are those of this batch.
        NDArray mean = m.zeros(new Shape(groups * channels), type);
        NDArray variance = m.zeros(new Shape(groups * channels), type);
        y = batchNorm(y, mean, variance, scale, shift, true);
        if (pass.seen() != null) {
            pass.seen().add(name + ".running_mean", overGroups(mean, groups, channels));
            pass.seen().add(name + ".running_var", overGroups(variance, groups, channels));
        }
        return groups > 1 ? y.reshape(shape) : y;
    }

    private static NDArray batchNorm(
            NDArray x, NDArray mean, NDArray variance, NDArray scale, NDArray shift, boolean training) {
        // Axis -1 skips two axis swaps; libtorch takes the second axis for the channels either way.
        return BatchNorm.batchNorm(x, mean, variance, scale, shift, -1, 0f, ResNet.EPSILON, training).get(0);
    }

    private static NDArray repeat(NDManager m, NDArray a, int times) {
        NDList list = new NDList();
        for (int i = 0; i < times; i++) {
            list.add(a);
        }
        NDArray all = NDArrays.concat(list);
        // It would stay with the weight, and so for ever.
        all.attach(m);
        return all;
    }

    private static NDArray overGroups(NDArray a, int groups, long channels) {
        return groups == 1 ? a : a.reshape(groups, channels).sum(new int[] {0}).div(groups);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        manager.close();
    }
}
