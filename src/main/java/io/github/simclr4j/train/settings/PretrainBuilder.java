// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.Defaults;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.train.method.SimClr;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.optim.OptimizerSettings;
import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Builds the settings of a pretraining. A value that is not set has the default of the {@linkplain Preset preset}, if there is one, else
 * that of the method, else the common default in the documentation of its setter. Not thread-safe.
 */
public final class PretrainBuilder {
    private MethodFactory method = new SimClr();
    private final Map<String, String> options = new LinkedHashMap<>();
    private Preset preset;
    private EncoderChoice encoder = EncoderChoice.NONE;
    private Integer imageSize;
    private String head;
    private Boolean headNorm;
    private Boolean headOutputNorm;
    private Integer hidden;
    private Integer projection;
    private int keepHead;
    private String views;
    private String otherViews;
    private Integer batch;
    private Integer microBatch;
    private Integer bnSplits;
    private int devices = 1;
    private Integer epochs;
    private String optimizer;
    private String rateScaling = "sqrt";
    private Double learningRate;
    private double momentum = 0.9;
    private Double weightDecay;
    private Double warmupEpochs;
    private String schedule;
    private double clip;
    private double average;
    private Precision precision;
    private Boolean zeroGamma;
    private long seed = 1;

    /** Creates a builder with the default settings of SimCLR. */
    public PretrainBuilder() {}

    /** Chooses the method by name, such as {@code mocov2}; SimCLR by default. */
    public PretrainBuilder method(String name) {
        return method(Methods.named(name));
    }

    /** Chooses the method. */
    public PretrainBuilder method(MethodFactory factory) {
        method = factory;
        return this;
    }

    /** Chooses a preset by name, such as {@code photos}; null, the default, for none. */
    public PretrainBuilder preset(String name) {
        return preset(name == null ? null : Presets.named(name));
    }

    /** Chooses the preset; null, the default, for none. */
    public PretrainBuilder preset(Preset chosen) {
        preset = chosen;
        return this;
    }

    /** Sets one of the method's own options by name, such as {@code temperature}; null for its default. */
    public PretrainBuilder option(String name, Object value) {
        options.put(name, value == null ? null : value.toString());
        return this;
    }

    /** Sets the architecture; a ResNet-18 of width 0.25 for images of about 32 pixels by default. */
    public PretrainBuilder encoder(Architecture architecture) {
        encoder = new EncoderChoice(architecture, null, Map.of());
        return this;
    }

    /**
     * Chooses the architecture by name, such as {@code resnet50}. A ResNet has a quarter of the published width by default, other options have
     * the defaults of the family.
     *
     * @param name name of the architecture, in upper or lower case; null for the default
     * @param given values of the family's options by name, such as {@code width}; null for the default
     * @throws IllegalArgumentException if there is no such architecture; {@link #build} checks the options
     */
    public PretrainBuilder encoder(String name, Map<String, String> given) {
        if (name != null) {
            EncoderFamilies.family(name);
        }
        encoder = new EncoderChoice(null, name, new LinkedHashMap<>(given));
        return this;
    }

    /** Sets the side of the views in pixels; null for the default, 32. */
    public PretrainBuilder imageSize(Integer side) {
        imageSize = side;
        return this;
    }

    /** Tells whether the side of the views was set, by the user or by a preset. */
    public boolean isImageSizeChosen() {
        return imageSize != null || preset != null;
    }

    /** Sets the kind of the projection head: none, linear, nonlinear (the default) or deep. */
    public PretrainBuilder head(String kind) {
        head = kind;
        return this;
    }

    /** Sets whether batch norm follows the head's dense layers; true by default. */
    public PretrainBuilder headNorm(Boolean norm) {
        headNorm = norm;
        return this;
    }

    /** Sets whether batch norm follows the head's last layer, too, if the head has batch norm; true by default. */
    public PretrainBuilder headOutputNorm(Boolean norm) {
        headOutputNorm = norm;
        return this;
    }

    /** Sets the width of the head's hidden layers; 0, the default, for the encoder's dimension. */
    public PretrainBuilder hidden(Integer width) {
        hidden = width;
        return this;
    }

    /** Sets the length of the projections; 128 by default, 64 for a ResNet of a width below 1. */
    public PretrainBuilder projection(Integer length) {
        projection = length;
        return this;
    }

    /** Sets the number of the head's layers that stay with the exported encoder; 0 by default. */
    public PretrainBuilder keepHead(int layers) {
        keepHead = layers;
        return this;
    }

    /** Sets the composition of the views, see {@link AugmentationPipeline#of}; the method's by default. */
    public PretrainBuilder views(String text) {
        views = text;
        return this;
    }

