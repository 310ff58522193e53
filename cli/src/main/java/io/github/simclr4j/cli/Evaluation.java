package io.github.simclr4j.cli;

import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluation;

/** Linear evaluation of an encoder beside raw pixels and an untrained encoder; shared by two commands. */
final class Evaluation {
    private final Path encoder;
    private final Path train;
    private final Path test;
    private final Map<String, Double> shares;
    private final GlobalOptions common;
    private final int repeat;
    private final Progress progress;

    /**
     * Accuracies by features and share, Tribuo's evaluation of the encoder with the most labels, how the encoder was fed, and the
     * SHA-256 of its file and the data beside it.
     */
    record Result(Map<String, Map<String, Accuracies>> linear, List<String> classes, int skipped, LabelEvaluation best,
            EncoderSettings settings, String encoderSha256) {}

    /**
     * @param repeat how many seeds choose the labels, from the common one on
     */
    Evaluation(Path encoder, Path train, Path test, List<String> labels, GlobalOptions common, int repeat, Progress progress) {
        this.encoder = encoder;
        this.train = train;
        this.test = test;
        this.common = common;
        this.repeat = repeat;
        this.progress = progress;
        shares = new LinkedHashMap<>();
        for (String label : labels) {
            shares.put(label.strip(), share(label));
        }
    }

