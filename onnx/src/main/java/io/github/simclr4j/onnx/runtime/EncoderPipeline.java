// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.load.Prefetcher;
import io.github.simclr4j.images.load.PreparedImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.ImagesUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Encodes a set of images on all cores and returns the embeddings in the order of the source. Each worker decodes and resizes the
 * images of a batch, runs the encoder on them, and takes the next batch; so some workers decode while others run the encoder. At most
 * twice as many batches as workers are in memory: workers wait for a slow consumer. Large images are decoded one after the other if
 * together they would not fit into half of the heap.
 *
 * <p>An image that can't be read yields an item with the error, and the iteration continues. Any other failure ends the iteration, and
 * {@link #next} throws it.
 *
 * <p>On a CPU it is fastest to open the encoder with one thread per call and to run it on all workers at once
 * ({@link Settings#onCores}). Then no thread waits for another. An encoder on a GPU, or one with several threads per call, should get
 * only one or two calls at a time.
 *
 * <p>One thread uses the pipeline. The caller owns the encoder and the source, which must stay open until {@link #close} has returned.
 * {@link #close} stops the workers and waits until they have left the encoder.
 *
 * @since 0.1.0
 */
public final class EncoderPipeline implements Iterator<EncoderPipeline.Item>, AutoCloseable {

    /**
     * The result for an image.
     *
     * @param index the image's index in the source
     * @param name the image's name in the source: a path, or a name inside an archive
     * @param embedding the embedding, or null if the image could not be read
     * @param error the reason why the image could not be read, or null
     */
    public record Item(int index, String name, float[] embedding, IOException error) {}

    /** The indices of a batch's images, [from, to). */
    private record Range(int from, int to) {}

    /**
     * The division of work among threads.
     *
     * @param workers number of worker threads, at least 1
     * @param batch number of images per call of the encoder, at least 1
     * @param calls maximum number of concurrent calls of the encoder, 1 to {@code workers}
     */
    public record Settings(int workers, int batch, int calls) {
        /**
         * Checks the ranges.
         *
         * @throws IllegalArgumentException if a number is out of range
         */
        public Settings {
            if (workers < 1 || batch < 1 || calls < 1 || calls > workers) {
                throw new IllegalArgumentException(
                        "Expected at least one worker, one image per batch and one call, and no more calls"
                                + " than workers, found " + workers + ", " + batch + " and " + calls);
            }
        }

        /**
         * Returns settings with one worker and one call per core, for an encoder that was opened with one thread. The batch size is the
         * one that the file or {@link RuntimeSettings} sets. Otherwise a batch has about the pixels of 32 images of 32x32, which keeps
         * activations in the processor's caches, but at least 4 images.
         *
         * @param cores number of cores to use, or 0 for all
         * @param encoder the encoder to run
         */
        public static Settings onCores(int cores, OnnxEncoder encoder) {
            int workers = cores > 0 ? cores : Runtime.getRuntime().availableProcessors();
            Preprocessing p = encoder.preprocessing();
            int batch = encoder.batchIsGiven()
                    ? encoder.batch()
                    : Math.max(4, Math.min(32, 32 * 32 * 32 / (p.height() * p.width())));
            return new Settings(workers, batch, workers);
        }
    }

    private static final int MAX_BUFFER = 1 << 29;

    private final ImageSource source;
    private final Preprocessing preprocessing;
    private final Function<ByteBuffer, float[][]> encode;
    private final Consumer<Item> onError;
    private final Semaphore calls;
    private final ExecutorService workers;
    /** A worker's prepared images, in direct memory that ONNX Runtime reads without copying. */
    private final ThreadLocal<ByteBuffer> buffers;

    private final Prefetcher<Range, List<Item>> ahead;
    private Iterator<Item> current = List.<Item>of().iterator();
    private int returned;
    private boolean closed;

    /**
     * Starts to encode a set of images.
     *
     * @param encoder the encoder, which must outlive the pipeline
     * @param source the images, which must outlive the pipeline
     * @param settings the division of work among threads
     * @param onError receives each image that can't be read, in order, before {@link #next} returns it
     */
    public EncoderPipeline(OnnxEncoder encoder, ImageSource source, Settings settings, Consumer<Item> onError) {
        this(
                encoder.preprocessing(),
                encoder::embed,
                encoder.hasFixedBatch() ? encoder.batch() : 1,
                source,
                settings,
                onError);
    }

    /**
     * Starts to encode image files.
     *
     * @param encoder the encoder, which must outlive the pipeline
     * @param files the image files, in order
     * @param settings the division of work among threads
     * @param onError receives each file that can't be read, in order, before {@link #next} returns it
     */
    public EncoderPipeline(OnnxEncoder encoder, List<Path> files, Settings settings, Consumer<Item> onError) {
        this(encoder, ImageSource.ofFiles(files), settings, onError);
    }

    /**
     * Starts to encode images with any function in place of an encoder.
     *
     * @param encode receives the pixels of prepared images, in a buffer that is reused after it returns
     * @param least minimum batch size, since an encoder with a fixed batch always computes all of it
     */
    EncoderPipeline(
            Preprocessing preprocessing,
            Function<ByteBuffer, float[][]> encode,
            int least,
            ImageSource source,
            Settings settings,
            Consumer<Item> onError) {
        this.source = source;
        this.preprocessing = preprocessing;
        this.encode = encode;
        this.onError = onError;
        int bytes = 3 * preprocessing.height() * preprocessing.width();
        int images = source.size();
        // Spread few images over all workers.
        int share = (images + settings.workers() - 1) / settings.workers();
        int batch = Math.min(MAX_BUFFER / bytes, Math.max(least, Math.min(settings.batch(), share)));
        buffers = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(batch * bytes));
        calls = new Semaphore(settings.calls());
        workers = Executors.newFixedThreadPool(settings.workers(), task -> {
            Thread t = new Thread(task, "simclr-pipeline");
            t.setDaemon(true);
            return t;
        });
        Iterator<Range> ranges = IntStream.range(0, (int) (((long) images + batch - 1) / batch))
                .mapToObj(i -> new Range(i * batch, (int) Math.min(images, (i + 1L) * batch)))
                .iterator();
        ahead = new Prefetcher<>(workers, ranges, 2 * settings.workers(), range -> work(range.from(), range.to()));
        ahead.fill();
    }

    private List<Item> work(int from, int to) throws InterruptedException {
        IOException[] errors = new IOException[to - from];
        ByteBuffer pixels = buffers.get().clear();
        for (int i = from; i < to; i++) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            try {
                pixels.put(PreparedImage.read(source, i, preprocessing, (width, height) -> {}));
            } catch (IOException e) {
                errors[i - from] = e;
            }
        }
        float[][] embeddings = new float[0][];
        if (pixels.flip().hasRemaining()) {
            calls.acquire();
            try {
                embeddings = encode.apply(pixels);
            } catch (InvalidFeaturesException e) {
                throw e.named(name(e.index(), from, errors));
            } finally {
                calls.release();
            }
        }
        List<Item> items = new ArrayList<>();
        int good = 0;
        for (int i = from; i < to; i++) {
            IOException error = errors[i - from];
            items.add(new Item(i, source.name(i), error == null ? embeddings[good++] : null, error));
        }
        return items;
    }

    /** Returns the name of the n-th readable image of a batch. */
    private String name(int n, int from, IOException[] errors) {
        int left = n;
        for (int i = 0; i < errors.length; i++) {
            if (errors[i] == null && left-- == 0) {
                return source.name(from + i);
            }
        }
        throw new IndexOutOfBoundsException(n);
    }

    @Override
    public boolean hasNext() {
        return returned < source.size();
    }

    /**
     * Returns the result for the next image.
     *
     * @throws NoSuchElementException if there are no more images
     * @throws ImagesUnavailableException if the source has become unreadable altogether
     * @throws InvalidFeaturesException if a feature of an image is not finite; the message names the image and the encoder
     * @throws IllegalStateException if the pipeline is closed, or the encoder failed
     * @throws CancellationException if the thread is interrupted; its interrupt status stays set
     */
    @Override
    public Item next() {
        if (closed) {
            throw new IllegalStateException("The pipeline is closed");
        }
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        if (!current.hasNext()) {
            try {
                current = ahead.next(1).get(0).iterator();
            } catch (InterruptedException e) {
                close();
                Thread.currentThread().interrupt();
                throw new CancellationException("Interrupted while encoding images");
            } catch (ExecutionException e) {
                close();
                if (e.getCause() instanceof Error error) {
                    throw error;
                }
                if (e.getCause() instanceof InvalidFeaturesException invalid) {
                    throw invalid;
                }
                if (e.getCause() instanceof ImagesUnavailableException gone) {
                    throw gone;
                }
                throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
            }
            ahead.fill();
        }
        Item item = current.next();
        returned++;
        if (item.error() != null) {
            onError.accept(item);
        }
        return item;
    }

    /** Stops the workers and waits until they have left the encoder. A second call does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        workers.shutdownNow();
        boolean interrupted = false;
        while (true) {
            try {
                if (workers.awaitTermination(1, TimeUnit.DAYS)) {
                    break;
                }
            } catch (InterruptedException e) {
                // The caller may close the encoder after this: keep waiting, and restore the interrupt status
                // afterwards.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
