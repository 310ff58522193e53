// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.train.loop.EpochSummary;
import io.github.simclr4j.train.loop.StartedRun;
import io.github.simclr4j.train.loop.TrainingListener;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * Writes event files for <a href="https://www.tensorflow.org/tensorboard">TensorBoard</a>: the metrics of each epoch, with the epoch as
 * the step, and once a picture of training images beside their views.
 *
 * <p>Each run has its own folder, named by its method and start time. A continued run adds a file to its folder, and discards the events
 * of epochs that it repeats.
 *
 * <p>The files can be read at any time, during the training and after a crash. A listener can observe several runs one after the other.
 * Not thread-safe.
 *
 * @since 0.1.0
 */
public final class TensorBoardListener implements TrainingListener {
    private final Path folder;
    private RecordFile file;

    /**
     * Creates a listener.
     *
     * @param folder TensorBoard's {@code logdir}; it is created when the first run starts
     */
    public TensorBoardListener(Path folder) {
        this.folder = folder;
    }

    @Override
    public void runStarted(StartedRun run) throws IOException {
        close();
        // Windows does not allow colons in file names.
        String method = run.settings().getOrDefault("training.method", "run");
        Path own =
                Files.createDirectories(folder.resolve(method + "-" + run.name().replace(':', '-')));
        long now = System.currentTimeMillis();
        file = new RecordFile(own.resolve("events.out.tfevents." + now / 1000 + ".simclr4j."
                + ProcessHandle.current().pid() + "." + now % 1000 + "." + run.doneEpochs()));
        file.add(Events.version(seconds()));
        if (run.doneEpochs() > 0) {
            file.add(Events.restart(seconds(), run.doneEpochs() + 1L));
        }
        BufferedImage views = run.views().draw();
        byte[] png = Images.encode(views, "png");
        file.add(Events.image(seconds(), run.doneEpochs(), "train/views", views.getWidth(), views.getHeight(), png));
    }

    @Override
    public void epochFinished(EpochSummary e) throws IOException {
        Map<String, Double> scalars = Scalars.of(e);
        if (file != null && !scalars.isEmpty()) {
            file.add(Events.scalars(seconds(), e.epoch(), scalars));
        }
    }

    @Override
    public void runEnded(Throwable failure) throws IOException {
        close();
    }

    private void close() throws IOException {
        if (file != null) {
            RecordFile last = file;
            file = null;
            last.close();
        }
    }

    private static double seconds() {
        return System.currentTimeMillis() / 1000.0;
    }
}
