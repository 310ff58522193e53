package io.github.simclr4j.train.data;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.images.load.ImageStream;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Brings the images of a run to the device, batch by batch. Not thread-safe. */
public interface Feed extends AutoCloseable {
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

    /**
     * The feed of some images; what it keeps on the device belongs to a part of the manager until it is closed. Images in memory
     * are copied to a GPU once if they take at most half of what is free there. On the CPU they are where they are needed.
     */
    static Feed of(TrainingImages images, NDManager manager) {
        if (images instanceof StreamedImages streamed) {
            return new Streamed(streamed);
        }
        ImageSet set = (ImageSet) images;
        boolean fits = manager.getDevice().isGpu()
                && (long) set.count() * bytes(set.side()) <= Torch.freeMemory(manager.getDevice()) / 2;
        return fits ? new Resident(set, manager) : new InMemory(set);
    }

    private static int bytes(int side) {
        return side * side * 3;
    }

    /** Copies images to the device, as float32 [n, 3, side, side] in [0, 1]. */
    private static NDArray upload(NDManager manager, int side, int[] numbers, IntFunction<byte[]> pixels) {
        try (NDManager m = manager.newSubManager()) {
            NDArray x = toFloat(bytes(m, side, numbers.length, i -> pixels.apply(numbers[i])));
            x.attach(manager);
            return x;
        }
    }

    /** Copies n images to the device, uint8 [n, side, side, 3]. */
    private static NDArray bytes(NDManager manager, int side, int n, IntFunction<byte[]> pixels) {
        ByteBuffer bytes;
        try {
            bytes = ByteBuffer.allocateDirect(Math.multiplyExact(n, bytes(side)));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(n + " images of " + side + "x" + side
                    + " pixels are more than 2 GB: let fewer go through the network at once (--micro-batch)", e);
        }
        IntStream.range(0, n).forEach(i -> bytes.put(pixels.apply(i)));
        return manager.create(bytes.rewind(), new Shape(n, side, side, 3), DataType.UINT8);
    }

    /** Images that are all in Java's memory. */
    final class InMemory implements Feed {
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
        public NDArray images(NDManager manager, int[] slots) {
            return upload(manager, set.side(), slots, s -> set.pixels().get(order[at + s]));
        }

        @Override
        public void close() {}
    }

    /** Images that are all on the device, as uint8: a batch is a choice of rows. */
    final class Resident implements Feed {
        /** Bytes that are copied to the device at once. */
        private static final int CHUNK = 1 << 26;

        private final NDManager owner;
        private final NDArray pixels;
        private final InMemory places;

        public Resident(ImageSet set, NDManager manager) {
            owner = manager.newSubManager();
            places = new InMemory(set);
            int side = set.side();
            pixels = owner.zeros(new Shape(set.count(), side, side, 3), DataType.UINT8);
            int chunk = Math.max(1, CHUNK / bytes(side));
            for (int from = 0; from < set.count(); from += chunk) {
                List<byte[]> some = set.pixels().subList(from, Math.min(set.count(), from + chunk));
                try (NDManager m = owner.newSubManager()) {
                    pixels.set(new NDIndex("{}:{}", from, from + some.size()), bytes(m, side, some.size(), some::get));
                }
            }
        }

        @Override
        public void begin(int[] order, int batch, int step) {
            places.begin(order, batch, step);
        }

        @Override
        public int[] next() {
            return places.next();
        }

        @Override
        public NDArray images(NDManager manager, int[] slots) {
            NDArray rows = manager.create(Arrays.stream(slots).mapToLong(s -> places.order[places.at + s]).toArray());
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
            return upload(manager, images.side(), slots, s -> present.pixels()[s]);
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
