package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.PatchEncoderFamily;
import io.github.simclr4j.onnx.network.ResNetFamily;
import io.github.simclr4j.onnx.network.TwoTowersFamily;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.method.SmallViews;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.optim.OptimizerSettings;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Everything that decides the weights that a run ends with. A {@link PretrainBuilder} makes it and fills in the method's defaults.
 *
 * @param encoder the architecture
 * @param imageSize side of the views in pixels, at least 8
 * @param head the projection head; a method that trains a classifier has that in its place
 * @param firstView how view 0 is made
 * @param otherViews how the other views are made
 * @param method how views become a loss
 * @param options values of the method's own options
 * @param optimizer how weights move
 * @param batch images a step; at least 2
 * @param microBatch images that are on their way through the network at once; 0 for the whole batch, else a divisor of it. The
 *     gradient is that of the whole batch (Gao et al. 2021, <a href="https://arxiv.org/abs/2101.06983">arXiv:2101.06983</a>)
 * @param bnSplits groups of a batch with batch norm statistics of their own; 0 for one a micro-batch, else a multiple of their
 *     number
 * @param epochs passes over the images, at least 1
 * @param precision of convolutions and tokens; null for bfloat16 where the device computes with it natively, else float32
 * @param zeroGamma start the last batch norm of each residual branch at 0 (Goyal et al. 2017, section 5.1,
 *     <a href="https://arxiv.org/abs/1706.02677">arXiv:1706.02677</a>)
 * @param seed of weights, order and views
 */
