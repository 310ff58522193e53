// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.ComparePage;
import io.github.simclr4j.cli.report.page.EvaluationPictures;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import io.github.simclr4j.tribuo.evaluation.KnnProtocol;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.evaluation.LinearProtocol;
import io.github.simclr4j.tribuo.evaluation.PairedComparison;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.util.LibraryVersion;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs {@code simclr compare}. */
@CommandLine.Command(
        name = "compare",
        description = "Evaluates several encoders on the same images, each with a linear classifier and nearest"
                + " neighbours, and tests whether their differences are significant.")
final class CompareCommand extends Command {
    @Option(
            names = "--encoder",
            paramLabel = "E",
            required = true,
            description = "The encoder (ONNX); give it at least twice.")
    List<Path> encoders;

    @Mixin
    EvaluationOptions on;

    @Mixin
    ReportOption report;

    @Mixin
    TableOptions tables;

    @Mixin
    EncoderOptions options;

    private final List<EvaluationPictures> pictures = new ArrayList<>();

    @Override
    Path reportFile() {
        return report.report;
    }

    @Override
    HtmlPage page(JsonObject record) {
        return ComparePage.of(record, pictures);
    }

    @Override
    Map<String, Object> work() throws IOException {
        if (encoders.size() < 2) {
            throw new IllegalArgumentException("--encoder must be given at least twice, found " + encoders.size());
        }
        on.check();
        options.checkDevice(this);
        Console console = new Console();
        Map<String, Accuracies> linear = new LinkedHashMap<>();
        Map<String, Accuracies> knn = new LinkedHashMap<>();
        List<Map<String, Object>> measured = new ArrayList<>();
        Map<String, List<Prediction<Label>>> predictions = new LinkedHashMap<>();
        Map<String, Object> json = new LinkedHashMap<>();
        try (ImageSource training = open(on.train, tables, console);
                ImageSource testing = open(on.test, tables, console)) {
            ReportImages images = report.report == null
                    ? null
                    : new ReportImages(
                            new LabelledImages(on.train, training),
                            new LabelledImages(on.test, testing),
                            encoders.size(),
                            common.seed,
                            console);
            for (Path encoder : encoders) {
                String name = name(encoder, linear.keySet());
                try (ProtocolContext context = on.context(encoder, options, common, training, testing, console)
                        .build()) {
                    console.line(name + ": "
                            + EncoderOptions.line(context.extractor().encoder().settings()));
                    linear.put(name, new LinearProtocol().run(told(context, name, "linear")));
                    knn.put(
                            name,
                            new KnnProtocol()
                                    .run(told(context, name, "knn")
                                            .with(OptionValues.defaults(new KnnProtocol().options()))));
                    measured.add(details(name, encoder, context, linear.get(name), predictions, images));
                    json.putIfAbsent("data", EvaluationData.of(context));
                    json.putIfAbsent("classes", context.features().classes());
                    json.putIfAbsent("skipped", context.features().skipped());
                }
            }
        }
        System.out.println();
        System.out.println(AccuracyTable.of("linear on", linear));
        System.out.println();
        System.out.println(AccuracyTable.of("knn on", knn));
        AccuracyTable.addTo(json, "linear", "linear", linear);
        AccuracyTable.addTo(json, "knn", "knn", knn);
        json.put("encoders", measured);
        json.put("paired", paired(predictions));
        json.put("command", commandLine());
        json.put("version", LibraryVersion.current());
        json.put("seconds", seconds());
        return json;
    }

    private static ProtocolContext told(ProtocolContext context, String name, String protocol) {
        return context.with((share, seed, accuracy) -> context.progress()
                .line(String.format(
                        Locale.ROOT, "%s, %s with %s of the labels: %.2f%%", name, protocol, share, 100 * accuracy)));
    }

    /** Returns a file's name without its ending, with as many of its folders as distinguish it from the others. */
    private static String name(Path encoder, Iterable<String> taken) {
        String name = encoder.getFileName().toString().replaceFirst("(?i)\\.onnx$", "");
        Path folder = encoder.toAbsolutePath().normalize().getParent();
        List<String> others = new ArrayList<>();
        taken.forEach(others::add);
        while (others.contains(name) && folder != null && folder.getFileName() != null) {
            name = folder.getFileName() + "/" + name;
            folder = folder.getParent();
        }
        return others.contains(name) ? name + " (" + (others.size() + 1) + ")" : name;
    }

    private Map<String, Object> details(
            String name,
            Path encoder,
            ProtocolContext context,
            Accuracies accuracies,
            Map<String, List<Prediction<Label>>> predictions,
            ReportImages images)
            throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        String sha256 = context.extractor().encoder().sha256();
        json.put("name", name);
        json.put("encoder", encoder.toString());
        json.put("encoderSha256", sha256);
        json.put("dimension", context.extractor().encoder().dimension());
        json.put("settings", EncoderOptions.json(context.extractor().encoder().settings()));
        EvaluationDetails details = EvaluationDetails.of(
                context.features().classes(), accuracies.best().orElseThrow());
        details.addTo(json);
        predictions.put(name, details.predictions());
        if (images != null) {
            json.put("encoderMetadata", context.extractor().encoder().metadata());
            pictures.add(images.of(context.features(), sha256, details.confusions(), json));
        }
        return json;
    }

    /** Compares every pair of encoders on the same test images. */
    private static List<Map<String, Object>> paired(Map<String, List<Prediction<Label>>> predictions) {
        List<String> names = new ArrayList<>(predictions.keySet());
        List<Map<String, Object>> all = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            for (int j = i + 1; j < names.size(); j++) {
                PairedComparison c = PairedComparison.of(predictions.get(names.get(i)), predictions.get(names.get(j)));
                Map<String, Object> pair = new LinkedHashMap<>();
                pair.put("first", names.get(i));
                pair.put("second", names.get(j));
                pair.put("bothRight", c.bothRight());
                pair.put("onlyFirst", c.onlyFirst());
                pair.put("onlySecond", c.onlySecond());
                pair.put("neither", c.neither());
                pair.put("p", c.p());
                all.add(pair);
            }
        }
        return all;
    }
}
