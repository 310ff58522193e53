// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.PatchEncoderFamily;
import io.github.simclr4j.onnx.network.ResNetFamily;
import io.github.simclr4j.onnx.network.TwoTowersFamily;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.PatchGrid;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.method.SmallViews;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.optim.OptimizerSettings;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All settings that determine the weights of a run. A {@link PretrainBuilder} creates them and fills in the method's defaults.
 *
 * @param encoder the architecture
 * @param imageSize side of the views in pixels, at least 8
 * @param head the projection head; a method that trains a classifier has the classifier in its place
 * @param firstView composition of view 0
 * @param otherViews composition of the other views
 * @param method the training method
 * @param options values of the method's own options
 * @param optimizer optimizer and learning rate schedule
 * @param batch images per step, at least 2
 * @param microBatch images that go through the network at once: a divisor of the batch, or 0 for the whole batch. The gradient is
 *     that of the whole batch (Gao et al. 2021, <a href="https://arxiv.org/abs/2101.06983">arXiv:2101.06983</a>)
 * @param bnSplits number of groups of a batch that have their own batch norm statistics: a multiple of the number of micro-batches,
 *     or 0 for one group per micro-batch
 * @param epochs passes over the images, at least 1
 * @param precision precision of convolutions and tokens; null for bfloat16 if the device supports it natively, else float32
 * @param zeroGamma whether the scale of the last batch norm of each residual block starts at 0 (Goyal et al. 2017, section 5.1,
 *     <a href="https://arxiv.org/abs/1706.02677">arXiv:1706.02677</a>)
 * @param seed seed of weights, order and views
 * @param preset name of the {@link Preset} that the defaults come from, or empty; it has no effect of its own
 * @since 0.1.0
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
        long seed,
        String preset) {
    /** Metadata key of the preset. Two trainings that differ only in it are the same. */
    public static final String PRESET = "training.preset";
    /** Default width of a ResNet. */
    static final double WIDTH = 0.25;
    /** Number of images below which random weights learn little without labels or a teacher. */
    public static final int FEW_IMAGES = 2000;
    /** Ratio of the sides of images and views above which a warning is given. */
    private static final int FAR_LARGER = 3;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public PretrainSettings {
        atLeast("Batch", batch, 2);
        atLeast("Epochs", epochs, 1);
        atLeast("Image size", imageSize, 8);
        atLeast("Micro-batch", microBatch, 0);
        atLeast("Batch norm splits", bnSplits, 0);
        if (microBatch > 0 && batch % microBatch != 0) {
            throw new IllegalArgumentException(
                    "The micro-batch must divide the batch, found " + microBatch + " and " + batch);
        }
        SmallViewsCheck.check(method.smallViews(options, imageSize), encoder, imageSize, otherViews);
        for (AugmentationPipeline view : List.of(firstView, otherViews)) {
            new ViewGenerator(view, imageSize, method.patches(encoder));
        }
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
     * Adapts the settings to a number of images.
     *
     * <p>With fewer images than a batch, the batch becomes the largest one whose micro-batches and groups keep their size. If fewer
     * than two of them fit, the batch is not split into micro-batches, and has two groups if it had any.
     *
     * @param images number of images, at least 2
     * @return these settings, or adapted ones
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

    /** Returns a copy with other values of all settings that a copy may change. */
    private PretrainSettings with(
            MethodFactory otherMethod,
            OptimizerSettings otherOptimizer,
            int otherBatch,
            int otherMicroBatch,
            int otherSplits,
            Precision otherPrecision) {
        return new PretrainSettings(
                encoder,
                imageSize,
                head,
                firstView,
                otherViews,
                otherMethod,
                options,
                otherOptimizer,
                otherBatch,
                otherMicroBatch,
                otherSplits,
                epochs,
                otherPrecision,
                zeroGamma,
                seed,
                preset);
    }

    /** Returns these settings with another batch, micro-batch and number of groups. */
    public PretrainSettings withBatch(int newBatch, int newMicroBatch, int newSplits) {
        return with(method, optimizer, newBatch, newMicroBatch, newSplits, precision);
    }

    /** Returns these settings with another precision. */
    public PretrainSettings withPrecision(Precision other) {
        return with(method, optimizer, batch, microBatch, bnSplits, other);
    }

    /** Returns these settings with another optimizer. */
    public PretrainSettings withOptimizer(OptimizerSettings other) {
        return with(method, other, batch, microBatch, bnSplits, precision);
    }

    /** Returns the small views of each image in addition to the full-size ones (multi-crop). */
    public SmallViews smallViews() {
        return method.smallViews(options, imageSize);
    }

    /** Returns the number of views per image and step, small ones included. */
    public int views() {
        return method.views() + smallViews().count();
    }

    /** Returns the generator of each view, those of the small ones last. */
    public List<ViewGenerator> generators() {
        List<ViewGenerator> all = new ArrayList<>();
        for (int v = 0; v < method.views(); v++) {
            all.add(generator(v == 0 ? firstView : otherViews));
        }
        for (int v = 0; v < smallViews().count(); v++) {
            all.add(new ViewGenerator(smallView(), smallViews().size()));
        }
        return all;
    }

    /**
     * Returns a generator of full-size views in the form that the trained network takes.
     *
     * @param composition the augmentations
     * @throws IllegalArgumentException if they change each patch by itself and the encoder is none of patches
     */
    public ViewGenerator generator(AugmentationPipeline composition) {
        return new ViewGenerator(composition, imageSize, patches());
    }

    /** Returns the patches into which the views are cut; {@link PatchGrid#NONE} for most methods. */
    public PatchGrid patches() {
        return method.patches(encoder);
    }

    /** Returns the composition of the small views: that of the second view, with their share of the image's area. */
    public AugmentationPipeline smallView() {
        return otherViews.cropping(smallViews().least(), smallViews().most());
    }

    /**
     * Returns these settings with a method that has {@linkplain MethodFactory#open opened} the files that its options name.
     *
     * @param resources owner of the open files
     * @throws IOException if the method cannot open a file
     */
    public PretrainSettings opened(RunResources resources) throws IOException {
        return with(method.open(options, resources), optimizer, batch, microBatch, bnSplits, precision);
    }

    /** Returns the number of micro-batches of a batch. */
    public int microBatches() {
        return microBatch == 0 ? 1 : batch / microBatch;
    }

    /** Returns the number of groups of a batch that have their own batch norm statistics. */
    public int groups() {
        return bnSplits == 0 ? microBatches() : bnSplits;
    }

    /**
     * Checks that devices can share the steps. Each device processes the same number of whole groups, so that the result does not
     * depend on the number of devices.
     *
     * @param devices number of devices, at least 1
     * @throws IllegalArgumentException if the groups cannot be shared equally
     */
    public void checkDevices(int devices) {
        if (groups() % devices != 0) {
            throw new IllegalArgumentException(
                    "The number of batch norm groups (the setting bn-splits) must be a multiple of the " + devices
                            + " devices, which share them: found " + groups() + " for a batch of " + batch);
        }
    }

    /**
     * Checks that the head whose layers are kept with the encoder follows the encoder's features.
     *
     * @throws IllegalArgumentException if the method has no head, or has it elsewhere
     */
    public void checkKeptHead() {
        if (head.kept() > 0 && method.headUse() != MethodFactory.HeadUse.FEATURES) {
            throw new IllegalArgumentException(
                    "The method " + method.name() + " has no projection head behind the features of which "
                            + head.kept() + (head.kept() == 1 ? " layer" : " layers") + " could be kept");
        }
    }

    /**
     * Checks that the network supports the image size and that its weights can be saved.
     *
     * @throws IllegalArgumentException if not
     */
    public void checkNetwork() {
        Network.check(network(2));
    }

    /**
     * Returns the encoder with the layers that follow its features.
     *
     * @param classes number of classes of the images, for a classifier
     */
    public LayerGraph network(int classes) {
        LayerGraph graph = encoder.graph(imageSize);
        return switch (method.headUse()) {
            case FEATURES -> head.behind(graph);
            case CLASSIFIER -> Head.classifier(classes).behind(graph);
            case PARTS, NONE -> graph;
        };
    }

    /** Tells whether training uses labels. */
    public boolean needsLabels() {
        return method.needsLabels(options);
    }

    /** Tells whether this number of images is too small to train an encoder from random weights, see {@link #FEW_IMAGES}. */
    public boolean needsMoreThan(int images) {
        return images < FEW_IMAGES && method.needsManyImages();
    }

    /**
     * Returns whether the images have at least three times the side of the views, so that views show little detail.
     *
     * @param shortSide shorter side of the images in pixels
     */
    public boolean isFarSmallerThan(int shortSide) {
        return shortSide >= FAR_LARGER * imageSize;
    }

    /** Gives the optimizer in saved settings its current key, which was spelled {@code optimiser} up to November 2026. */
    public static void renameOptimizer(Map<String, String> saved) {
        String optimizer = saved.remove("training.optimiser");
        if (optimizer != null) {
            saved.put("training.optimizer", optimizer);
        }
    }

    /** Returns the effective settings as text, for metadata and for comparison with those of a checkpoint. */
    public Map<String, String> describe() {
        Map<String, String> d = new TreeMap<>();
        d.put("training.method", method.name());
        Map<Option<?>, String> unused = method.withoutEffect(options);
        for (Option<?> o : options.options()) {
            if (o.type() != Path.class
                    && unused.keySet().stream().noneMatch(u -> u.name().equals(o.name()))) {
                d.put("training." + o.key(), "" + options.get(o));
            }
        }
        d.putAll(method.metadata());
        d.put("training.encoder", encoder.describe());
        d.put(
                "training.head",
                switch (method.headUse()) {
                    case FEATURES -> head.describe();
                    case PARTS -> head.describe() + ", one for each part";
                    case NONE -> "none";
                    case CLASSIFIER -> "linear classifier";
                });
        d.put("training.image_size", "" + imageSize);
        d.put(
                "training.views",
                views() == 1 || firstView.equals(otherViews) ? firstView.toString() : firstView + " | " + otherViews);
        d.put("training.batch", "" + batch);
        d.put("training.micro_batch", "" + microBatch);
        d.put("training.bn_splits", "" + bnSplits);
        d.put("training.epochs", "" + epochs);
        d.put("training.precision", precision == null ? "auto" : precision.text());
        d.put("training.zero_gamma", "" + zeroGamma);
        d.put("training.optimizer", optimizer.name());
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
        if (!preset.isEmpty()) {
            d.put(PRESET, preset);
        }
        return d;
    }

    /** Returns the options of an encoder family, with the defaults of pretraining. */
    public static List<Option<?>> encoderOptions(EncoderFamily family) {
        List<Option<?>> options = new ArrayList<>(family.options());
        if (isNarrowByDefault(family)) {
            options.replaceAll(o -> o.name().equals("width") && o.type() == Double.class ? narrow(o) : o);
        }
        return options;
    }

    /** Tells whether the networks of a family are ResNets, whose published width is too slow on a CPU. */
    static boolean isNarrowByDefault(EncoderFamily family) {
        return family instanceof ResNetFamily
                || family instanceof TwoTowersFamily
                || family instanceof PatchEncoderFamily;
    }

    @SuppressWarnings("unchecked") // The type was checked.
    private static Option<?> narrow(Option<?> width) {
        return ((Option<Double>) width)
                .withDefault(WIDTH, "for a CPU; 1 is the published network, Chen et al. 2020 use 1, 2 and 4");
    }
}
