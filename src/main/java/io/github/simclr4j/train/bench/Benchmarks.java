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

/** Measures the parts of a training and of the use of an encoder, each alone. */
public final class Benchmarks {
    private Benchmarks() {}

    /** Measures training steps in views a second: forward, loss, backward and optimizer, on views that were made before. */
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
     * Measures how fast random views are made, in views a second.
     *
     * @param images that views are made of; at least one
     * @param threads that make them, at least 1
     */
    public static Rate views(PretrainSettings settings, ImageSet images, int threads, Repetitions repetitions)
            throws IOException {
        List<ViewGenerator> generators = IntStream.range(0, settings.method().views())
                .mapToObj(v -> new ViewGenerator(v == 0 ? settings.firstView() : settings.otherViews(), settings.imageSize()))
                .toList();
        int batch = settings.batch();
        int rows = generators.size() * batch;
        FloatBuffer out = ByteBuffer.allocateDirect(Math.toIntExact((long) rows * generators.get(0).values() * Float.BYTES))
                .order(ByteOrder.nativeOrder()).asFloatBuffer();
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
     * Measures how fast images are decoded and batched for a training that does not hold them in memory, in images a second.
     *
     * @param source stays the caller's
     * @param megabytes that are decoded ahead
     * @param threads that decode
     */
    public static Rate input(PretrainSettings settings, ImageSource source, int megabytes, int threads, Repetitions repetitions)
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
     * Measures how fast an encoder embeds images, from decoding to features, in images a second.
     *
     * @param encoder stays the caller's
     * @param source stays the caller's
     * @param settings how images are shared out to threads
     */
    public static Rate embed(OnnxEncoder encoder, ImageSource source, EncoderPipeline.Settings settings, Repetitions repetitions)
            throws IOException {
        return repetitions.measure(source.size(), () -> {
            try (EncoderPipeline pipeline = new EncoderPipeline(encoder, source, settings, item -> { })) {
                while (pipeline.hasNext()) {
                    pipeline.next();
                }
            }
        });
    }
}
