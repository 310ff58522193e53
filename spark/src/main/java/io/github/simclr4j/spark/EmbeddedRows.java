// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.load.Prefetcher;
import io.github.simclr4j.images.load.PreparedImage;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.InvalidFeaturesException;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.Provider;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Adds embeddings to the rows of a partition, in their order. Worker threads of the task read and decode images ahead. The task's own
 * thread pulls the rows and runs the encoder on the images that are ready.
 */
final class EmbeddedRows implements Iterator<Row>, AutoCloseable {
    /** Number of reader threads per CPU for paths, because they mostly wait for a disk or the network. */
    private static final int READERS_PER_CPU = 4;

    /** The largest buffer of pixels, in bytes; a larger batch is divided. */
    private static final int MAX_BUFFER = 1 << 29;

    private final Plan plan;
    private final EncoderSessions.Lease lease;
    private final OnnxEncoder encoder;
    private final int batch;
    private final ExecutorService workers;
    private final Prefetcher<Row, Prepared> ahead;
    /** The pixels of a batch; null after the last row. */
    private ByteBuffer pixels;

    private final Deque<Row> ready = new ArrayDeque<>();

    /** A row with its image's pixels, or the reason why they could not be read. */
    private record Prepared(Row row, byte[] pixels, IOException error) {}

    /**
     * Creates the iterator. It does not read rows before its first call.
     *
     * @param rows the rows, which are pulled by the thread that calls this object
     * @param lease the encoder, which is given back after the last row, or by {@link #close}
     * @param cpus number of CPUs of the task
     * @param hadoop the configuration of the file systems
     */
    EmbeddedRows(Iterator<Row> rows, Plan plan, EncoderSessions.Lease lease, int cpus, Configuration hadoop) {
        this.plan = plan;
        this.lease = lease;
        encoder = lease.encoder();
        Preprocessing preprocessing = encoder.preprocessing();
        int bytes = 3 * preprocessing.height() * preprocessing.width();
        batch = Math.max(1, Math.min(MAX_BUFFER / bytes, batch(encoder, plan.provider())));
        pixels = ByteBuffer.allocateDirect(batch * bytes);
        int threads = plan.paths() ? READERS_PER_CPU * cpus : cpus;
        workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "simclr-decode");
            thread.setDaemon(true);
            return thread;
        });
        ahead = new Prefetcher<>(workers, rows, 2 * batch + threads, row -> prepare(row, preprocessing, hadoop));
    }

    /**
     * Returns the number of images per call of the encoder. On a CPU a batch should stay in the processor's caches; other devices need
     * large ones.
     *
     * @param provider the execution provider that the encoder was opened with
     */
    static int batch(OnnxEncoder encoder, String provider) {
        return Provider.of(provider) == Provider.CPU
                ? EncoderPipeline.Settings.onCores(1, encoder).batch()
                : encoder.batch();
    }

    /** Returns the name of a row's image for messages. */
    private String name(Row row, String otherwise) {
        return plan.name() < 0 || row.isNullAt(plan.name())
                ? otherwise
                : row.get(plan.name()).toString();
    }

    private Prepared prepare(Row row, Preprocessing preprocessing, Configuration hadoop) {
        try {
            RowImage image = new RowImage(name(row, "An image"), row.get(plan.input()), hadoop);
            return new Prepared(row, PreparedImage.read(image, 0, preprocessing, (width, height) -> {}), null);
        } catch (IOException e) {
            return new Prepared(row, null, e);
        }
    }

    @Override
    public boolean hasNext() {
        // A batch may become empty if unreadable images are dropped.
        while (ready.isEmpty() && ahead.hasNext()) {
            encode(take());
        }
        if (ready.isEmpty()) {
            // Not only at the end of the task, which may run any number of partitions after coalesce().
            close();
            pixels = null;
        }
        return !ready.isEmpty();
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        return ready.remove();
    }

    private List<Prepared> take() {
        try {
            List<Prepared> prepared = ahead.next(batch);
            // Gives the workers images to read while this thread runs the encoder.
            ahead.fill();
            return prepared;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("The task was killed");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
        }
    }

    private void encode(List<Prepared> rows) {
        List<Prepared> good = rows.stream().filter(r -> r.error() == null).toList();
        pixels.clear();
        good.forEach(r -> pixels.put(r.pixels()));
        float[][] embeddings;
        try {
            embeddings = good.isEmpty() ? new float[0][] : encoder.embed(pixels.flip());
        } catch (InvalidFeaturesException e) {
            throw e.named(name(good.get(e.index()).row(), "an image"));
        }
        int at = 0;
        for (Prepared row : rows) {
            if (row.error() == null) {
                ready.add(extend(row.row(), embeddings[at++], null));
            } else if (plan.onUnreadable().equals(Plan.FAIL)) {
                throw new IllegalArgumentException(
                        row.error().getMessage()
                                + " (use setOnUnreadable(\"null\") or \"drop\" to continue without such images)",
                        row.error());
            } else if (plan.onUnreadable().equals(Plan.NULL)) {
                ready.add(extend(row.row(), null, row.error().getMessage()));
            }
        }
    }

    private Row extend(Row row, float[] embedding, String error) {
        List<Object> values = new ArrayList<>(plan.columns() + 2);
        for (int i = 0; i < plan.columns(); i++) {
            values.add(row.get(i));
        }
        values.add(embedding == null ? null : plan.vector() ? Vectors.dense(doubles(embedding)) : embedding);
        if (plan.error()) {
            values.add(error);
        }
        return RowFactory.create(values.toArray());
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    /**
     * Stops the workers, without waiting for the images that they are reading, and gives the encoder back. A second call does nothing.
     */
    @Override
    public void close() {
        ahead.cancel(true);
        workers.shutdownNow();
        lease.close();
    }
}
