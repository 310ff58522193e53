// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.device.Compute;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.method.RunStart;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Repeats training steps (forward, loss, backward and optimizer) on the same random views outside of a run, for benchmarks.
 *
 * <p>It owns its networks until it is closed. Not thread-safe.
 *
 * @since 0.1.0
 */
public final class RepeatedStep implements AutoCloseable {
    /** Number of classes for a method that needs labels. */
    private static final int CLASSES = 10;
    /** Learning rate, so small that the weights stay finite for any number of steps. */
    private static final double RATE = 1e-6;

    private final RunResources resources;
    private final MethodContext context;
    private final TrainingStep step;
    private final BatchViews batch;
    private final int views;
    private NDArray loss;
    private NDManager last;

    /**
     * Prepares steps.
     *
     * @param settings settings of the steps; their precision is replaced by that of {@code compute}
     * @param compute devices, precision and threads
     * @throws IllegalArgumentException if several devices cannot share the batch norm groups
     * @throws UncheckedIOException if a file that the method's options name cannot be read
     */
    public RepeatedStep(PretrainSettings settings, Compute compute) {
        Torch.noGradient();
        settings.checkDevices(compute.devices());
        resources = new RunResources(compute.threads());
        MethodContext networks = null;
        TrainingStep made = null;
        try {
            PretrainSettings s = settings.withPrecision(compute.precision()).opened(resources);
            networks = new MethodContext(
                    s.network(CLASSES),
                    s.zeroGamma(),
                    compute.computation(),
                    new MethodContext.Run(s.options(), s.batch(), CLASSES, s.seed(), s.head()::append));
            views = s.views() * s.batch();
            Method method = s.method().create(networks);
            made = new TrainingStep(s, networks, method, compute.others());
            method.begin(new RunStart(images(s), null, false, Progress.NONE));
            NDManager m = networks.exported().manager();
            int small = s.smallViews().count() * s.batch();
            batch = new MadeViews(
                    random(m, views - small, s.generator(s.firstView()).size(), s.seed()),
                    small == 0 ? null : random(m, small, s.smallViews().size(), s.seed()),
                    s.batch(),
                    IntStream.range(0, s.batch()).map(i -> i % CLASSES).toArray(),
                    s.seed());
        } catch (IOException e) {
            free(made, networks, resources);
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (Throwable e) {
            free(made, networks, resources);
            throw e;
        }
        context = networks;
        step = made;
    }

    private static void free(TrainingStep step, MethodContext context, RunResources resources) {
        if (step != null) {
            step.close();
        }
        if (context != null) {
            context.close();
        }
        resources.close();
    }

    /** Returns random images for a method that reads the training images before the first step. */
    private static ImageSet images(PretrainSettings s) {
        Random random = new Random(s.seed());
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < s.batch(); i++) {
            byte[] rgb = new byte[3 * s.imageSize() * s.imageSize()];
            random.nextBytes(rgb);
            images.add(new RgbImage(s.imageSize(), s.imageSize(), rgb));
        }
        return ImageSet.of(images, s.imageSize());
    }

    /** Returns random views whose pixels are multiples of 1/255, as those of real images nearly are. */
    private static NDArray random(NDManager manager, int views, int size, long seed) {
        Random random = new Random(seed);
        int one = 3 * size * size;
        NDArray all = manager.zeros(new Shape(views, 3, size, size));
        for (int i = 0; i < views; i++) {
            float[] pixels = new float[one];
            for (int p = 0; p < one; p++) {
                pixels[p] = random.nextInt(256) / 255f;
            }
            try (NDArray view = manager.create(pixels, new Shape(1, 3, size, size))) {
                all.set(new ai.djl.ndarray.index.NDIndex("{}:{}", i, i + 1), view);
            }
        }
        return all;
    }

    /** Returns the number of views per step. */
    public int views() {
        return views;
    }

    /** Starts a step; a GPU may still be computing when this method returns. */
    public void take() {
        release();
        last = context.exported().manager().newSubManager();
        loss = step.take(batch, RATE, 0.5, last).outcome().loss();
    }

    /** Waits for the last step to finish and returns its loss. */
    public double await() {
        return loss.toFloatArray()[0];
    }

    private void release() {
        if (last != null) {
            last.close();
            last = null;
        }
    }

    /** Frees networks, optimizer and views. */
    @Override
    public void close() {
        release();
        free(step, context, resources);
    }
}
