// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.tracking.MlflowListener;
import io.github.simclr4j.train.tracking.TensorBoardListener;
import java.net.URI;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What is saved and measured on the way of a pretraining, and who else is told of it. */
final class TrackingOptions {
    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            description = "Folder of the run's state, which a later run continues from"
                    + " (default: OUT.checkpoint, deleted when the run is complete).")
    Path checkpoint;

    @Option(
            names = "--checkpoint-minutes",
            paramLabel = "N",
            defaultValue = "10",
            description =
                    "Minutes between two checkpoints; there is one after each epoch too (default: ${DEFAULT-VALUE}).")
    double checkpointMinutes;

    @Option(
            names = "--keep",
            paramLabel = "K",
            defaultValue = "2",
            description = "How many checkpoints stay (default: ${DEFAULT-VALUE}).")
    int keep;

    @Option(
            names = "--metrics",
            paramLabel = "FILE",
            description = "A line of JSON an epoch is added to it (default: metrics.jsonl beside OUT).")
    Path metrics;

    @Option(
            names = "--knn",
            paramLabel = "DIR",
            description =
                    "Labelled images, a sub-folder a class: now and then the"
                            + " accuracy of their 200 nearest neighbours is measured, each by all others, or those of --knn-test by these.")
    Path knn;

    @Option(names = "--knn-test", paramLabel = "DIR", description = "Labelled images that --knn classifies.")
    Path knnTest;

    @Option(
            names = "--knn-every",
            paramLabel = "K",
            defaultValue = "10",
            description = "Epochs between two of these measurements (default: ${DEFAULT-VALUE}).")
    int knnEvery;

    @Option(
            names = "--tensorboard",
            paramLabel = "DIR",
            description = "Event files for TensorBoard go into a folder of the"
                    + " run's own in this one: each epoch's figures, and images beside their views.")
    Path tensorboard;

    @Option(
            names = "--mlflow",
            paramLabel = "URI",
            description = "The run is recorded on the MLflow tracking server of this"
                    + " address, with access by MLflow's own variables (MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and"
                    + " MLFLOW_TRACKING_PASSWORD). The training does not wait for it, but for ten seconds at its end.")
    URI mlflow;

    @Option(
            names = "--mlflow-experiment",
            paramLabel = "NAME",
            defaultValue = "${env:MLFLOW_EXPERIMENT_NAME:-simclr4j}",
            description =
                    "Name of MLflow's experiment, which is made if need be (default: MLFLOW_EXPERIMENT_NAME of the"
                            + " environment, or simclr4j).")
    String mlflowExperiment;

    /** Adds who else is told of the run. */
    RunOptions tracked(RunOptions options, Console console) {
        RunOptions all = options;
        if (tensorboard != null) {
            all = all.withListener(new TensorBoardListener(tensorboard));
        }
        return mlflow == null ? all : all.withListener(mlflow(console));
    }

    private MlflowListener mlflow(Console console) {
        try {
            return new MlflowListener(mlflow, mlflowExperiment, System.getenv(), console);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--mlflow: " + e.getMessage(), e);
        }
    }

    void check(Command command) {
        if (mlflow != null) {
            mlflow(new Console());
        }
        command.only(mlflow != null, "with --mlflow", "--mlflow-experiment");
        if (!(checkpointMinutes > 0)) {
            throw new IllegalArgumentException("--checkpoint-minutes must be above 0, found " + checkpointMinutes);
        }
        if (keep < 1) {
            throw new IllegalArgumentException("--keep must be at least 1, found " + keep);
        }
        if (knnEvery < 1) {
            throw new IllegalArgumentException("--knn-every must be at least 1, found " + knnEvery);
        }
        command.only(knn != null, "with --knn", "--knn-test", "--knn-every");
    }
}
