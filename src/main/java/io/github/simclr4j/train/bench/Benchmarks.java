// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.bench;

import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.augment.ViewRequest;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.StreamedImages;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.loop.RepeatedStep;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Benchmarks of single parts of training and inference.
 *
 * @since 0.1.0
 */
public final class Benchmarks {
    private Benchmarks() {}

    /**
     * Measures training steps (forward, loss, backward and optimizer) in views per second, on views that were rendered in advance.
     *
     * @param settings settings of the steps
     * @param compute devices, precision and threads
     * @param repetitions number and length of the measurements
     */
    public static Rate step(PretrainSettings settings, Compute compute, Repetitions repetitions) throws IOException {
        try (RepeatedStep step = new RepeatedStep(settings, compute)) {
            return repetitions.measure(step.views(), new Repetitions.Work() {
                @Override
                public void run() {
                    step.take();
                }

                @Override
                public void await() {
                    step.await();
                }
            });
        }
    }

    /**
     * Measures the rendering of random views in views per second.
     *
     * @param settings settings of the views
     * @param images at least one image
     * @param threads number of threads, at least 1
     * @param repetitions number and length of the measurements
     */
    public static Rate views(PretrainSettings settings, ImageSet images, int threads, Repetitions repetitions)
            throws IOException {
        List<ViewGenerator> generators =
                settings.generators().subList(0, settings.method().views());
        int batch = settings.batch();
        int rows = generators.size() * batch;
        FloatBuffer out = ByteBuffer.allocateDirect(
                        Math.toIntExact((long) rows * generators.get(0).values() * Float.BYTES))
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        long[] seed = {settings.seed()};
        try (ViewPool pool = new ViewPool(threads)) {
            return repetitions.measure(rows, () -> {
                List<ViewRequest> requests = new ArrayList<>(rows);
                for (int row = 0; row < rows; row++) {
                    byte[] pixels = images.pixels().get((int) ((seed[0] + row) % images.count()));
                    requests.add(new ViewRequest(generators.get(row / batch), pixels, images.side(), seed[0]++));
                }
                pool.make(requests, out);
            });
        }
    }

    /**
     * Measures the decoding and batching of images for a training that streams them, in images per second.
     *
     * @param settings settings of the training
     * @param source the images, which the caller closes
     * @param megabytes largest amount that is decoded ahead, in units of 2^20 bytes
     * @param threads number of decoding threads
     * @param repetitions number and length of the measurements
     */
    public static Rate input(
            PretrainSettings settings, ImageSource source, int megabytes, int threads, Repetitions repetitions)
            throws IOException {
        int batch = Math.min(settings.batch(), source.size());
        int side = ResidentImages.side(source, settings.imageSize());
        // Two batches must fit in any case.
        int room = Math.max(megabytes, (int) (2L * batch * 3 * side * side >> 20) + 1);
        StreamedImages images = new StreamedImages(source, settings.imageSize(), room, batch, threads, Progress.NONE);
        int[] order = IntStream.range(0, source.size()).toArray();
        int steps = source.size() / batch;
        try (BatchLoader loader = BatchLoader.of(images)) {
            int[] at = {steps};
            return repetitions.measure(batch, () -> {
                if (at[0] == steps) {
                    loader.begin(order, batch, 0);
                    at[0] = 0;
                }
                loader.next();
                at[0]++;
            });
        }
    }

    /**
     * Measures an encoder, from decoding to features, in images per second.
     *
     * @param encoder the encoder, which the caller closes
     * @param source the images, which the caller closes
     * @param settings how images are distributed over threads
     * @param repetitions number and length of the measurements
     */
    public static Rate embed(
            OnnxEncoder encoder, ImageSource source, EncoderPipeline.Settings settings, Repetitions repetitions)
            throws IOException {
        return repetitions.measure(source.size(), () -> {
            try (EncoderPipeline pipeline = new EncoderPipeline(encoder, source, settings, item -> {})) {
                while (pipeline.hasNext()) {
                    pipeline.next();
                }
            }
        });
    }
}
