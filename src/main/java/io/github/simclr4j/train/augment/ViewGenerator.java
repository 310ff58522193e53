// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Renders random views of images, one at a time. A view depends only on the image and its seed. A generator is immutable and
 * thread-safe; each thread keeps a buffer for one image.
 *
 * @since 0.1.0
 */
public final class ViewGenerator {
    private static final ThreadLocal<ViewImage> MEMORY = ThreadLocal.withInitial(ViewImage::new);

    private final AugmentationPipeline pipeline;
    private final int size;
    private final Step[] steps;
    private final boolean crops;

    private record Step(String name, Augmentation augmentation, double probability, boolean crops, boolean flips) {
        static Step of(AugmentationStep s) {
            AugmentationFactory factory = s.factory();
            return new Step(
                    s.name(), factory.create(s.strengths()), s.probability(), factory.crops(), factory instanceof Flip);
        }
    }

    /**
     * Creates a generator.
     *
     * @param pipeline composition of the views
     * @param size side of the views in pixels, at least 1
     * @throws IllegalArgumentException if the size is below 1
     */
    public ViewGenerator(AugmentationPipeline pipeline, int size) {
        if (size < 1) {
            throw new IllegalArgumentException("The side of a view must be positive, found " + size);
        }
        this.pipeline = pipeline;
        this.size = size;
        steps = pipeline.steps().stream().map(Step::of).toArray(Step[]::new);
        crops = List.of(steps).stream().anyMatch(Step::crops);
    }

    /** Returns the composition of the views. */
    public AugmentationPipeline pipeline() {
        return pipeline;
    }

    /** Returns the side of the views in pixels. */
    public int size() {
        return size;
    }

    /** Returns the number of values of a view. */
    public int values() {
        return 3 * size * size;
    }

    /**
     * Renders a view into a buffer.
     *
     * @param pixels pixels of the image, uint8 [side, side, 3], RGB
     * @param side side of the image in pixels
     * @param seed seed of the view; consecutive numbers give independent views
     * @param out receives the view, float32 [3, size, size] in [0, 1]; its position does not change
     * @param at index of the view's first value
     * @throws IllegalArgumentException if the number of pixels does not fit the side
     */
    public void view(byte[] pixels, int side, long seed, FloatBuffer out, int at) {
        float[][] planes = make(pixels, side, seed, name -> {}).planes();
        int n = size * size;
        for (int c = 0; c < 3; c++) {
            out.put(at + c * n, planes[c], 0, n);
        }
    }

    /** Renders a view into a new array, float32 [3, size, size] in [0, 1]; see {@link #view(byte[], int, long, FloatBuffer, int)}. */
    public float[] view(byte[] pixels, int side, long seed) {
        float[] out = new float[values()];
        view(pixels, side, seed, FloatBuffer.wrap(out), 0);
        return out;
    }

    /**
     * Returns the names of the augmentations that are applied to a view, in order; others are skipped at random.
     *
     * @param pixels pixels of the image, uint8 [side, side, 3], RGB
     * @param side side of the image in pixels
     * @param seed seed of the view
     * @throws IllegalArgumentException if the number of pixels does not fit the side
     */
    public List<String> applied(byte[] pixels, int side, long seed) {
        List<String> names = new ArrayList<>();
        make(pixels, side, seed, names::add);
        return names;
    }

    private ViewImage make(byte[] pixels, int side, long seed, Consumer<String> applied) {
        if (side < 1 || pixels.length != 3L * side * side) {
            throw new IllegalArgumentException(
                    "Expected 3 bytes for each of " + side + "x" + side + " pixels, found " + pixels.length);
        }
        ViewImage image = MEMORY.get();
        image.begin(pixels, side, size);
        if (!crops && side != size) {
            // Resizes the whole image as in serving, except that values are not rounded to bytes.
            image.crop(0, 0, side, side, Interpolation.BILINEAR);
        }
        RandomGenerator random = new SplittableRandom(seed);
        for (int i = 0; i < steps.length; i++) {
            Step step = steps[i];
            boolean chosen = random.nextDouble() < step.probability;
            Augmentation.Change change = chosen
                    ? step.augmentation.draw(image.side(), random)
                    : step.augmentation.skip(image.side(), random);
            change.apply(image);
            if (chosen) {
                applied.accept(step.name());
            }
            if (step.crops && (i + 1 == steps.length || !steps[i + 1].flips)) {
                // Earlier versions drew a flip with each crop; this draw keeps the views of a seed unchanged.
                random.nextDouble();
            }
        }
        if (image.side() != size) {
            throw new IllegalStateException(
                    "Expected a view of " + size + "x" + size + " pixels from " + pipeline + ", found " + image.side());
        }
        return image;
    }
}
