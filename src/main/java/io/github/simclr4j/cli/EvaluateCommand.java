package io.github.simclr4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code simclr evaluate}. */
@Command(name = "evaluate", description = "Measures an encoder: a linear classifier on its features, on raw pixels, and on"
        + " an untrained encoder's features.")
final class EvaluateCommand extends Work {
    @Option(names = "--encoder", paramLabel = "E", required = true, description = "The encoder (ONNX).")
    Path encoder;

    @Option(names = "--train", paramLabel = "DIR", required = true, description = "Images to train on, a sub-folder a class.")
    Path train;

    @Option(names = "--test", paramLabel = "DIR", required = true, description = "Images to test on, a sub-folder a class.")
    Path test;

    @Option(names = "--labels", paramLabel = "SHARE", split = ",", defaultValue = "1%,10%,100%",
            description = "Shares of the training labels, drawn alike from each class (default: ${DEFAULT-VALUE}).")
    List<String> labels;

    @Mixin
    EncoderOptions options;

    @Override
    Map<String, Object> work() throws IOException {
        Evaluation evaluation = new Evaluation(encoder, train, test, labels, common, new Console());
        Evaluation.Result result = evaluation.run(options.settings(), options.runtime(common));
        Evaluation.print(result);
        Map<String, Object> json = Evaluation.json(result, encoder, seconds());
        json.put("settings", EncoderOptions.json(result.settings()));
        return json;
    }
}
