package io.github.simclr4j.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.onnx.EncoderWriter;
import io.github.simclr4j.onnx.Preprocessing;
import io.github.simclr4j.onnx.ResNet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Learns an encoder without labels by SimCLR (Chen et al. 2020, algorithm 1): each step takes a batch, makes two random views
 * of every image, and moves encoder and head down the gradient of {@link NtXent}. Not thread-safe.
 */
public final class Pretrainer {
    private final PretrainSettings settings;
    private final Device device;
    private final Progress progress;

    /**
     * Prepares a run.
     *
     * @param settings what to do
     * @param device {@code auto} (the first GPU, or the CPU where there is none), {@code cpu}, {@code gpu} or {@code gpu:N}
     * @param threads threads on the CPU, 0 for libtorch's own choice
     * @param progress who is told of it
     * @throws IllegalArgumentException if the device's name is none of these
     * @throws IllegalStateException if a GPU is asked for and there is none: it never falls back
     */
    public Pretrainer(PretrainSettings settings, String device, int threads, Progress progress) {
        this.settings = settings;
        this.device = Torch.device(device, progress);
        this.progress = progress;
        Torch.threads(threads);
    }

    /**
     * What came of it.
     *
     * @param onnx the encoder file's bytes
     * @param epochs epochs in all, those before a restart included
     * @param steps steps in all, likewise
     * @param resumedAt epochs that were done before, 0 for a fresh run
     * @param finalLoss mean loss of the last epoch
     * @param viewsPerSecond of this run; 0 if nothing was left to do
     */
    public record Result(byte[] onnx, int epochs, long steps, int resumedAt, double finalLoss, double viewsPerSecond) {}

    /**
     * Trains to the end.
     *
     * @param images at least two
     * @param checkpoints folder that is continued from and written to after each epoch, or null for none
     * @throws IOException if a checkpoint can't be read or written
     * @throws IllegalStateException if the loss is no longer a number
     */
    public Result run(ImageSet images, Path checkpoints) throws IOException {
        int count = images.pixels().size();
        if (count < 2) {
            throw new IOException("Contrastive learning needs at least 2 images, found " + count);
        }
        int batch = Math.min(settings.batch(), count);
        if (batch < settings.batch()) {
            progress.warn("only " + count + " images: batch " + settings.batch() + " becomes " + batch);
        }
        int stepsPerEpoch = count / batch;
        long total = (long) stepsPerEpoch * settings.epochs();
        Schedule schedule = new Schedule(
                settings.learningRate(), Math.round(settings.warmup() * total), total);
        Map<String, String> description = new TreeMap<>(settings.describe());
        description.put("data.images", "" + count);
        description.put("data.fingerprint", images.fingerprint());

        Torch.noGradient();
        try (Network network = new Network(
                settings.encoder(), settings.hidden(), settings.projection(), device, settings.seed())) {
            Optimiser optimiser = Optimiser.of(settings.optimiser(), network.trained(), settings.weightDecay());
            Map<String, NDArray> tensors = new LinkedHashMap<>(network.tensors());
            optimiser.state().forEach((name, a) -> tensors.put("optimiser." + name, a));
            Checkpoint.State done =
                    checkpoints == null ? null : Checkpoint.read(checkpoints, description, tensors, progress::warn);
            int first = done == null ? 0 : done.epoch();
            double loss = done == null ? Double.NaN : done.loss();
            if (done != null) {
                progress.line("continuing after epoch " + first + " from " + checkpoints);
            }
            Views views = new Views(settings.views(), settings.imageSize());
            long start = System.nanoTime();
            long seen = 0;
            for (int epoch = first; epoch < settings.epochs(); epoch++) {
                // A stream of its own an epoch: a run that continues draws what the uninterrupted one draws.
                Random random = new Random(settings.seed() * 1_000_003 + epoch);
                int[] order = permutation(count, random);
                double sum = 0;
                progress.start(String.format("epoch %d/%d", epoch + 1, settings.epochs()), stepsPerEpoch);
                for (int s = 0; s < stepsPerEpoch; s++) {
                    int[] index = java.util.Arrays.copyOfRange(order, s * batch, (s + 1) * batch);
                    double rate = schedule.at((long) epoch * stepsPerEpoch + s);
                    double stepLoss = step(network, optimiser, views, images, index, random, rate);
                    if (!Double.isFinite(stepLoss)) {
                        throw new IllegalStateException("The loss is " + stepLoss + " in epoch " + (epoch + 1)
                                + ": lower the learning rate (" + settings.learningRate() + ") and run again"
                                + (checkpoints == null ? "" : " with another checkpoint folder"));
                    }
                    sum += stepLoss;
                    seen += 2L * batch;
                    progress.at(s + 1, String.format(Locale.ROOT, "loss %.3f", sum / (s + 1)));
                }
                progress.end();
                loss = sum / stepsPerEpoch;
                double rate = seen / seconds(start);
                progress.line(String.format(Locale.ROOT, "epoch %d/%d  loss %.4f  %.0f views/s",
                        epoch + 1, settings.epochs(), loss, rate));
                if (checkpoints != null) {
                    Checkpoint.write(checkpoints, new Checkpoint.State(
                            epoch + 1, (long) (epoch + 1) * stepsPerEpoch, loss, description), tensors);
                }
            }
            double speed = seen == 0 ? 0 : seen / seconds(start);
            int epochs = Math.max(first, settings.epochs());
            Map<String, String> metadata = new TreeMap<>(description);
            metadata.put("training.epochs", "" + epochs);
            metadata.put("training.final_loss", String.format(Locale.ROOT, "%.4f", loss));
            return new Result(export(network, settings.imageSize(), metadata), epochs, (long) epochs * stepsPerEpoch,
                    first, loss, speed);
        }
    }

    private double step(
            Network network, Optimiser optimiser, Views views, ImageSet images, int[] index, Random random, double rate) {
        try (NDManager m = network.manager().newSubManager()) {
            NDArray x = Network.batch(m, images, index);
            NDArray both = NDArrays.concat(new NDList(views.view(x, random), views.view(x, random)));
            NDArray loss;
            try (GradientCollector collector = Torch.engine().newGradientCollector()) {
                loss = new NtXent(settings.temperature()).loss(network.project(network.encode(both, true), true));
                collector.backward(loss);
            }
            optimiser.step(network.trained(), rate);
            network.trained().values().forEach(Torch::zeroGradient);
            return loss.getFloat();
        }
    }

    /** The encoder of a network as an ONNX file. */
    static byte[] export(Network network, int imageSize, Map<String, String> metadata) {
        return EncoderWriter.toBytes(
                network.architecture(), new Preprocessing(imageSize), network::values, metadata);
    }

    /** An encoder of the same architecture with random weights, to compare with. */
    public static byte[] untrained(ResNet encoder, int imageSize, long seed) {
        try (Network network = new Network(encoder, encoder.dimension(), 1, Device.cpu(), seed)) {
            return export(network, imageSize, Map.of("training.method", "none", "training.seed", "" + seed));
        }
    }

    private static int[] permutation(int count, Random random) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
