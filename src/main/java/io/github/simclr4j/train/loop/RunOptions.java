package io.github.simclr4j.train.loop;

import io.github.simclr4j.train.data.TrainingImages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a run writes, measures and tells; nothing here changes the weights that it ends with.
 *
 * @param checkpoints folder that is continued from and written to, or null for none
 * @param everyMinutes minutes between two checkpoints within an epoch; there is one after each epoch in any case
 * @param keep how many checkpoints stay, at least 1
 * @param metrics file that gets a line of JSON an epoch, or null
 * @param neighbours labelled images for the accuracy of nearest neighbours, or null for none
 * @param asked labelled images that are classified by {@code neighbours}; null for those themselves, each by all others
 * @param everyEpochs epochs between two of these measurements, at least 1
 * @param listeners who is told of each epoch
 */
public record RunOptions(Path checkpoints, double everyMinutes, int keep, Path metrics, TrainingImages neighbours,
        TrainingImages asked, int everyEpochs, List<TrainingListener> listeners) {
    /** Checks the ranges. */
    public RunOptions {
        listeners = List.copyOf(listeners);
        if (!(everyMinutes > 0) || keep < 1 || everyEpochs < 1) {
            throw new IllegalArgumentException("Minutes between checkpoints, checkpoints to keep and epochs between"
                    + " measurements must be above 0, found " + everyMinutes + ", " + keep + " and " + everyEpochs);
        }
        labelled(neighbours);
        labelled(asked);
    }

    private static void labelled(TrainingImages images) {
        if (images != null && images.labels() == null) {
            throw new IllegalArgumentException("Nearest neighbours need labelled images: expected one sub-folder a class");
        }
    }

    /** Returns options with checkpoints in a folder, or none if it is null, and nothing else. */
    public static RunOptions checkpoints(Path folder) {
        return new RunOptions(folder, 10, 2, null, null, null, 10, List.of());
    }

    /** Returns the folder that the checkpoints' folder is in, for what outlives them; null without checkpoints. */
    public Path folder() {
        return checkpoints == null ? null : checkpoints.toAbsolutePath().getParent();
    }

    /** Returns these options with another checkpoint policy. */
    public RunOptions withCheckpointsKept(double minutes, int newest) {
        return new RunOptions(checkpoints, minutes, newest, metrics, neighbours, asked, everyEpochs, listeners);
    }

    /** Returns these options with a file of metrics, or none if it is null. */
    public RunOptions withMetrics(Path file) {
        return new RunOptions(checkpoints, everyMinutes, keep, file, neighbours, asked, everyEpochs, listeners);
    }

    /** Returns these options with a measurement of nearest neighbours. */
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
