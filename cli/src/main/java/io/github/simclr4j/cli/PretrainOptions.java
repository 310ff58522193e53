// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.Preset;
import io.github.simclr4j.train.settings.Presets;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.settings.UnusedSettings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/**
 * Options for the hyper-parameters of pretraining. The method chooses the values that are left out, as in its paper.
 * The options of methods and encoder families are made from their declarations.
 */
final class PretrainOptions {
    /** A placeholder in a description. */
    private static final Pattern PLACE = Pattern.compile("#(\\w+)#");

    @Option(
            names = "--preset",
            paramLabel = "P",
            description = "Set of defaults; any option below that is given overrides it. Presets: #KINDS# (default:"
                    + " none, which is the same as small).")
    String preset;

    @Option(
            names = "--method",
            paramLabel = "M",
            defaultValue = "simclr",
            description = "Training method (default: ${DEFAULT-VALUE}):#METHODS#")
    String method;

    @Option(
            names = "--views",
            paramLabel = "V",
            description = "Augmentations of the views: a preset (#PRESETS#), or a list in order, such as"
                    + " crop:0.08,flip,jitter:0.5@0.8,grey@0.2,blur; see ./simclr views --help (default: the"
                    + " method's; without blur for images of at most 64 pixels). The presets are those of [1],"
                    + " [1, B.9] and [2, 3].")
    String views;

    @Option(
            names = "--views2",
            paramLabel = "V",
            description = "Augmentations of the second view, where they differ, as in BYOL, Grill et al. 2020"
                    + " (default: those of --views; without --views those of the method#otherViews#).")
    String views2;

    @Option(
            names = "--encoder",
            paramLabel = "E",
            description = "Encoder architecture: #ENCODERS# (default: resnet18, or the preset's; [1] has resnet50).")
    String encoder;

    @Option(
            names = "--image-size",
            paramLabel = "N",
            description = "Side of the views in pixels (default: 32, or the preset's; [1] has 224).")
    Integer imageSize;

    @Option(
            names = "--zero-gamma",
            paramLabel = "true|false",
            arity = "1",
            description = "Initialise the last batch norm of each residual block to 0, Goyal et al. 2017 (default:"
                    + " true; false for adam and adamw, which leave 0 slowly).")
    Boolean zeroGamma;

    @Option(
            names = "--head",
            paramLabel = "H",
            description = "Projection head: none, linear, nonlinear [1, 4.2] or deep (three layers [4]) (default:"
                    + " nonlinear#head#).")
    String head;

    @Option(
            names = "--head-norm",
            paramLabel = "true|false",
            arity = "1",
            description = "Use batch norm after the head's dense layers, and no biases (default: true [1]#headNorm#).")
    Boolean headNorm;

    @Option(
            names = "--head-output-norm",
            paramLabel = "true|false",
            arity = "1",
            description = "With --head-norm, use batch norm after the head's last layer, too (default: true"
                    + " [1]#headOutputNorm#).")
    Boolean headOutputNorm;

    @Option(
            names = "--hidden",
            paramLabel = "N",
            description = "Width of the head's hidden layers; 0 for the encoder's dimension [1, 3] (default:"
                    + " 0#hidden#; the values of these methods are capped at 8 times the encoder's dimension).")
    Integer hidden;

    @Option(
            names = "--projection",
            paramLabel = "N",
            description = "Dimension of the projection, on which the loss is computed, up to 32768 (default: 64 for"
                    + " a ResNet of a width below 1, else 128 [1]#projection#).")
    Integer projection;

