// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.data.TrainingImages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run saves, measures and reports; none of this changes the trained weights.
 *
 * @param checkpoints folder of the checkpoints, from which the run continues; null for none
 * @param everyMinutes minutes between two checkpoints within an epoch, above 0; each epoch ends with a checkpoint in any case
 * @param keep number of checkpoints to keep, at least 1
 * @param metrics file that gets one line of JSON per epoch, or null
 * @param neighbours labelled images for the nearest-neighbour accuracy, or null to not measure it
 * @param asked labelled images that are classified by {@code neighbours}; null to classify each of these by the others
 * @param everyEpochs epochs between two measurements of the accuracy, at least 1
 * @param listeners notified of each epoch
 * @since 0.1.0
 */
public record RunOptions(
        Path checkpoints,
        double everyMinutes,
        int keep,
        Path metrics,
        TrainingImages neighbours,
        TrainingImages asked,
        int everyEpochs,
        List<TrainingListener> listeners) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a value is out of range or images have no labels
     */
    public RunOptions {
        listeners = List.copyOf(listeners);
        if (!(everyMinutes > 0) || keep < 1 || everyEpochs < 1) {
            throw new IllegalArgumentException(
                    "Minutes between checkpoints, number of checkpoints to keep and epochs between"
                            + " measurements must be above 0, found " + everyMinutes + ", " + keep + " and "
                            + everyEpochs);
        }
        labelled(neighbours);
        labelled(asked);
    }

    private static void labelled(TrainingImages images) {
        if (images != null && images.labels() == null) {
            throw new IllegalArgumentException(
                    "Nearest neighbours need labelled images: expected one sub-folder per class");
        }
    }

    /** Returns options with a folder of checkpoints, or none if it is null, and without metrics and listeners. */
    public static RunOptions checkpoints(Path folder) {
        return new RunOptions(folder, 10, 2, null, null, null, 10, List.of());
    }

    /** Returns the parent of the checkpoints' folder, for files that outlive the checkpoints; null without checkpoints. */
    public Path folder() {
        return checkpoints == null ? null : checkpoints.toAbsolutePath().getParent();
    }

    /** Returns these options with another interval and number of checkpoints. */
    public RunOptions withCheckpointsKept(double minutes, int newest) {
        return new RunOptions(checkpoints, minutes, newest, metrics, neighbours, asked, everyEpochs, listeners);
    }

    /** Returns these options with a metrics file, or none if it is null. */
    public RunOptions withMetrics(Path file) {
        return new RunOptions(checkpoints, everyMinutes, keep, file, neighbours, asked, everyEpochs, listeners);
    }

    /** Returns these options with a measurement of the nearest-neighbour accuracy. */
    public RunOptions withNeighbours(TrainingImages bank, TrainingImages queries, int epochs) {
        return new RunOptions(checkpoints, everyMinutes, keep, metrics, bank, queries, epochs, listeners);
    }

    /** Returns these options with one more listener. */
    public RunOptions withListener(TrainingListener listener) {
        List<TrainingListener> all = new ArrayList<>(listeners);
        all.add(listener);
        return new RunOptions(checkpoints, everyMinutes, keep, metrics, neighbours, asked, everyEpochs, all);
    }
}