public record PretrainSettings(
        Architecture encoder,
        int imageSize,
        Head head,
        AugmentationPipeline firstView,
        AugmentationPipeline otherViews,
        MethodFactory method,
        OptionValues options,
        OptimizerSettings optimizer,
        int batch,
        int microBatch,
        int bnSplits,
        int epochs,
        Precision precision,
        boolean zeroGamma,
        long seed) {
    /** Width of a ResNet for which none is given. */
    static final double WIDTH = 0.25;
    /** Images below which random weights learn little without labels or a teacher. */
    public static final int FEW_IMAGES = 2000;
    /** Least side of a small view in pixels. */
    private static final int LEAST_SMALL = 4;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of its range
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
        checkSmallViews(method, options, encoder, imageSize, otherViews);
        int micro = microBatch == 0 ? 1 : batch / microBatch;
        if (bnSplits > 0 && (bnSplits % micro != 0 || batch % bnSplits != 0)) {
            throw new IllegalArgumentException("Batch norm splits must divide the batch and be a multiple of the "
                    + micro + " micro-batches, found " + bnSplits + " for a batch of " + batch);
        }
    }

    private static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " must be at least " + least + ", found " + value);
        }
    }

    /**
     * Returns what is used on some images: these settings, or, with fewer images than a batch, the largest batch whose micro-batches
     * and groups are as large as they were. Where not two of them fit, it is one piece, of two groups if there were any.
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
            return withBatch(smaller, microBatch, bnSplits == 0 ? 0 : smaller / group);
        }
        boolean two = bnSplits > 1 && most >= 4;
        return withBatch(two ? most / 2 * 2 : most, 0, two ? 2 : 0);
    }

    /** Returns these settings with another batch, in micro-batches and groups. */
    public PretrainSettings withBatch(int newBatch, int newMicroBatch, int newSplits) {
        return new PretrainSettings(encoder, imageSize, head, firstView, otherViews, method, options, optimizer, newBatch,
                newMicroBatch, newSplits, epochs, precision, zeroGamma, seed);
    }

    /** Returns these settings with another precision. */
    public PretrainSettings withPrecision(Precision other) {
        return new PretrainSettings(encoder, imageSize, head, firstView, otherViews, method, options, optimizer, batch, microBatch,
                bnSplits, epochs, other, zeroGamma, seed);
    }

    /** Returns these settings with another optimizer. */
    public PretrainSettings withOptimizer(OptimizerSettings other) {
        return new PretrainSettings(encoder, imageSize, head, firstView, otherViews, method, options, other, batch, microBatch,
                bnSplits, epochs, precision, zeroGamma, seed);
    }

    /** Returns the smaller views that each image has beside those of full size. */
    public SmallViews smallViews() {
        return method.smallViews(options, imageSize);
    }

    /** Returns how many views of each image a step has, small ones included. */
    public int views() {
        return method.views() + smallViews().count();
    }

    /** Returns how the small views are made: as the second view, but for the share of the image that is shown. */
    public AugmentationPipeline smallView() {
        return otherViews.cropping(smallViews().least(), smallViews().most());
    }

    /** Small views go through the same network, which must not depend on the image size. */
    private static void checkSmallViews(MethodFactory method, OptionValues options, Architecture encoder, int imageSize,
            AugmentationPipeline otherViews) {
        SmallViews small = method.smallViews(options, imageSize);
        if (small.count() == 0) {
            return;
        }
        if (small.size() < LEAST_SMALL || small.size() > imageSize) {
            throw new IllegalArgumentException("The size of small views (multi-crop-size) must be from " + LEAST_SMALL + " to the image size of "
                    + imageSize + ", found " + small.size());
        }
        otherViews.cropping(small.least(), small.most());
        if (!shapes(encoder, small.size()).equals(shapes(encoder, imageSize))) {
            throw new IllegalArgumentException("Small views (multi-crop) need an encoder that takes images of any size, and "
                    + encoder.describe() + " has weights for one size");
        }
    }

    private static List<List<Long>> shapes(Architecture encoder, int size) {
        return encoder.graph(size).weights().stream().map(w -> Arrays.stream(w.dimensions()).boxed().toList()).toList();
    }

    /**
     * Returns these settings with a method that has {@linkplain MethodFactory#open opened} what its options name.
     *
     * @param resources owns what is opened
     * @throws IOException if the method can't open it
     */
    public PretrainSettings opened(RunResources resources) throws IOException {
        return new PretrainSettings(encoder, imageSize, head, firstView, otherViews, method.open(options, resources), options,
                optimizer, batch, microBatch, bnSplits, epochs, precision, zeroGamma, seed);
    }

    /** Returns how many micro-batches a batch has. */
    public int microBatches() {
        return microBatch == 0 ? 1 : batch / microBatch;
    }

    /** Returns how many groups of a batch have batch norm statistics of their own. */
    public int groups() {
        return bnSplits == 0 ? microBatches() : bnSplits;
    }

    /**
     * Checks that devices can share the steps: each works on the same number of whole groups, so that what comes out is the same on any
     * number of devices.
     *
     * @param devices how many there are, at least 1
     * @throws IllegalArgumentException if the groups can't be shared
     */
    public void checkDevices(int devices) {
        if (groups() % devices != 0) {
            throw new IllegalArgumentException("The number of batch norm groups (the setting bn-splits) must be a multiple of the "
                    + devices + " devices, which share them: found " + groups() + " for a batch of " + batch);
        }
    }

    /**
     * Checks that the layers of the head that are to stay with the encoder are behind its features.
     *
     * @throws IllegalArgumentException if the method has its heads elsewhere, or none
     */
    public void checkKeptHead() {
        if (head.kept() > 0 && method.headUse() != MethodFactory.HeadUse.FEATURES) {
            throw new IllegalArgumentException("The method " + method.name() + " has no projection head behind the features of which "
                    + head.kept() + (head.kept() == 1 ? " layer" : " layers") + " could be kept");
        }
    }

    /**
     * Returns the encoder with what stands behind its features.
     *
     * @param classes of the images, for a classifier
     */
    public LayerGraph network(int classes) {
        LayerGraph graph = encoder.graph(imageSize);
        return switch (method.headUse()) {
            case FEATURES -> head.behind(graph);
            case CLASSIFIER -> Head.classifier(classes).behind(graph);
            case PARTS, NONE -> graph;
        };
    }

    /** Whether training reads labels. */
    public boolean needsLabels() {
        return method.needsLabels(options);
    }

    /** Whether so few images teach an encoder with random weights little, see {@link #FEW_IMAGES}. */
    public boolean needsMoreThan(int images) {
        return images < FEW_IMAGES && method.needsManyImages();
    }

    /** Returns what is used of the settings as text, for metadata and to compare a checkpoint's with the present ones. */
    public Map<String, String> describe() {
        Map<String, String> d = new TreeMap<>();
        d.put("training.method", method.name());
        Map<Option<?>, String> unused = method.withoutEffect(options);
        for (Option<?> o : options.options()) {
            if (o.type() != Path.class && unused.keySet().stream().noneMatch(u -> u.name().equals(o.name()))) {
                d.put("training." + o.key(), "" + options.get(o));
            }
        }
        d.putAll(method.metadata());
        d.put("training.encoder", encoder.describe());
        d.put("training.head", switch (method.headUse()) {
            case FEATURES -> head.describe();
            case PARTS -> head.describe() + ", one for each part";
            case NONE -> "none";
            case CLASSIFIER -> "linear classifier";
        });
        d.put("training.image_size", "" + imageSize);
        d.put("training.views", firstView.equals(otherViews) ? firstView.toString() : firstView + " | " + otherViews);
        d.put("training.batch", "" + batch);
        d.put("training.micro_batch", "" + microBatch);
        d.put("training.bn_splits", "" + bnSplits);
        d.put("training.epochs", "" + epochs);
        d.put("training.precision", precision == null ? "auto" : precision.text());
        d.put("training.zero_gamma", "" + zeroGamma);
        d.put("training.optimiser", optimizer.name());
        d.put("training.learning_rate", "" + optimizer.rate());
        d.put("training.weight_decay", "" + optimizer.weightDecay());
        if (optimizer.usesMomentum()) {
            d.put("training.momentum", "" + optimizer.momentum());
        }
        d.put("training.warmup_epochs", "" + optimizer.warmupEpochs());
        d.put("training.schedule", optimizer.schedule());
        d.put("training.gradient_clip", "" + optimizer.clip());
        d.put("training.weight_average", "" + optimizer.average());
        d.put("training.seed", "" + seed);
        return d;
    }

    /** Returns the options of a family of encoders, with the defaults that pretraining has. */
    public static List<Option<?>> encoderOptions(EncoderFamily family) {
        List<Option<?>> options = new ArrayList<>(family.options());
        if (isNarrowByDefault(family)) {
            options.replaceAll(o -> o.name().equals("width") && o.type() == Double.class ? narrow(o) : o);
        }
        return options;
    }

    /** Whether a family's networks are residual ones, whose published width is too much for a CPU. */
    static boolean isNarrowByDefault(EncoderFamily family) {
        return family instanceof ResNetFamily || family instanceof TwoTowersFamily || family instanceof PatchEncoderFamily;
    }

    @SuppressWarnings("unchecked") // The type was looked at.
    private static Option<?> narrow(Option<?> width) {
        return ((Option<Double>) width).withDefault(
                WIDTH, "for a CPU; 1 is the published network, Chen et al. 2020 have 1, 2 and 4");
    }
}
