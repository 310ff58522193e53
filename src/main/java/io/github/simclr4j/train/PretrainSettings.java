package io.github.simclr4j.train;

import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.augment.Composition;
import io.github.simclr4j.train.loop.Batch;
import io.github.simclr4j.train.loop.Passes;
import io.github.simclr4j.train.method.MethodSettings;
import io.github.simclr4j.train.method.MoCo;
import io.github.simclr4j.train.network.Head;
import io.github.simclr4j.train.optim.OptimiserSettings;
import java.util.Map;
import java.util.TreeMap;

/**
 * Everything that decides the weights that a run ends with.
 *
 * @param encoder the architecture
 * @param imageSize side of the views in pixels, at least 8
 * @param head the projection head; supervised training has a linear classifier in its place
 * @param firstView how view 0 is made
 * @param secondView how view 1 is made
 * @param method how views become a loss
 * @param optimiser how weights move
 * @param batch images a step, each gives two views; at least 2
 * @param microBatch images that are on their way through the network at once; 0 for the whole batch, else a divisor of it. The
 *     gradient is that of the whole batch (Gao et al. 2021)
 * @param bnSplits groups of a batch with batch norm statistics of their own; 0 for one a micro-batch, else a multiple of their
 *     number
 * @param epochs passes over the images, at least 1
 * @param mixed FLOAT16 convolutions and dense layers, on a GPU alone
 * @param zeroGamma start the last batch norm of each residual block at 0 (Goyal et al. 2017, section 5.1)
 * @param seed of weights, order and views
 */
public record PretrainSettings(
        ResNet encoder,
        int imageSize,
        Head head,
        Composition firstView,
        Composition secondView,
        MethodSettings method,
        OptimiserSettings optimiser,
        int batch,
        int microBatch,
        int bnSplits,
        int epochs,
        boolean mixed,
        boolean zeroGamma,
        long seed) {

    /** Numbers that MoCo's queue may have, 4 GiB of them. */
    private static final long MOST_NUMBERS = 1L << 30;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range, or if MoCo's queue takes more than 4 GiB: more than 2^30
     *     numbers, keys times length of a projection
     */
    public PretrainSettings {
        atLeast("Batch", batch, 2);
        atLeast("Epochs", epochs, 1);
        atLeast("Image size", imageSize, 8);
        atLeast("Micro-batch", microBatch, 0);
        atLeast("Batch norm splits", bnSplits, 0);
        if (microBatch > 0 && batch % microBatch != 0) {
            throw new IllegalArgumentException("A micro-batch must divide the batch, found " + microBatch + " and " + batch);
        }
        int micro = microBatch == 0 ? 1 : batch / microBatch;
        if (bnSplits > 0 && (bnSplits % micro != 0 || batch % bnSplits != 0)) {
            throw new IllegalArgumentException("Batch norm splits must divide the batch and be a multiple of the "
                    + micro + " micro-batches, found " + bnSplits + " for a batch of " + batch);
        }
        int projection = head.projection(encoder.dimension());
        if (method.moco() && (long) method.queue() * projection > MOST_NUMBERS) {
            throw new IllegalArgumentException("The queue's keys must take at most " + MOST_NUMBERS + " numbers, found "
                    + method.queue() + " keys of " + projection + ": lower the queue or the projection");
        }
    }

    private static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " must be at least " + least + ", found " + value);
        }
    }

    /**
     * SimCLR with the defaults of the command line: non-linear head, NT-Xent at temperature 0.2, AdamW.
     *
     * @param views of both kinds, see {@link Composition#of}
     */
    public static PretrainSettings simclr(ResNet encoder, int imageSize, Composition views, int batch, int epochs, long seed) {
        OptimiserSettings optimiser = OptimiserSettings.adamw(batch, epochs);
        return new PretrainSettings(encoder, imageSize, Head.simclr(64), views, views, MethodSettings.simclr(0.2), optimiser,
                batch, 0, 0, epochs, false, OptimiserSettings.zeroGamma(optimiser.name()), seed);
    }

    /**
     * What is used on some images: these settings, or, with fewer images than a batch, the largest batch whose micro-batches and
     * groups are as large as they were. Where not two of them fit, it is one piece, of two groups if there were any.
     *
     * @param images how many there are, at least 2
     */
    public PretrainSettings on(int images) {
        return images < batch ? withBatch(images) : this;
    }

    private PretrainSettings withBatch(int most) {
        int group = bnSplits == 0 ? 1 : batch / bnSplits;
        int unit = microBatch == 0 ? group : microBatch;
        if (most >= 2 * unit) {
            int smaller = most / unit * unit;
            return with(smaller, microBatch, bnSplits == 0 ? 0 : smaller / group);
        }
        boolean two = bnSplits > 1 && most >= 4;
        return with(two ? most / 2 * 2 : most, 0, two ? 2 : 0);
    }

    private PretrainSettings with(int newBatch, int newMicroBatch, int newSplits) {
        return new PretrainSettings(encoder, imageSize, head, firstView, secondView, method, optimiser, newBatch,
                newMicroBatch, newSplits, epochs, mixed, zeroGamma, seed);
    }

    int microBatches() {
        return microBatch == 0 ? 1 : batch / microBatch;
    }

    public Passes passes() {
        return new Passes(microBatches(), bnSplits == 0 ? microBatches() : bnSplits, mixed);
    }

    /** What is used of the settings as text, for metadata and to compare a checkpoint's with the present ones. */
    public Map<String, String> describe() {
        Map<String, String> d = new TreeMap<>();
        d.put("training.method", method.name());
        if (method.name().equals("simclr")) {
            d.put("training.loss", method.loss());
        }
        if (method.usesTemperature()) {
            d.put("training.temperature", "" + method.temperature());
        }
        if (method.usesMargin()) {
            d.put("training.margin", "" + method.margin());
        }
        if (method.usesClassPrior()) {
            d.put("training.class_prior", "" + method.classPrior());
        }
        if (method.moco()) {
            d.put("training.queue", "" + method.queue());
            d.put("training.momentum_encoder", method.momentum() + " to " + method.momentumEnd());
            d.put("training.symmetric", "" + method.symmetric());
        }
        d.put("training.encoder", encoder.name() + " width " + encoder.width() + " stem " + encoder.stem());
        d.put("training.head", method.name().equals("supervised") ? "linear classifier" : head.describe());
        d.put("training.image_size", "" + imageSize);
        d.put("training.views", firstView.equals(secondView) ? firstView.toString() : firstView + " | " + secondView);
        d.put("training.batch", "" + batch);
        d.put("training.micro_batch", "" + microBatch);
        d.put("training.bn_splits", "" + bnSplits);
        d.put("training.epochs", "" + epochs);
        d.put("training.mixed_precision", "" + mixed);
        d.put("training.zero_gamma", "" + zeroGamma);
        d.put("training.optimiser", optimiser.name());
        d.put("training.learning_rate", "" + optimiser.rate());
        d.put("training.weight_decay", "" + optimiser.weightDecay());
        if (optimiser.usesMomentum()) {
            d.put("training.momentum", "" + optimiser.momentum());
        }
        d.put("training.warmup_epochs", "" + optimiser.warmupEpochs());
        d.put("training.schedule", optimiser.schedule());
        d.put("training.gradient_clip", "" + optimiser.clip());
        d.put("training.weight_average", "" + optimiser.average());
        d.put("training.seed", "" + seed);
        return d;
    }
}
