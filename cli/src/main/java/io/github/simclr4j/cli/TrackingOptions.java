// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.tracking.MlflowListener;
import io.github.simclr4j.train.tracking.TensorBoardListener;
import java.net.URI;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options for the checkpoints, the measurements and the tracking of a pretraining run. */
final class TrackingOptions {
    @Option(
            names = "--checkpoint",
            paramLabel = "DIR",
            description = "Folder for the run's checkpoints, from which the same command resumes (default:"
                    + " OUT.checkpoint, deleted when the run is complete).")
    Path checkpoint;

    @Option(
            names = "--checkpoint-minutes",
            paramLabel = "N",
            defaultValue = "10",
            description =
                    "Minutes between two checkpoints; another one follows each epoch (default: ${DEFAULT-VALUE}).")
    double checkpointMinutes;

    @Option(
            names = "--keep",
            paramLabel = "K",
            defaultValue = "2",
            description = "Number of checkpoints to keep (default: ${DEFAULT-VALUE}).")
    int keep;

    @Option(
            names = "--metrics",
            paramLabel = "FILE",
            description = "File to which each epoch appends one line of JSON (default: metrics.jsonl beside OUT).")
    Path metrics;

    @Option(
            names = "--knn",
            paramLabel = "DIR",
            description = "Labelled images, one sub-folder per class, for a 200-nearest-neighbours classifier that"
                    + " is evaluated during training: on the images of --knn-test, or else on each of these"
                    + " images by all others.")
    Path knn;

    @Option(
            names = "--knn-test",
            paramLabel = "DIR",
            description = "Labelled test images for --knn, one sub-folder per class.")
    Path knnTest;

    @Option(
            names = "--knn-every",
            paramLabel = "K",
            defaultValue = "10",
            description = "Epochs between two evaluations of --knn (default: ${DEFAULT-VALUE}).")
    int knnEvery;

    @Option(
            names = "--tensorboard",
            paramLabel = "DIR",
            description = "Write TensorBoard event files to a new sub-folder of DIR: the figures of each epoch, and"
                    + " images beside their views.")
    Path tensorboard;

    @Option(
            names = "--mlflow",
            paramLabel = "URI",
            description = "Record the run on the MLflow tracking server at this URL. Credentials come from the"
                    + " environment variables of MLflow (MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and"
                    + " MLFLOW_TRACKING_PASSWORD). The training waits for the server only at its end, and for"
                    + " at most ten seconds.")
    URI mlflow;

    @Option(
            names = "--mlflow-experiment",
            paramLabel = "NAME",
            defaultValue = "${env:MLFLOW_EXPERIMENT_NAME:-simclr4j}",
            description = "Name of the MLflow experiment, which is created if it does not exist (default:"
                    + " MLFLOW_EXPERIMENT_NAME from the environment, or simclr4j).")
    String mlflowExperiment;

    /** Adds the chosen trackers of the run. */
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
