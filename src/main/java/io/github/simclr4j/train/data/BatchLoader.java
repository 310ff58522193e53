// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import io.github.simclr4j.images.load.ImageStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Arrays;

/**
 * Delivers the images of a run to the trainer batch by batch, as bytes. Not thread-safe.
 *
 * @since 0.1.0
 */
public interface BatchLoader extends AutoCloseable {
    /**
     * Begins an epoch.
     *
     * @param order indices of all images, in the order of the epoch
     * @param batch images per step
     * @param step index of the first step to run, from 0
     */
    void begin(int[] order, int batch, int step);

    /**
     * Advances to the epoch's next batch; the first call advances to the first batch.
     *
     * @return the indices of its images
     * @throws IOException if the images can no longer be read
     * @throws InterruptedIOException if the thread was interrupted while it waited for images
     */
    int[] next() throws IOException;

    /**
     * Returns an image of the current batch.
     *
     * @param slot position in the batch, from 0
     * @return RGB, unsigned bytes [side, side, 3]; must not be modified
     */
    byte[] pixels(int slot);

    /** Returns the side of the images in pixels. */
    int side();

    @Override
    void close();

    /** Returns a loader of images. */
    static BatchLoader of(TrainingImages images) {
        return images instanceof StreamedImages streamed ? new Streamed(streamed) : new InMemory((ImageSet) images);
    }

    /** Loads images that are all in memory. */
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

    /** Loads images that are decoded on demand. */
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
            // Images at the end that do not fill a batch are left out.
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