    @Option(
            names = "--keep-head",
            paramLabel = "K",
            defaultValue = "0",
            description = "Number of layers of the head that are kept in the written encoder [4] (default:"
                    + " ${DEFAULT-VALUE}).")
    int keepHead;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description =
                    "Images per step, each with two views (default: 128, or the preset's; [1] has 4096, [2] 256).")
    Integer batch;

    @Option(
            names = "--micro-batch",
            paramLabel = "N",
            description = "Images that pass through the network at once, for batches that exceed the memory; the"
                    + " gradient is that of the whole batch (Gao et al. 2021); 0 for all (default: 0, or the"
                    + " preset's where it divides the batch).")
    Integer microBatch;

    @Option(
            names = "--bn-splits",
            paramLabel = "N",
            description = "Number of groups of a batch with batch norm statistics of their own, as on that many"
                    + " devices [2, 3.3] (default: one per micro-batch or per device#bnSplits#, or fewer for"
                    + " small batches).")
    Integer bnSplits;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the images (default: 100, or the preset's; [1] has 100 to 1000).")
    Integer epochs;

    @Option(
            names = "--optimizer",
            paramLabel = "O",
            description = "Optimizer: lars [1], sgd (with momentum [2]), nesterov, adam or adamw (default: adamw,"
                    + " or the preset's).")
    String optimizer;

    @Option(
            names = "--learning-rate",
            paramLabel = "R",
            description = "Learning rate after the warm-up (default: by --lr-scaling, with the batch size B: lars"
                    + " 0.075*sqrt(B) or 0.3*B/256 [1, B.1]; sgd 0.03*sqrt(B/256) or 0.03*B/256 [2]; adam and"
                    + " adamw 0.008*sqrt(B/128) or 0.008*B/128, times a factor of the method (docs/methods.md)"
                    + "#rateFactor#. In place of these, at B=256, the rates of the methods' papers"
                    + "#baseLearningRate#).")
    Double learningRate;

    @Option(
            names = "--lr-scaling",
            paramLabel = "S",
            defaultValue = "sqrt",
            description = "How the learning rate scales with the batch size: sqrt or linear (default:"
                    + " ${DEFAULT-VALUE}, better below 4096 [1, B.1]).")
    String scaling;

    @Option(
            names = "--momentum",
            paramLabel = "M",
            defaultValue = "0.9",
            description = "Momentum of lars, sgd and nesterov (default: ${DEFAULT-VALUE} [1, 2]).")
    double momentum;

    @Option(
            names = "--weight-decay",
            paramLabel = "D",
            description = "Weight decay of all weights except biases and those of batch norm (default: 1e-4"
                    + " [2], [1] has 1e-6, or the preset's#weightDecay#).")
    Double weightDecay;

    @Option(
            names = "--warmup-epochs",
            paramLabel = "N",
            description = "Epochs in which the learning rate rises from 0 (default: a tenth of all, at most 10"
                    + " [1]#warmupEpochs#).")
    Double warmupEpochs;

    @Option(
            names = "--schedule",
            paramLabel = "S",
            description = "Schedule of the learning rate: cosine [1], step (a tenth after 60%%, a hundredth after"
                    + " 80%% of the training [2]) or constant (default: cosine#schedule#).")
    String schedule;

    @Option(
            names = "--clip",
            paramLabel = "N",
            defaultValue = "0",
            description = "Maximum norm of the gradient (Pascanu et al. 2013); 0 for no clipping (default:"
                    + " ${DEFAULT-VALUE}).")
    double clip;

    @Option(
            names = "--weight-average",
            paramLabel = "M",
            defaultValue = "0",
            description = "Momentum of an exponential moving average of the weights (Polyak and Juditsky 1992),"
                    + " which is then evaluated and written; 0 for none (default: ${DEFAULT-VALUE}).")
    double weightAverage;

    @Option(
            names = "--precision",
            paramLabel = "P",
            defaultValue = "auto",
            description = "Precision of the computation: float32, bfloat16, float16 with loss scaling (Micikevicius"
                    + " et al. 2018; on a GPU only), or auto: bfloat16 where the device supports it natively,"
                    + " else float32. Weights, statistics, loss and optimizer state are always float32"
                    + " (default: ${DEFAULT-VALUE}).")
    String precision;

    /** An option of versions before 0.1, refused with a message that names its replacement. */
    @Option(names = "--mixed-precision", hidden = true)
    boolean mixedPrecision;

    /** Number of devices that share each step. */
    int devices = 1;

    private final Map<String, MethodFactory> methods = new LinkedHashMap<>();
    private DeclaredOptions ofMethods;
    private DeclaredOptions ofEncoders;
    private final List<String> names = new ArrayList<>();
    private CommandSpec spec;

    /** Adds these options and the declared ones to a command, under their own heading. */
    void addTo(CommandSpec command) {
        Methods.all().forEach(m -> methods.putIfAbsent(m.name(), m));
        List<OptionSpec> own = CommandSpec.forAnnotatedObject(this).options();
        Set<String> taken = new HashSet<>(command.optionsMap().keySet());
        own.forEach(o -> taken.addAll(List.of(o.names())));
        Map<String, List<io.github.simclr4j.util.Option<?>>> all = new LinkedHashMap<>();
        methods.forEach((name, m) -> all.put(name, m.options()));
        ofMethods = new DeclaredOptions("--method", all, taken);
        Map<String, List<io.github.simclr4j.util.Option<?>>> families = new LinkedHashMap<>();
        EncoderFamilies.all().forEach(f -> families.put(name(f), PretrainSettings.encoderOptions(f)));
        ofEncoders = new DeclaredOptions("--encoder", families, taken);
        ArgGroupSpec.Builder group =
                ArgGroupSpec.builder().exclusive(false).validate(false).heading("%nHyper-parameters%n");
        for (OptionSpec o : own) {
            group.addArg(described(o));
            if (o.longestName().equals("--method")) {
                ofMethods.specs(command).forEach(group::addArg);
            } else if (o.longestName().equals("--encoder")) {
                ofEncoders.specs(command).forEach(group::addArg);
            }
        }
        ArgGroupSpec built = group.build();
        built.options().forEach(o -> names.add(o.longestName()));
        command.addArgGroup(built);
        spec = command;
    }

    /** Returns the given values as text, by the options' names without their dashes. */
    Map<String, String> given(Command command) {
        Map<String, String> given = new LinkedHashMap<>();
        names.stream()
                .filter(command::isGiven)
                .forEach(name -> given.put(
                        name.substring(2), String.valueOf(spec.findOption(name).<Object>getValue())));
        return given;
    }

    /** Fills the placeholders of a description with the names that the libraries know. */
    private OptionSpec described(OptionSpec option) {
        String text = String.join(" ", option.description());
        if (!text.contains("#")) {
            return OptionSpec.builder(option).build();
        }
        MethodDefaults defaults = new MethodDefaults(methods.values());
        Map<String, String> places = new LinkedHashMap<>();
        places.put(
                "METHODS",
                methods.values().stream()
                        .map(m -> "\n" + m.name() + " [" + address(m.paper()) + "]: " + m.summary() + ".")
                        .collect(Collectors.joining()));
        places.put(
                "ENCODERS",
                EncoderFamilies.all().stream()
                        .map(f -> String.join(", ", f.names()) + " [" + address(f.paper()) + "]")
                        .collect(Collectors.joining(", ")));
        places.put(
                "KINDS",
                Presets.all().stream()
                                .map(p -> p.name() + " " + p.summary()
                                        + (p.source().isEmpty() ? "" : " [" + p.source() + "]"))
                                .collect(Collectors.joining("; "))
                        + ".");
        places.put("PRESETS", String.join(", ", AugmentationPipeline.presets()));
        String described = PLACE.matcher(text)
                .replaceAll(m -> Matcher.quoteReplacement(
                        places.containsKey(m.group(1)) ? places.get(m.group(1)) : defaults.of(m.group(1))));
        // Percent signs are already resolved in the description that was read.
        return OptionSpec.builder(option)
                .description(described.replace("%", "%%").split("\n"))
                .build();
    }

    /** Returns the options that choose a method with a teacher, such as {@code --method distill --teacher}, if there is one. */
    Optional<String> withTeacher() {
        return methods.values().stream()
                .filter(m -> m.teacher().isPresent())
                .findFirst()
                .map(m -> "--method " + m.name() + " "
                        + ofMethods.optionOf(
                                List.of(m.name()), m.teacher().get().name()));
    }

    static String address(String paper) {
        return paper.replaceFirst("^https?://(www\\.)?", "").replaceFirst("^arxiv\\.org/abs/", "arXiv:");
    }

    /** Names a family by its members, such as {@code resnet18 to resnet152}. */
    private static String name(EncoderFamily family) {
        List<String> names = family.names();
        return names.size() < 3 ? String.join(" and ", names) : names.get(0) + " to " + names.get(names.size() - 1);
    }

    /**
     * Refuses options that were given but have no effect.
     *
     * @param settings settings that result from the given options
     */
    void check(Command command, PretrainSettings settings) {
        ofMethods.check(command, List.of(method), settings.method().withoutEffect(settings.options()));
        List<String> family = List.of(name(EncoderFamilies.family(encoderName())));
        ofEncoders.check(command, family, Map.of());
        Set<String> all = new LinkedHashSet<>(given(command).keySet());
        all.addAll(ofEncoders.given(family.get(0)).keySet());
        if (command.isGiven("--init")) {
            all.add("init");
        }
        UnusedSettings.of(all, settings, encoderName())
                .forEach((name, when) -> command.only(false, when, ofEncoders.optionOf(family, name)));
    }

    /**
     * Refuses options other than some.
     *
     * @param when what takes the other options, such as "with bench step"
     * @param used names of options that have an effect
     * @param encoders whether the options of encoders have an effect
     */
    void only(Command command, String when, Set<String> used, boolean encoders) {
        Set<String> others = new LinkedHashSet<>(names);
        others.removeAll(used);
        if (encoders) {
            others.removeAll(ofEncoders.names());
        }
        command.only(false, when, others.toArray(String[]::new));
    }

    /** Fills a builder with the given values. */
    private PretrainBuilder builder(long seed) {
        if (mixedPrecision) {
            throw new IllegalArgumentException(
                    "--mixed-precision was removed: use --precision bfloat16, or --precision float16 on a GPU");
        }
        PretrainBuilder b = new PretrainBuilder()
                .preset(preset())
                .method(factory())
                .encoder(encoder, ofEncoders.given(name(EncoderFamilies.family(encoderName()))))
                .imageSize(imageSize)
                .zeroGamma(zeroGamma)
                .head(head)
                .headNorm(headNorm)
                .headOutputNorm(headOutputNorm)
                .hidden(hidden)
                .projection(projection)
                .keepHead(keepHead)
                .views(views)
                .otherViews(views2)
                .batch(batch)
                .microBatch(microBatch)
                .bnSplits(bnSplits)
                .devices(devices)
                .epochs(epochs)
                .optimizer(optimizer)
                .learningRate(learningRate)
                .rateScaling(scaling)
                .momentum(momentum)
                .weightDecay(weightDecay)
                .warmupEpochs(warmupEpochs)
                .schedule(schedule)
                .clip(clip)
                .weightAverage(weightAverage)
                .precision(precision())
                .seed(seed);
        ofMethods.given(method).forEach(b::option);
        return b;
    }

    private MethodFactory factory() {
        MethodFactory factory = methods.get(method);
        if (factory == null) {
            throw new IllegalArgumentException("Unknown --method, expected "
                    + DeclaredOptions.either(List.copyOf(methods.keySet())) + ", found " + method);
        }
        return factory;
    }

    private Preset preset() {
        try {
            return preset == null ? null : Presets.named(preset);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage().replace("Unknown preset", "Unknown --preset"), e);
        }
    }

    /** Returns the given architecture, or that of the preset. */
    private String encoderName() {
        Preset chosen = preset();
        return encoder != null ? encoder : chosen == null ? "resnet18" : chosen.encoder();
    }

    private Precision precision() {
        try {
            return Precision.parse(precision);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage().replace("Unknown precision", "Unknown --precision"), e);
        }
    }

    /**
     * Returns the settings.
     *
     * @param images number of images
     * @throws IllegalArgumentException if a value is out of range
     */
    PretrainSettings settings(long seed, int images) {
        return settings(seed, images, batch);
    }

    /** Returns the settings like the other method, but with another batch size than the given one. */
    PretrainSettings settings(long seed, int images, Integer otherBatch) {
        try {
            return builder(seed).batch(otherBatch).build(images);
        } catch (IllegalArgumentException e) {
            String family =
                    EncoderFamilies.names().contains(encoderName()) ? name(EncoderFamilies.family(encoderName())) : "";
            String message = ofMethods.inTermsOfOptions(method, e.getMessage());
            throw new IllegalArgumentException(ofEncoders.inTermsOfOptions(family, message), e);
        }
    }
}
