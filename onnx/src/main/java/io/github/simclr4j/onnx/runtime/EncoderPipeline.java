package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Files in, embeddings out, in the order of the files, with all cores busy: each worker decodes and resizes the images of a
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
 * <p>The pipeline is used by one thread and does not own the encoder. {@link #close} stops the workers and waits until none
 * is inside the encoder, which may be closed after that.
 */
public final class EncoderPipeline implements Iterator<EncoderPipeline.Item>, AutoCloseable {

    /**
     * What became of a file.
     *
     * @param index position of the file in the list
     * @param file the file
     * @param embedding its embedding, or null
     * @param error why it could not be read, or null
     */
    public record Item(int index, Path file, float[] embedding, IOException error) {}

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
    /** Megapixels that half of the heap holds while they are decoded: as the decoder's raster, and as RGB. */
    private static final int MEGAPIXELS = (int) Math.max(1, Math.min(1 << 20, Runtime.getRuntime().maxMemory() / 2 / (8 << 20)));

    private final List<Path> files;
    private final Preprocessing preprocessing;
    private final Function<ByteBuffer, float[][]> encode;
    private final Consumer<Item> onError;
    private final Settings settings;
    private final int batch;
    private final Semaphore calls;
    /** Large images wait for each other; fair, so that small ones don't keep a large one waiting. */
    private final Semaphore memory = new Semaphore(MEGAPIXELS, true);
    private final ExecutorService workers;
    /** A worker's images, in memory that ONNX Runtime can read as it is. */
    private final ThreadLocal<ByteBuffer> buffers;
    private final ArrayDeque<Future<List<Item>>> ahead = new ArrayDeque<>();
    private Iterator<Item> current = List.<Item>of().iterator();
    private int submitted;
    private int returned;
    private boolean closed;

    /**
     * Starts work on the first files.
     *
     * @param encoder runs on the images; it must outlive the pipeline
     * @param files what to read, in order
     * @param settings how the work is shared out
     * @param onError told of each file that can't be read, in order, before {@link #next} returns it
     */
    public EncoderPipeline(OnnxEncoder encoder, List<Path> files, Settings settings, Consumer<Item> onError) {
        this(encoder.preprocessing(), encoder::embed, encoder.hasFixedBatch() ? encoder.batch() : 1, files, settings, onError);
    }

    /**
     * The same with the encoder's parts given.
     *
     * @param encode gets the pixels of prepared images, in a buffer that is used again when it returns
     * @param least images that the encoder computes even if it gets fewer
     */
    EncoderPipeline(Preprocessing preprocessing, Function<ByteBuffer, float[][]> encode, int least, List<Path> files,
            Settings settings, Consumer<Item> onError) {
        this.files = List.copyOf(files);
        this.preprocessing = preprocessing;
        this.encode = encode;
        this.onError = onError;
        this.settings = settings;
        int bytes = 3 * preprocessing.height() * preprocessing.width();
        // A few files are spread over all workers.
        int share = (files.size() + settings.workers() - 1) / settings.workers();
        batch = Math.min(MAX_BUFFER / bytes, Math.max(least, Math.min(settings.batch(), share)));
        buffers = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(batch * bytes));
        calls = new Semaphore(settings.calls());
        workers = Executors.newFixedThreadPool(settings.workers(), task -> {
            Thread t = new Thread(task, "simclr-pipeline");
            t.setDaemon(true);
            return t;
        });
        fill();
    }

    private void fill() {
        while (submitted < files.size() && ahead.size() < 2 * settings.workers()) {
            int from = submitted;
            int to = Math.min(files.size(), from + batch);
            ahead.add(workers.submit(() -> work(from, to)));
            submitted = to;
        }
    }

    private List<Item> work(int from, int to) throws InterruptedException {
        IOException[] errors = new IOException[to - from];
        ByteBuffer pixels = buffers.get().clear();
        for (int i = from; i < to; i++) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            try {
                pixels.put(prepared(files.get(i)));
            } catch (IOException e) {
                errors[i - from] = e;
            }
        }
        float[][] embeddings = new float[0][];
        if (pixels.flip().hasRemaining()) {
            calls.acquire();
            try {
                embeddings = encode.apply(pixels);
            } finally {
                calls.release();
            }
        }
        List<Item> items = new ArrayList<>();
        int good = 0;
        for (int i = from; i < to; i++) {
            IOException error = errors[i - from];
            items.add(new Item(i, files.get(i), error == null ? embeddings[good++] : null, error));
        }
        return items;
    }

    private byte[] prepared(Path file) throws IOException {
        int[] taken = new int[1];
        try {
            return preprocessing.apply(Images.read(file, (width, height) -> {
                taken[0] = Math.min(MEGAPIXELS, 1 + (int) ((long) width * height >> 20));
                memory.acquireUninterruptibly(taken[0]);
            })).rgb();
        } finally {
            memory.release(taken[0]);
        }
    }

    @Override
    public boolean hasNext() {
        return returned < files.size();
    }

    /**
     * What became of the next file.
     *
     * @throws NoSuchElementException if there are no more
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
                current = ahead.remove().get().iterator();
            } catch (InterruptedException e) {
                close();
                Thread.currentThread().interrupt();
                throw new CancellationException("Interrupted while images were encoded");
            } catch (ExecutionException e) {
                close();
                if (e.getCause() instanceof Error error) {
                    throw error;
                }
                throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
            }
            fill();
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
