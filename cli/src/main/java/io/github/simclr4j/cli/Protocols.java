package io.github.simclr4j.cli;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.tribuo.DistillationTrainer;
import io.github.simclr4j.train.tribuo.FineTuneTrainer;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.tribuo.training.SelfTrainingTrainer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluator;

/** The protocols of {@code simclr evaluate} beside linear evaluation; each has the labels that linear evaluation has. */
class Protocols {
    private static final List<String> NAMES = List.of("linear", "from-scratch", "finetune", "self-training", "distillation");
    /** Probability from which on self-training takes a prediction for a label. */
    private static final double SURE = 0.95;

    /** Images that are read and predicted together. */
    private static final int BATCH = 64;

    private final EvaluateCommand command;
    private final List<String> wanted;
    private final Console console = new Console();
    private final Evaluation evaluation;
    private final Map<String, Map<String, Accuracies>> accuracies = new LinkedHashMap<>();

    Protocols(EvaluateCommand command, List<String> names) {
        this.command = command;
        for (String name : names) {
            if (!NAMES.contains(name)) {
                throw new IllegalArgumentException(
                        "Unknown --protocol, expected " + String.join(", ", NAMES) + ", found " + name);
            }
        }
        wanted = NAMES.subList(1, NAMES.size()).stream().filter(names::contains).toList();
        if (command.studentEpochs < 1 || command.repeat < 1 || command.unlabelled < 0 || !(command.temperature > 0)) {
            throw new IllegalArgumentException("--student-epochs and --repeat must be at least 1, --unlabelled at least 0 and"
                    + " --temperature above 0, found " + command.studentEpochs + ", " + command.repeat + ", "
                    + command.unlabelled + " and " + command.temperature);
        }
        evaluation = new Evaluation(command.encoder, command.train, command.test, command.labels, command.common,
                command.repeat, console);
    }

    /** Runs them, prints the table, and adds to the result. */
    Map<String, Object> run(Map<String, Object> json) throws IOException {
        if (wanted.isEmpty()) {
            return json;
        }
        wanted.forEach(name -> accuracies.put(name, new LinkedHashMap<>()));
        if (wanted.contains("self-training")) {
            selfTraining();
        }
        if (wanted.contains("from-scratch") || wanted.contains("finetune") || wanted.contains("distillation")) {
            endToEnd();
        }
        System.out.println();
        System.out.println(Accuracies.table("protocol", accuracies));
        json.putIfAbsent("encoder", command.encoder.toString());
        json.putIfAbsent("encoderSha256", OnnxEncoder.sha256(command.encoder));
        json.put("protocols", Accuracies.each(accuracies, Accuracies::mean));
        json.put("protocolRuns", Accuracies.each(accuracies, Accuracies::runs));
        json.put("seconds", command.seconds());
        return json;
    }

    private void add(String protocol, String share, double accuracy) {
        accuracies.get(protocol).computeIfAbsent(share, s -> new Accuracies()).add(accuracy);
        console.line(String.format(Locale.ROOT, "%s with %s of the labels: %.2f%%", protocol, share, 100 * accuracy));
    }

    private void selfTraining() throws IOException {
        try (SimCLRFeatureExtractor<Label> extractor = Evaluation.open(
                command.encoder, command.options.settings(), command.options.runtime(command.common))) {
            evaluation.sameClasses(extractor);
            MutableDataset<Label> train =
                    evaluation.extract("features, training images", new ImageFolderDataSource<>(command.train, extractor));
            MutableDataset<Label> test =
                    evaluation.extract("features, test images", new ImageFolderDataSource<>(command.test, extractor));
            evaluation.sameClasses(train, test);
            for (Map.Entry<String, Double> share : evaluation.shares().entrySet()) {
                for (long seed : evaluation.seeds()) {
                    Trainer<Label> inner = LinearEvaluation.trainer(LinearEvaluation.share(train, share.getValue(), seed), seed);
                    Model<Label> model = new SelfTrainingTrainer(inner, SURE).train(hide(train, share.getValue(), seed));
                    add("self-training", share.getKey(), new LabelEvaluator().evaluate(model, test).accuracy());
                }
            }
        }
    }

    /** The examples that the share has, and those that are to be seen without their label. */
    private MutableDataset<Label> hide(Dataset<Label> train, double share, long seed) {
        List<String> labels = train.getData().stream().map(e -> e.getOutput().getLabel()).toList();
        int[] known = LinearEvaluation.share(labels, share, seed);
        int[] seen = ImageSource.draw(train.size(), command.unlabelled, seed);
        MutableDataset<Label> all = new MutableDataset<>(train.getSourceProvenance(), train.getOutputFactory());
        for (int i = 0; i < train.size(); i++) {
            Example<Label> example = train.getExample(i);
            if (Arrays.binarySearch(known, i) >= 0) {
                all.add(example.copy());
            } else if (Arrays.binarySearch(seen, i) >= 0) {
                all.add(SelfTrainingTrainer.labelled(example, LabelFactory.UNKNOWN_LABEL));
            }
        }
        return all;
    }

