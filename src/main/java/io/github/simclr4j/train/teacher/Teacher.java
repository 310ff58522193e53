// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.teacher;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.Provider;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A frozen encoder file, of this library or another, that a student learns from.
 *
 * <p>Preprocessing that the file lacks is read from the configuration beside it or from a given one, see {@link OnnxEncoder}.
 * Closing the teacher frees the native session.
 *
 * @since 0.1.0
 */
public final class Teacher implements AutoCloseable {
    /** Number of images that are prepared at once. */
    private static final int CHUNK = 256;

    private final OnnxEncoder encoder;
    private final String provider;
    private final int workers;

    /** Takes over an open encoder. */
    Teacher(OnnxEncoder encoder, String provider, int workers) {
        this.encoder = encoder;
        this.provider = provider;
        this.workers = workers;
    }

    /** Receives features in the order of the images. */
    @FunctionalInterface
    public interface Receiver {
        /**
         * Receives the features of the next image.
         *
         * @param features the features, or null if the image is unreadable
         */
        void next(float[] features) throws IOException;
    }

    /**
     * Opens a file.
     *
     * @param file the encoder
     * @param config JSON file of settings or {@code preprocessor_config.json}; null for none
     * @param provider execution provider of ONNX Runtime, such as {@code cpu} or {@code cuda}
     * @param threads CPU threads, 0 for one per core
     * @param inSteps {@code true} to call {@link #embed(List)} with all threads per call, {@code false} to embed whole sources
     * @throws IOException if the file cannot be read or is not an image encoder, or if the configuration does not fit it; the message
     *     names the file
     * @throws IllegalStateException if this ONNX Runtime lacks the provider
     */
    public static Teacher open(Path file, Path config, String provider, int threads, boolean inSteps)
            throws IOException {
        int workers = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        boolean one = Provider.of(provider) == Provider.CPU && !inSteps;
        RuntimeSettings runtime = RuntimeSettings.DEFAULT
                .withProvider(provider)
                .withThreads(one ? 1 : Math.min(workers, RuntimeSettings.maxThreads()));
        EncoderSettings given = config == null ? EncoderSettings.none() : EncoderSettings.read(config);
        return new Teacher(OnnxEncoder.open(file, given, runtime), provider, workers);
    }

    /** Returns the SHA-256 hash of the file and its external data, in hexadecimal. */
    public String sha256() {
        return encoder.sha256();
    }

    /** Returns all settings that determine the features of an image, as text. */
    public String settings() {
        return encoder.settings().values().entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue().text())
                .collect(Collectors.joining(", "));
    }

    /** Returns the execution provider. */
    String provider() {
        return provider;
    }

    /** Returns whether the encoder uses Winograd's convolutions, which change the features by rounding errors. */
    boolean usesWinograd() {
        return encoder.usesWinograd();
    }

    /** Returns the length of the features. */
    public int dimension() {
        return encoder.dimension();
    }

    /**
     * Returns the features of images.
     *
     * @param images images of any size
     * @return [images, dimension]
     */
    public float[][] embed(List<RgbImage> images) {
        Preprocessing rule = encoder.preprocessing();
        float[][] all = new float[images.size()][];
        int size = 3 * rule.height() * rule.width();
        int chunk = Math.max(1, Math.min(CHUNK, (1 << 28) / size));
        for (int from = 0; from < all.length; from += chunk) {
            int first = from;
            int n = Math.min(chunk, all.length - from);
            byte[][] prepared = new byte[n][];
            IntStream.range(0, n)
                    .parallel()
                    .forEach(
                            i -> prepared[i] = rule.apply(images.get(first + i)).rgb());
            ByteBuffer pixels = ByteBuffer.allocate(n * size);
            for (byte[] p : prepared) {
                pixels.put(p);
            }
            System.arraycopy(encoder.embed(pixels.flip()), 0, all, from, n);
        }
        return all;
    }

    /**
     * Computes the features of all images of a source in order, on all threads.
     *
     * @param source the images, which the caller closes
     * @param receiver gets the features
     * @throws InterruptedIOException if the thread was interrupted
     * @throws IOException if the receiver throws it
     */
    public void embed(ImageSource source, Receiver receiver) throws IOException {
        EncoderPipeline.Settings cores = EncoderPipeline.Settings.onCores(workers, encoder);
        EncoderPipeline.Settings shared = Provider.of(provider) == Provider.CPU
                ? cores
                : new EncoderPipeline.Settings(cores.workers(), encoder.batch(), Math.min(2, cores.workers()));
        try (EncoderPipeline pipeline = new EncoderPipeline(encoder, source, shared, item -> {})) {
            while (pipeline.hasNext()) {
                receiver.next(pipeline.next().embedding());
                // The pipeline checks for interrupts only while it waits.
                if (Thread.interrupted()) {
                    throw interrupted();
                }
            }
        } catch (CancellationException e) {
            Thread.interrupted();
            throw (IOException) interrupted().initCause(e);
        }
    }

    private static InterruptedIOException interrupted() {
        return new InterruptedIOException("interrupted while the teacher's features were computed");
    }

    /** Frees the native session; a second call has no effect. */
    @Override
    public void close() {
        encoder.close();
    }
}
