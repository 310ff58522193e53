package io.github.simclr4j.train;

import io.github.simclr4j.train.data.TrainingImages;
import java.nio.file.Path;

/**
 * What a run writes and watches; nothing here changes the weights that it ends with.
 *
 * @param checkpoints folder that is continued from and written to, or null for none
 * @param everyMinutes minutes between two checkpoints within an epoch; there is one after each epoch in any case
 * @param keep how many checkpoints stay, at least 1
 * @param metrics file that gets a line of JSON an epoch, or null
 * @param neighbours labelled images for the accuracy of nearest neighbours, or null for none
 * @param asked labelled images that are classified by {@code neighbours}; null for those themselves, each by all others
 * @param everyEpochs epochs between two of these measurements, at least 1
 */
public record RunOptions(Path checkpoints, double everyMinutes, int keep, Path metrics, TrainingImages neighbours,
        TrainingImages asked, int everyEpochs) {
    /** Checks the ranges. */
    public RunOptions {
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

    /** Checkpoints in a folder, or none if it is null; nothing else. */
    public static RunOptions checkpoints(Path folder) {
        return new RunOptions(folder, 10, 2, null, null, null, 10);
    }
}
