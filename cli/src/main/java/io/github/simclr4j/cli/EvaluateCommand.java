// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.EvaluatePage;
import io.github.simclr4j.cli.report.page.EvaluationPictures;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import io.github.simclr4j.tribuo.evaluation.Confusions;
import io.github.simclr4j.tribuo.evaluation.Protocol;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.tribuo.evaluation.Protocols;
import io.github.simclr4j.util.LibraryVersion;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** Runs {@code simclr evaluate}. */
@CommandLine.Command(
        name = "evaluate",
        description = "Evaluates an encoder: a linear classifier on its features, on raw pixels and on the"
                + " features of an untrained encoder; or other protocols.")
final class EvaluateCommand extends Command {
    /** The protocol whose result is compared with those of raw pixels and of an untrained encoder. */
    private static final String LINEAR = "linear";

    @CommandLine.Option(names = "--encoder", paramLabel = "E", required = true, description = "The encoder (ONNX).")
    Path encoder;

    @CommandLine.Option(names = "--protocol", paramLabel = "P", split = ",", defaultValue = LINEAR)
    List<String> protocols;

    @Mixin
    EvaluationOptions on;

    @Mixin
    ReportOption report;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    private final Map<String, Protocol> known = new LinkedHashMap<>();
    private DeclaredOptions declared;
    private EvaluationPictures pictures;

    /** Adds the protocols and their options, which other jars may extend. */
    @Spec
    void declare(CommandSpec spec) {
        Protocols.all().forEach(p -> known.putIfAbsent(p.name(), p));
        String names = known.values().stream()
                .map(p -> p.name() + ": " + p.help() + " [" + PretrainOptions.address(p.paper()) + "]")
                .collect(Collectors.joining("; "));
        OptionSpec option = spec.findOption("--protocol");
        spec.remove(option);
        spec.addOption(OptionSpec.builder(option)
                .description((names + " (default: ").replace("%", "%%") + "${DEFAULT-VALUE}).")
                .build());
        Map<String, List<Option<?>>> all = new LinkedHashMap<>();
        known.forEach((name, p) -> all.put(name, p.options()));
        declared = new DeclaredOptions(
                "--protocol", all, new HashSet<>(spec.optionsMap().keySet()));
        ArgGroupSpec.Builder group =
                ArgGroupSpec.builder().exclusive(false).validate(false).heading("%nOptions of protocols%n");
        declared.specs(spec).forEach(group::addArg);
        spec.addArgGroup(group.build());
    }

    @Override
    boolean trains() {
        return chosen().stream().anyMatch(p -> !p.usesFeatures());
    }

    /** Returns the chosen protocols, in the order in which all protocols are listed. */
    private List<Protocol> chosen() {
        for (String name : protocols) {
            if (!known.containsKey(name)) {
                throw new IllegalArgumentException(
                        "Unknown --protocol, expected " + String.join(", ", known.keySet()) + ", found " + name);
            }
        }
        return known.values().stream().filter(p -> protocols.contains(p.name())).toList();
    }

    /** Refuses options that were given but have no effect. */
    private void check(List<Protocol> chosen) {
        on.check();
        declared.check(this, protocols, Map.of());
        List<String> fixed = known.values().stream()
                .filter(Protocol::usesFeatures)
                .map(Protocol::name)
                .toList();
        only(
                chosen.stream().anyMatch(Protocol::usesFeatures),
                "with --protocol " + DeclaredOptions.and(fixed),
                EncoderOptions.FIXED);
        if (chosen.stream().allMatch(Protocol::usesFeatures)) {
            options.checkDevice(this);
        }
    }

    private OptionValues values(Protocol protocol) {
        try {
            return OptionValues.of(protocol.options(), declared.given(protocol.name()));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(declared.inTermsOfOptions(protocol.name(), e.getMessage()), e);
        }
    }

    @Override
    Path reportFile() {
        return report.report;
    }

    @Override
    HtmlPage page(JsonObject record) {
        return EvaluatePage.of(record, pictures);
    }

    @Override
    Map<String, Object> work() throws IOException {
        List<Protocol> chosen = chosen();
        check(chosen);
        Map<String, OptionValues> values = new LinkedHashMap<>();
        chosen.forEach(p -> values.put(p.name(), values(p)));
        Console console = new Console();
        try (ImageSource training = open(on.train, tables, console);
                ImageSource testing = open(on.test, tables, console);
                ProtocolContext context = on.context(encoder, options, common, training, testing, console)
                        .device(common.device)
                        .build()) {
            return measure(chosen, values, context);
        }
    }

    private Map<String, Object> measure(
            List<Protocol> chosen, Map<String, OptionValues> values, ProtocolContext context) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        LinearComparison linear = null;
        Confusions confusions = null;
        if (values.containsKey(LINEAR)) {
            linear = LinearComparison.of(context.with(values.get(LINEAR)), common.seed);
            linear.print();
            json.putAll(linear.json(encoder, seconds()));
            json.put("settings", EncoderOptions.json(linear.settings()));
            confusions = Confusions.of(linear.classes(), linear.best().getPredictions());
        }
        Map<String, Accuracies> others = new LinkedHashMap<>();
        for (Protocol p : chosen) {
            if (!p.name().equals(LINEAR)) {
                others.put(
                        p.name(),
                        p.run(context.with(values.get(p.name()))
                                .with((share, seed, accuracy) -> context.progress()
                                        .line(String.format(
                                                Locale.ROOT,
                                                "%s with %s of the labels: %.2f%%",
                                                p.name(),
                                                share,
                                                100 * accuracy)))));
            }
        }
        if (!others.isEmpty()) {
            System.out.println();
            System.out.println(AccuracyTable.of("protocol", others));
            json.putIfAbsent("encoder", encoder.toString());
            json.putIfAbsent("encoderSha256", OnnxEncoder.sha256(encoder));
            AccuracyTable.addTo(json, "protocols", "protocol", others);
        }
        json.put("data", EvaluationData.of(context));
        if (report.report != null) {
            json.put("encoderMetadata", context.extractor().encoder().metadata());
            pictures = new ReportImages(context.train(), context.test(), 1, common.seed, context.progress())
                    .of(context.features(), OnnxEncoder.sha256(encoder), confusions, json);
        }
        json.put("command", commandLine());
        json.put("version", LibraryVersion.current());
        json.put("seconds", seconds());
        return json;
    }
}