    /** Sets the composition of the second and further views, if it differs from the first. */
    public PretrainBuilder otherViews(String text) {
        otherViews = text;
        return this;
    }

    /** Sets the number of images per step; null for the default, 128. */
    public PretrainBuilder batch(Integer images) {
        batch = images;
        return this;
    }

    /** Sets the number of images that go through the network at once; 0, or null for the default, for the whole batch. */
    public PretrainBuilder microBatch(Integer images) {
        microBatch = images;
        return this;
    }

    /**
     * Sets the number of groups of a batch that have their own batch norm statistics. The default is the method's, else one group per
     * micro-batch, and at least one per device.
     */
    public PretrainBuilder bnSplits(Integer groups) {
        bnSplits = groups;
        return this;
    }

    /**
     * Sets the number of devices that share each step; 1 by default. Only the default of {@link #bnSplits} depends on it: with a given number of
     * groups, a run can continue on any number of devices that divides it.
     */
    public PretrainBuilder devices(int number) {
        devices = number;
        return this;
    }

    /** Sets the passes over the images; null for the default, 100. */
    public PretrainBuilder epochs(Integer passes) {
        epochs = passes;
        return this;
    }

    /** Chooses the optimizer by name; null for the default, adamw. */
    public PretrainBuilder optimizer(String name) {
        optimizer = name;
        return this;
    }

    /** Sets the learning rate after the warm-up; the default depends on optimizer and batch size, see {@link OptimizerSettings#rate}. */
    public PretrainBuilder learningRate(Double rate) {
        learningRate = rate;
        return this;
    }

    /** Sets how the default learning rate scales with the batch size: sqrt (the default) or linear. */
    public PretrainBuilder rateScaling(String scaling) {
        rateScaling = scaling;
        return this;
    }

    /** Sets the momentum of LARS, SGD and Nesterov; 0.9 by default. */
    public PretrainBuilder momentum(double m) {
        momentum = m;
        return this;
    }

    /** Sets the weight decay; 1e-4 by default. */
    public PretrainBuilder weightDecay(Double decay) {
        weightDecay = decay;
        return this;
    }

    /** Sets the learning rate warm-up in epochs; by default a tenth of the epochs, at most 10. */
    public PretrainBuilder warmupEpochs(Double warmup) {
        warmupEpochs = warmup;
        return this;
    }

    /** Sets the learning rate schedule: cosine (the default), step or constant. */
    public PretrainBuilder schedule(String name) {
        schedule = name;
        return this;
    }

    /** Sets the norm to which the gradient is clipped; 0, the default, for no clipping. */
    public PretrainBuilder clip(double norm) {
        clip = norm;
        return this;
    }

    /** Sets the momentum of an exponential moving average of the weights, which is then exported; 0, the default, for none. */
    public PretrainBuilder weightAverage(double m) {
        average = m;
        return this;
    }

    /** Sets the precision; null, the default, for bfloat16 if the device supports it natively, else float32. */
    public PretrainBuilder precision(Precision p) {
        precision = p;
        return this;
    }

    /** Sets whether the scale of the last batch norm of each residual block starts at 0; by default true, but false for Adam and AdamW. */
    public PretrainBuilder zeroGamma(Boolean zero) {
        zeroGamma = zero;
        return this;
    }

    /** Sets the seed of all random numbers; 1 by default. */
    public PretrainBuilder seed(long number) {
        seed = number;
        return this;
    }

    /**
     * Returns the settings for a number of images.
     *
     * @param images number of images, on which some defaults depend
     * @throws IllegalArgumentException if a value is out of range, or values do not fit each other
     */
    public PretrainSettings build(int images) {
        PresetDefaults p = new PresetDefaults(method, encoder.name(preset));
        if (preset != null) {
            preset.defaults(p);
        }
        Architecture network = encoder.architecture(preset, p.encoderOptions());
        Run run = run(p);
        Architecture trained = method.encoder(network, run.imageSize);
        Defaults d = new Defaults(images, run.imageSize, run.batch, run.microBatch, run.epochs, run.optimizer)
                .ofFeatures(network.graph(run.imageSize)
                        .output(LayerGraph.FEATURES)
                        .shape()
                        .get(0))
                .ofEncoder(trained);
        d.views(d.isSmall() ? "simclr-cifar" : "simclr").bnSplits(0);
        method.defaults(d);
        String chosenViews =
                views != null ? views : p.get("views", String.class).orElse(null);
        OptionValues values = OptionValues.of(method.options(), given(d, p));
        method.check(values, d);
        Head projectionHead = Head.of(
                or(head, d, "head", "nonlinear"),
                or(hidden, d, "hidden", 0),
                or(projection, d, "projection", isNarrow(network) ? 64 : 128),
                or(headNorm, d, "headNorm", true),
                or(headOutputNorm, d, "headOutputNorm", true),
                keepHead);
        AugmentationPipeline first = AugmentationPipeline.of(or(chosenViews, d, "views", "none"));
        String others = otherViews != null
                ? otherViews
                : chosenViews != null
                        ? chosenViews
                        : d.get("otherViews", String.class).orElse(null);
        return new PretrainSettings(
                trained,
                run.imageSize,
                projectionHead,
                first,
                others == null ? first : AugmentationPipeline.of(others),
                method,
                values,
                optimizer(run, d, p, images),
                run.batch,
                run.microBatch,
                splits(run, d),
                run.epochs,
                precision,
                zeroGamma != null ? zeroGamma : OptimizerSettings.zeroGamma(run.optimizer),
                seed,
                preset == null ? "" : preset.name());
    }

