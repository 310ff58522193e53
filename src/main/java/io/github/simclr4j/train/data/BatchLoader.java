package io.github.simclr4j.train.data;

import io.github.simclr4j.images.load.ImageStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Arrays;

/** Brings the images of a run to the trainer, batch by batch, as the bytes that are kept of them. Not thread-safe. */
public interface BatchLoader extends AutoCloseable {
    /**
     * Begins an epoch.
     *
     * @param order numbers of all images
     * @param batch images a step
     * @param step the first step to be taken
     */
    void begin(int[] order, int batch, int step);

    /**
     * Goes to the epoch's next batch, the first one at the first call.
     *
     * @return the numbers of its images
     * @throws IOException if the images can no longer be read
     * @throws InterruptedIOException if the thread was interrupted while it waited for them
     */
    int[] next() throws IOException;

    /**
     * Returns an image of the present batch.
     *
     * @param slot its place in the batch
     * @return RGB, unsigned bytes [side, side, 3]; not to be changed
     */
    byte[] pixels(int slot);

    /** Returns the side of the images in pixels. */
    int side();

    @Override
    void close();

    /** Returns the loader of some images. */
    static BatchLoader of(TrainingImages images) {
        return images instanceof StreamedImages streamed ? new Streamed(streamed) : new InMemory((ImageSet) images);
    }

    /** Images that are all in memory. */
    final class InMemory implements BatchLoader {
        private final ImageSet set;
        private int[] order;
        private int batch;
        private int at;

        InMemory(ImageSet set) {
            this.set = set;
        }

        @Override
        public void begin(int[] order, int batch, int step) {
            this.order = order;
            this.batch = batch;
            at = (step - 1) * batch;
        }

        @Override
        public int[] next() {
            at += batch;
            return Arrays.copyOfRange(order, at, at + batch);
        }

        @Override
        public byte[] pixels(int slot) {
            return set.pixels().get(order[at + slot]);
        }

        @Override
        public int side() {
            return set.side();
        }

        @Override
        public void close() {}
    }

    /** Images that are decoded as they are needed. */
    final class Streamed implements BatchLoader {
        private final StreamedImages images;
        private ImageStream stream;
        private ImageStream.Batch present;

        Streamed(StreamedImages images) {
            this.images = images;
        }

        @Override
        public void begin(int[] order, int batch, int step) {
            close();
            stream = images.stream(batch);
            // The last images that do not fill a batch are left out.
            stream.start(Arrays.copyOf(order, order.length / batch * batch), step * batch);
        }

        @Override
        public int[] next() throws IOException {
            try {
                present = stream.next();
                return present.images();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while waiting for images");
            }
        }

        @Override
        public byte[] pixels(int slot) {
            return present.pixels()[slot];
        }

        @Override
        public int side() {
            return images.side();
        }

        @Override
        public void close() {
            if (stream != null) {
                stream.close();
                stream = null;
            }
        }
    }
}