    private void endToEnd() throws IOException {
        EncoderSettings settings = command.options.settings();
        int imageSize = settings.get("image-size").map(Protocols::side).orElse(0);
        if (imageSize != 0 && wanted.contains("distillation")) {
            throw new IllegalArgumentException("--image-size is not for distillation: its student starts from an encoder whose"
                    + " file says how large its images are");
        }
        Set<String> given = new TreeSet<>(settings.values().keySet());
        given.remove("image-size");
        if (!given.isEmpty()) {
            console.warn("training crops and scales images in its own way: " + String.join(", ", given) + " have no effect on it");
        }
        int size = trainer(command.common.seed, imageSize).imageSize();
        try (PixelFeatureExtractor<Label> pixels = new PixelFeatureExtractor<>(new LabelFactory(), size)) {
            evaluation.sameClasses(pixels);
        }
        try (ImageSource all = ImageSource.open(command.train, console);
                ImageSource source = LabelledImages.share(all, command.train, 1, command.common.seed, console);
                ImageSource test = ImageSource.open(command.test, console)) {
            // Before hours of training, not after them.
            firstReadable(test);
            Preprocessing rule = new Preprocessing(size);
            ImageSet set = ImageSet.of(ResidentImages.read(source, size, console));
            List<String> labels = Arrays.stream(set.labels()).mapToObj(set.classes()::get).toList();
            for (Map.Entry<String, Double> share : evaluation.shares().entrySet()) {
                for (long seed : evaluation.seeds()) {
                    ImageSet known = set.only(LinearEvaluation.share(labels, share.getValue(), seed));
                    endToEnd(set, known, share.getKey(), trainer(seed, imageSize), seed, model -> accuracy(model, test, rule));
                }
            }
        }
    }

    /** Measures a model on the test images. */
    private interface Tester {
        double accuracy(EncodedModel<Label> model) throws IOException;
    }

    private FineTuneTrainer trainer(long seed, int imageSize) {
        return command.tuning.trainer(command.encoder, command.common, seed).withImageSize(imageSize);
    }

    private void endToEnd(ImageSet set, ImageSet known, String share, FineTuneTrainer trainer, long seed, Tester test)
            throws IOException {
        String what = share + " of the labels of " + command.train;
        if (wanted.contains("from-scratch")) {
            try (EncodedModel<Label> model =
                    trainer.fromScratch().train(known, what, RunOptions.checkpoints(null), console).model()) {
                add("from-scratch", share, test.accuracy(model));
            }
        }
        if (!wanted.contains("finetune") && !wanted.contains("distillation")) {
            return;
        }
        try (EncodedModel<Label> tuned = trainer.train(known, what, RunOptions.checkpoints(null), console).model()) {
            if (wanted.contains("finetune")) {
                add("finetune", share, test.accuracy(tuned));
            }
            if (wanted.contains("distillation")) {
                DistillationTrainer student = DistillationTrainer.builder(trainer).encoder(command.encoder)
                        .temperature(command.temperature).epochs(command.studentEpochs).batchSize(command.tuning.batch)
                        .learningRate(command.tuning.rate).views(command.tuning.views).device(command.common.device)
                        .threads(command.common.threads).seed(seed).build();
                ImageSet seen = command.unlabelled == 0
                        ? set
                        : set.only(ImageSource.draw(set.count(), command.unlabelled, seed));
                try (EncodedModel<Label> model = student.distil(tuned, seen, what, console)) {
                    add("distillation", share, test.accuracy(model));
                }
            }
        }
    }

    private void firstReadable(ImageSource test) throws IOException {
        IOException last = null;
        for (int i = 0; i < test.size(); i++) {
            try {
                if (test.label(i).isPresent()) {
                    test.read(i);
                    return;
                }
            } catch (IOException e) {
                last = e;
            }
        }
        throw new IOException("No readable image with a class in " + command.test, last);
    }

    private static int side(String size) {
        try {
            return Integer.parseInt(size);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("Training needs squares, such as --image-size 224, found " + size, e);
        }
    }

    /**
     * The share of the test images with a class whose class is predicted; unreadable ones are left out.
     *
     * @param rule makes images as the model would, before many large ones are together in memory
     */
    double accuracy(EncodedModel<Label> model, ImageSource test, Preprocessing rule) throws IOException {
        int right = 0;
        int asked = 0;
        for (int from = 0; from < test.size(); from += BATCH) {
            List<RgbImage> images = new ArrayList<>();
            List<String> expected = new ArrayList<>();
            for (int i = from; i < Math.min(test.size(), from + BATCH); i++) {
                try {
                    if (test.label(i).isPresent()) {
                        images.add(rule.apply(test.read(i)));
                        expected.add(test.classes().get(test.label(i).getAsInt()));
                    }
                } catch (IOException e) {
                    console.warn("skipped " + e.getMessage());
                }
            }
            List<Prediction<Label>> predictions = model.predictImages(images);
            for (int i = 0; i < expected.size(); i++) {
                asked++;
                right += predictions.get(i).getOutput().getLabel().equals(expected.get(i)) ? 1 : 0;
            }
        }
        if (asked == 0) {
            throw new IOException("No readable image with a class in " + command.test);
        }
        return (double) right / asked;
    }
}
