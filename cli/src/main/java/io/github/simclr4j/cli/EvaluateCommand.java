package io.github.simclr4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code simclr evaluate}. */
@CommandLine.Command(name = "evaluate", description = "Measures an encoder: a linear classifier on its features, on raw pixels, and on"
        + " an untrained encoder's features; or by other protocols. Sources: [1] Chen et al. 2020 (SimCLR), [2] Chen et al. 2020b"
        + " (SimCLRv2).")
final class EvaluateCommand extends Command {
    @Option(names = "--encoder", paramLabel = "E", required = true, description = "The encoder (ONNX).")
    Path encoder;

    @Option(names = "--train", paramLabel = "DIR", required = true, description = "Images to train on, a sub-folder a class.")
    Path train;

    @Option(names = "--test", paramLabel = "DIR", required = true, description = "Images to test on, a sub-folder a class.")
    Path test;

    @Option(names = "--labels", paramLabel = "SHARE", split = ",", defaultValue = "1%,10%,100%",
            description = "Shares of the training labels, drawn alike from each class (default: ${DEFAULT-VALUE}).")
    List<String> labels;

    @Option(names = "--protocol", paramLabel = "P", split = ",", defaultValue = "linear",
            description = "linear: a linear classifier on fixed features; from-scratch: the encoder's architecture with random weights"
                    + " and a classifier trained together, the baseline; finetune: the same from the encoder's own weights [1];"
                    + " self-training: a linear classifier that labels what it is sure of itself; distillation: the fine-tuned"
                    + " encoder teaches this one on all images [2] (default: ${DEFAULT-VALUE}).")
    List<String> protocols;

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "1", description = "Seeds, from --seed on, that choose the labels"
            + " and all else that is random; the mean and the standard deviation are reported (default: ${DEFAULT-VALUE}).")
    int repeat;

    @Mixin
    EncoderOptions options;

    @ArgGroup(exclusive = false, validate = false, heading = "%nOf from-scratch, finetune and distillation%n")
    final FinetuneCommand.Tuning tuning = new FinetuneCommand.Tuning();

    @Option(names = "--student-epochs", paramLabel = "N", defaultValue = "10",
            description = "Passes of distillation's student over all images (default: ${DEFAULT-VALUE}).")
    int studentEpochs;

    @Option(names = "--unlabelled", paramLabel = "N", defaultValue = "0", description = "Training images that self-training and"
            + " distillation's student see without their labels, drawn by the seed; 0 for all (default: ${DEFAULT-VALUE}).")
    int unlabelled;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "1",
            description = "Of distillation (default: ${DEFAULT-VALUE}).")
    double temperature;

    /** Refuses what was given and has no effect. */
    private void check() {
        boolean distils = protocols.contains("distillation");
        boolean trainsItself = protocols.contains("self-training");
        only(distils || protocols.contains("from-scratch") || protocols.contains("finetune"),
                "with --protocol from-scratch, finetune and distillation", "--epochs", "--batch", "--learning-rate", "--views");
        only(distils, "with --protocol distillation", "--student-epochs", "--temperature");
        only(distils || trainsItself, "with --protocol self-training and distillation", "--unlabelled");
        only(trainsItself || protocols.contains("linear"), "with --protocol linear and self-training", EncoderOptions.FIXED);
    }

    @Override
    boolean trains() {
        return protocols.contains("distillation") || protocols.contains("from-scratch") || protocols.contains("finetune");
    }

    @Override
    Map<String, Object> work() throws IOException {
        Protocols others = new Protocols(this, protocols);
        check();
        if (!protocols.contains("linear")) {
            return others.run(new LinkedHashMap<>());
        }
        Evaluation evaluation = new Evaluation(encoder, train, test, labels, common, repeat, new Console());
        Evaluation.Result result = evaluation.run(options.settings(), options.runtime(common));
        Evaluation.print(result);
        Map<String, Object> json = Evaluation.json(result, encoder, seconds());
        json.put("settings", EncoderOptions.json(result.settings()));
        return others.run(json);
    }
}
