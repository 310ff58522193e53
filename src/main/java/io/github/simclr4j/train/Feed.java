package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.data.ImageStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Brings the images of a run to the device, batch by batch. Not thread-safe. */
interface Feed extends AutoCloseable {
    /**
     * An epoch begins.
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
     * Images of the present batch.
     *
     * @param slots places in the batch
     * @return float32 [slots, 3, side, side] in [0, 1], owned by the manager
     */
    NDArray images(NDManager manager, int[] slots);

    @Override
    void close();

    /** Pixels as they are kept, uint8 [n, side, side, 3], become what the views are made of. */
    static NDArray toFloat(NDArray pixels) {
        return pixels.transpose(0, 3, 1, 2).toType(DataType.FLOAT32, false).div(255);
    }

    /** The feed of some images; what it keeps on the device belongs to a part of the manager until it is closed. */
    static Feed of(TrainingImages images, NDManager manager) {
        return images instanceof ImageSet set ? new Resident(set, manager) : new Streamed((StreamedImages) images);
    }

    /** Images that are all on the device, as uint8: a batch is a choice of rows. */
    final class Resident implements Feed {
        private static final int CHUNK = 4096;

        private final NDManager owner;
        private final NDArray pixels;
        private int[] order;
        private int batch;
        private int at;

        Resident(ImageSet set, NDManager manager) {
            owner = manager.newSubManager();
            int side = set.side();
            int per = side * side * 3;
            pixels = owner.zeros(new Shape(set.count(), side, side, 3), DataType.UINT8);
            for (int from = 0; from < set.count(); from += CHUNK) {
                int to = Math.min(set.count(), from + CHUNK);
                ByteBuffer bytes = ByteBuffer.allocateDirect((to - from) * per);
                set.pixels().subList(from, to).forEach(bytes::put);
                try (NDManager m = owner.newSubManager()) {
                    pixels.set(new NDIndex("{}:{}", from, to),
                            m.create(bytes.rewind(), new Shape(to - from, side, side, 3), DataType.UINT8));
                }
            }
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
        public NDArray images(NDManager manager, int[] slots) {
            NDArray rows = manager.create(Arrays.stream(slots).mapToLong(s -> order[at + s]).toArray());
            NDArray some = pixels.get(rows);
            some.attach(manager);
            return toFloat(some);
        }

        @Override
        public void close() {
            owner.close();
        }
    }

    /** Images that are decoded as they are needed; a batch waits on the Java side, and what is asked for goes to the device. */
    final class Streamed implements Feed {
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
        public NDArray images(NDManager manager, int[] slots) {
            int side = images.side();
            int per = side * side * 3;
            ByteBuffer bytes = ByteBuffer.allocateDirect(slots.length * per);
            for (int s : slots) {
                bytes.put(present.pixels(), s * per, per);
            }
            return toFloat(manager.create(bytes.rewind(), new Shape(slots.length, side, side, 3), DataType.UINT8));
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