    /** The values that the method's defaults depend on. */
    private record Run(int imageSize, int batch, int microBatch, int epochs, String optimizer) {}

    private Run run(PresetDefaults p) {
        int images = or(batch, p, "batch", 128);
        int usual = p.get("microBatch", Integer.class)
                .filter(m -> m < images && images % m == 0)
                .orElse(0);
        return new Run(
                or(imageSize, p, "imageSize", 32),
                images,
                microBatch != null ? microBatch : usual,
                or(epochs, p, "epochs", 100),
                or(optimizer, p, "optimizer", "adamw"));
    }

    private OptimizerSettings optimizer(Run run, Defaults d, PresetDefaults p, int images) {
        int size = Math.max(1, Math.min(run.batch, images));
        // It is checked where another rate was given, too.
        double common = OptimizerSettings.rate(run.optimizer, rateScaling, size);
        boolean asPreset =
                p.get("optimizer", String.class).filter(run.optimizer::equals).isPresent();
        Double itsRate = asPreset ? p.get("baseLearningRate", Double.class).orElse(null) : null;
        Double itsDecay = asPreset ? p.get("weightDecay", Double.class).orElse(null) : null;
        double rate;
        if (learningRate != null) {
            rate = learningRate;
        } else if (itsRate != null) {
            rate = OptimizerSettings.scaled(itsRate, rateScaling, size);
        } else {
            rate = or(
                    null,
                    d,
                    "learningRate",
                    d.get("baseLearningRate", Double.class)
                            .map(base -> OptimizerSettings.scaled(base, rateScaling, size))
                            .orElse(common * d.get("rateFactor", Double.class).orElse(1.0)));
        }
        return new OptimizerSettings(
                run.optimizer,
                rate,
                or(weightDecay != null ? weightDecay : itsDecay, d, "weightDecay", 1e-4),
                momentum,
                or(warmupEpochs, d, "warmupEpochs", OptimizerSettings.warmup(run.epochs)),
                or(schedule, d, "schedule", "cosine"),
                clip,
                average);
    }

    /**
     * Returns the number of groups of a batch. If it is not set and the devices cannot share the default, each device and micro-batch has one.
     */
    private int splits(Run run, Defaults d) {
        int usual = or(bnSplits, d, "bnSplits", 0);
        int micro = run.microBatch == 0 ? 1 : Math.max(1, run.batch / run.microBatch);
        if (bnSplits != null || (usual == 0 ? micro : usual) % devices == 0) {
            return usual;
        }
        int splits = micro;
        while (splits % devices != 0) {
            splits += micro;
        }
        if (run.batch % splits != 0) {
            throw new IllegalArgumentException("The batch must be a multiple of " + splits + ", for " + devices
                    + " devices" + (micro == 1 ? "" : " and " + micro + " micro-batches") + ", found " + run.batch);
        }
        return splits;
    }

    private Map<String, String> given(Defaults d, PresetDefaults p) {
        Map<String, String> all = new LinkedHashMap<>();
        d.options().forEach((name, value) -> all.put(name, value.toString()));
        all.putAll(p.options());
        options.forEach((name, value) -> {
            if (value != null) {
                all.put(name, value);
            }
        });
        return all;
    }

    private static boolean isNarrow(Architecture network) {
        return network instanceof ResNet net && net.width() < 1;
    }

    @SuppressWarnings("unchecked")
    private static <T> T or(T given, Defaults d, String name, T common) {
        return given != null ? given : d.get(name, (Class<T>) common.getClass()).orElse(common);
    }

    @SuppressWarnings("unchecked")
    private static <T> T or(T given, PresetDefaults p, String name, T common) {
        return given != null ? given : p.get(name, (Class<T>) common.getClass()).orElse(common);
    }
}
