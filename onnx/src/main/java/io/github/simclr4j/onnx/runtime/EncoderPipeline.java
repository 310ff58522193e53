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
 * Images in, embeddings out, in the order of the source, with all cores busy: each worker decodes and resizes the images of a
 * batch, runs the encoder on them, and takes the next batch, so that while one infers another decodes. At most twice as
 * many batches as workers are in memory: a slow reader holds the workers back. Large images wait for each other, so that
 * those that are decoded at once fit into half of the heap.
 *
 * <p>An image that can't be read is an item of its own, with the error, and ends nothing. Any other failure ends the
 * iteration: {@link #next} throws it.
 *
 * <p>Fastest on a CPU is an encoder that was opened with one thread for each call and runs on every worker at once
 * ({@link Settings#onCores}): a batch then needs no other thread, and no thread waits. An encoder on a GPU, or one with
 * threads of its own, is better called by one or two at a time.
 *
 * <p>The pipeline is used by one thread and owns neither the encoder nor the source. {@link #close} stops the workers and
 * waits until none is inside the encoder, which may be closed after that, as may the source.
 */
public final class EncoderPipeline implements Iterator<EncoderPipeline.Item>, AutoCloseable {

    /**
     * What became of an image.
     *
     * @param index its index in the source
     * @param name its name in the source: a path, or a name inside an archive
     * @param embedding its embedding, or null
     * @param error why it could not be read, or null
     */
    public record Item(int index, String name, float[] embedding, IOException error) {}

    /** The images of a batch: from an index up to, not including, another. */
    private record Range(int from, int to) {}

    /**
     * How the work is shared out.
     *
     * @param workers threads that decode, at least 1
     * @param batch images that the encoder gets at once, at least 1
     * @param calls how many workers may be inside the encoder at once, 1 to {@code workers}
     */
    public record Settings(int workers, int batch, int calls) {
        /**
         * Checks the ranges.
         *
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Settings {
            if (workers < 1 || batch < 1 || calls < 1 || calls > workers) {
                throw new IllegalArgumentException("Expected at least one worker, image a batch and call, and no more calls"
                        + " than workers, found " + workers + ", " + batch + " and " + calls);
            }
        }

        /**
         * One worker a core and as many calls, for an encoder that was opened with one thread; batches of the size that the
         * file fixes or {@link RuntimeSettings} chose, else of about the pixels of 32 images of 32x32, which keeps
         * activations in the caches, but at least 4.
         *
         * @param cores how many cores to use, 0 for all
         * @param encoder the encoder that will run
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
    /** A worker's images, in memory that ONNX Runtime can read as it is. */
    private final ThreadLocal<ByteBuffer> buffers;
    private final Prefetcher<Range, List<Item>> ahead;
    private Iterator<Item> current = List.<Item>of().iterator();
    private int returned;
    private boolean closed;

    /**
     * Starts work on the first images.
     *
     * @param encoder runs on the images; it must outlive the pipeline
     * @param source what to read, in its order; it must outlive the pipeline
     * @param settings how the work is shared out
     * @param onError told of each image that can't be read, in order, before {@link #next} returns it
     */
    public EncoderPipeline(OnnxEncoder encoder, ImageSource source, Settings settings, Consumer<Item> onError) {
        this(encoder.preprocessing(), encoder::embed, encoder.hasFixedBatch() ? encoder.batch() : 1, source, settings, onError);
    }

    /**
     * Starts work on the first of some image files.
     *
     * @param encoder runs on the images; it must outlive the pipeline
     * @param files what to read, in order
     * @param settings how the work is shared out
     * @param onError told of each file that can't be read, in order, before {@link #next} returns it
     */
    public EncoderPipeline(OnnxEncoder encoder, List<Path> files, Settings settings, Consumer<Item> onError) {
        this(encoder, ImageSource.ofFiles(files), settings, onError);
    }

    /**
     * Starts work with the encoder's parts given.
     *
     * @param encode gets the pixels of prepared images, in a buffer that is used again when it returns
     * @param least images that the encoder computes even if it gets fewer
     */
    EncoderPipeline(Preprocessing preprocessing, Function<ByteBuffer, float[][]> encode, int least, ImageSource source,
            Settings settings, Consumer<Item> onError) {
        this.source = source;
        this.preprocessing = preprocessing;
        this.encode = encode;
        this.onError = onError;
        int bytes = 3 * preprocessing.height() * preprocessing.width();
        int images = source.size();
        // A few images are spread over all workers.
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
                .mapToObj(i -> new Range(i * batch, (int) Math.min(images, (i + 1L) * batch))).iterator();
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

    /** The name of the n-th image of a batch that could be read. */
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
     * What became of the next image.
     *
     * @throws NoSuchElementException if there are no more
     * @throws ImagesUnavailableException if no image of the source can be read any more
     * @throws InvalidFeaturesException if a feature of an image is not finite; the message names the image and the encoder
     * @throws IllegalStateException if the pipeline is closed, or the encoder failed
     * @throws CancellationException if the thread is interrupted, whose mark stays set
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
                throw new CancellationException("Interrupted while images were encoded");
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

    /** Stops the workers and waits until they have left the encoder; a second call does nothing. */
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
                // The encoder must not be closed under a worker: wait on, and say so afterwards.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