    /** A share such as {@code 10%} as a number. */
    static double share(String label) {
        String text = label.strip();
        double share;
        try {
            share = Double.parseDouble(text.replace("%", "")) / 100;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("A share of labels must look like 10%, found " + label, e);
        }
        if (!text.endsWith("%") || !(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("A share of labels must be above 0% and at most 100%, found " + label);
        }
        return share;
    }

    /** The shares as they were written and as numbers, in order. */
    Map<String, Double> shares() {
        return shares;
    }

    /** What chooses the labels, run by run. */
    long[] seeds() {
        return LongStream.range(common.seed, common.seed + repeat).toArray();
    }

    /** Runs an encoder of ours. */
    Result run() throws IOException {
        return run(EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(common.threads));
    }

    Result run(EncoderSettings given, RuntimeSettings runtime) throws IOException {
        LabelFactory factory = new LabelFactory();
        Map<String, Map<String, Accuracies>> linear = new LinkedHashMap<>();
        try (SimCLRFeatureExtractor<Label> simclr = open(encoder, given, runtime)) {
            EncoderSettings used = simclr.encoder().settings();
            progress.line(EncoderOptions.line(used));
            List<String> classes = sameClasses(simclr);
            LabelEvaluation[] best = new LabelEvaluation[1];
            int skipped = measure("simclr", simclr, linear, best);
            int size = simclr.encoder().preprocessing().size();
            try (PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(factory, Math.min(32, size))) {
                measure("pixels", pixels, linear, new LabelEvaluation[1]);
            }
            if (simclr.encoder().architecture().isEmpty()) {
                progress.warn(encoder + " does not name its architecture: no untrained encoder to compare with");
                return new Result(linear, classes, skipped, best[0], used, simclr.encoder().sha256());
            }
            Path file = Files.createTempFile("simclr-untrained", ".onnx");
            try {
                AtomicFiles.write(file,
                        EncoderExport.untrained(simclr.encoder().architecture().get(), size, common.seed));
                try (SimCLRFeatureExtractor<Label> untrained =
                        new SimCLRFeatureExtractor<>(factory, file, common.threads)) {
                    measure("untrained", untrained, linear, new LabelEvaluation[1]);
                }
            } finally {
                Files.deleteIfExists(file);
            }
            return new Result(linear, classes, skipped, best[0], used, simclr.encoder().sha256());
        }
    }

    List<String> sameClasses(ImageFeatureExtractor<Label> extractor) {
        List<String> known = classNames(train, extractor);
        List<String> unknown = new ArrayList<>(classNames(test, extractor));
        unknown.removeAll(known);
        if (known.size() < 2) {
            throw new IllegalStateException(train + " has one class, " + known + ": expected at least two sub-folders");
        }
        if (!unknown.isEmpty()) {
            throw new IllegalStateException("Test images of classes that " + train + " lacks: " + unknown
                    + "; add them there or take them out of " + test);
        }
        return known;
    }

    private static List<String> classNames(Path folder, ImageFeatureExtractor<Label> extractor) {
        try {
            return new ImageFolderDataSource<>(folder, extractor).classNames();
        } catch (PropertyException e) {
            throw plain(e);
        }
    }

    static SimCLRFeatureExtractor<Label> open(Path encoder, EncoderSettings given, RuntimeSettings runtime) {
        try {
            return new SimCLRFeatureExtractor<>(new LabelFactory(), encoder, given, runtime, null);
        } catch (PropertyException e) {
            throw plain(e);
        }
    }

    /** OLCUT's words are for those who configured a property, and say the cause twice. */
    private static RuntimeException plain(PropertyException e) {
        String message = e.getCause() == null ? e.getMsg() : e.getCause().getMessage();
        return e.getCause() instanceof IllegalArgumentException
                ? new IllegalArgumentException(message, e)
                : new IllegalStateException(message, e);
    }

    /** Of those that could be read; a folder of damaged images alone is no class. */
    void sameClasses(MutableDataset<Label> trainSet, MutableDataset<Label> testSet) {
        Set<Label> unknown = new HashSet<>(testSet.getOutputs());
        unknown.removeAll(trainSet.getOutputs());
        if (testSet.size() == 0 || !unknown.isEmpty()) {
            throw new IllegalStateException(testSet.size() == 0 ? "No readable image in " + test
                    : "No image could be read in " + train + " of the classes " + unknown);
        }
    }

    private int measure(String name, ImageFeatureExtractor<Label> extractor,
            Map<String, Map<String, Accuracies>> linear, LabelEvaluation[] best) {
        ImageFolderDataSource<Label> trainSource = new ImageFolderDataSource<>(train, extractor);
        ImageFolderDataSource<Label> testSource = new ImageFolderDataSource<>(test, extractor);
        MutableDataset<Label> trainSet = extract("features of " + name + ", training images", trainSource);
        MutableDataset<Label> testSet = extract("features of " + name + ", test images", testSource);
        sameClasses(trainSet, testSet);
        Map<String, Accuracies> accuracies = new LinkedHashMap<>();
        double most = 0;
        for (Map.Entry<String, Double> share : shares.entrySet()) {
            Accuracies measured = new Accuracies();
            for (long seed : seeds()) {
                LabelEvaluation e = LinearEvaluation.evaluate(trainSet, testSet, share.getValue(), seed);
                measured.add(e.accuracy());
                if (share.getValue() > most) {
                    most = share.getValue();
                    best[0] = e;
                }
            }
            accuracies.put(share.getKey(), measured);
            progress.line(name + " with " + share.getKey() + " of the labels: " + measured);
        }
        linear.put(name, accuracies);
        int skipped = trainSource.skipped().size() + testSource.skipped().size();
        if (skipped > 0) {
            progress.warn(skipped + " unreadable images left out");
        }
        return skipped;
    }

    MutableDataset<Label> extract(String task, ImageFolderDataSource<Label> source) {
        MutableDataset<Label> dataset = new MutableDataset<>(source.getProvenance(), source.getOutputFactory());
        progress.start(task, source.size());
        for (Example<Label> example : source) {
            dataset.add(example);
            progress.at(dataset.size(), "");
        }
        progress.end();
        return dataset;
    }

    /** Prints the table and Tribuo's evaluation. */
    static void print(Result result) {
        System.out.println();
        System.out.println(Accuracies.table("linear on", result.linear()));
        System.out.println();
        System.out.println("Tribuo's evaluation of simclr, most labels:");
        System.out.println(result.best());
    }

    /** The result as it goes into the JSON file. */
    static Map<String, Object> json(Result result, Path encoder, double seconds) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("linear", Accuracies.each(result.linear(), Accuracies::mean));
        json.put("linearRuns", Accuracies.each(result.linear(), Accuracies::runs));
        json.put("encoder", encoder.toString());
        json.put("encoderSha256", result.encoderSha256());
        json.put("classes", result.classes());
        json.put("skipped", result.skipped());
        json.put("seconds", seconds);
        return json;
    }
}
