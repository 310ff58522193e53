// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Renders random views of images, one at a time. A view depends only on the image and its seed. A generator is immutable and
 * thread-safe; each thread keeps a buffer for one image.
 *
 * @since 0.1.0
 */
public final class ViewGenerator {
    private static final ThreadLocal<ViewImage> MEMORY = ThreadLocal.withInitial(ViewImage::new);

    private static final ThreadLocal<ViewImage> PATCH = ThreadLocal.withInitial(ViewImage::new);

    private final AugmentationPipeline pipeline;
    private final int imageSize;
    private final PatchGrid grid;
    private final Step[] steps;
    private final Step[] patchSteps;
    private final boolean crops;

    private record Step(String name, Augmentation augmentation, double probability, boolean crops, boolean drawsAFlip) {
        /** Earlier versions drew a flip with each crop of an image; this draw keeps the views of a seed unchanged. */
        static Step of(AugmentationStep s, AugmentationStep next) {
            AugmentationFactory factory = s.factory();
            boolean flipFollows = next != null && next.factory() instanceof Flip;
            return new Step(
                    s.name(),
                    factory.create(s.strengths()),
                    s.probability(),
                    factory.crops(),
                    factory.crops() && !flipFollows);
        }

        static Step[] of(List<AugmentationStep> all) {
            return IntStream.range(0, all.size())
                    .mapToObj(i -> of(all.get(i), i + 1 < all.size() ? all.get(i + 1) : null))
                    .toArray(Step[]::new);
        }
    }

    /**
     * Creates a generator of views of the whole image.
     *
     * @param pipeline composition of the views
     * @param size side of the views in pixels, at least 1
     * @throws IllegalArgumentException if the size is below 1, or if the composition changes each patch by itself
     */
    public ViewGenerator(AugmentationPipeline pipeline, int size) {
        this(pipeline, size, PatchGrid.NONE);
    }

    /**
     * Creates a generator.
     *
     * @param pipeline composition of the views
     * @param imageSize side of the image before it is cut into patches, in pixels, at least 1
     * @param grid the patches, which stand side by side in the view; {@link PatchGrid#NONE} for the whole image
     * @throws IllegalArgumentException if the size is below 1 or below that of a patch, or if the composition changes each patch by
     *     itself and there are none
     */
    public ViewGenerator(AugmentationPipeline pipeline, int imageSize, PatchGrid grid) {
        if (imageSize < 1) {
            throw new IllegalArgumentException("The side of a view must be positive, found " + imageSize);
        }
        if (!pipeline.patchSteps().isEmpty() && !grid.cuts()) {
            throw new IllegalArgumentException(
                    "The views " + pipeline
                            + " change each patch by itself, which needs an encoder of patches, such as that of the method cpc");
        }
        if (grid.viewSide(imageSize) < 1) {
            throw new IllegalArgumentException(
                    "Patches of " + grid.side() + " pixels don't fit into images of " + imageSize + " pixels");
        }
        this.pipeline = pipeline;
        this.imageSize = imageSize;
        this.grid = grid;
        steps = Step.of(pipeline.steps());
        patchSteps = Step.of(pipeline.patchSteps());
        crops = List.of(steps).stream().anyMatch(Step::crops);
    }

    /** Returns the composition of the views. */
    public AugmentationPipeline pipeline() {
        return pipeline;
    }

    /** Returns the side of the views in pixels; with patches it differs from the side of the image. */
    public int size() {
        return grid.viewSide(imageSize);
    }

    /** Returns the number of values of a view. */
    public int values() {
        return 3 * size() * size();
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
        RandomGenerator random = new SplittableRandom(seed);
        ViewImage image = image(pixels, side, random, name -> {});
        if (grid.cuts()) {
            patches(image, random, out, at);
            return;
        }
        int n = imageSize * imageSize;
        for (int c = 0; c < 3; c++) {
            out.put(at + c * n, image.planes()[c], 0, n);
        }
    }

    /** Renders a view into a new array, float32 [3, size, size] in [0, 1]; see {@link #view(byte[], int, long, FloatBuffer, int)}. */
    public float[] view(byte[] pixels, int side, long seed) {
        float[] out = new float[values()];
        view(pixels, side, seed, FloatBuffer.wrap(out), 0);
        return out;
    }

    /**
     * Returns the names of the augmentations that are applied to the image of a view, in order; others are skipped at random. Those of
     * its patches are left out.
     *
     * @param pixels pixels of the image, uint8 [side, side, 3], RGB
     * @param side side of the image in pixels
     * @param seed seed of the view
     * @throws IllegalArgumentException if the number of pixels does not fit the side
     */
    public List<String> applied(byte[] pixels, int side, long seed) {
        List<String> names = new ArrayList<>();
        image(pixels, side, new SplittableRandom(seed), names::add);
        return names;
    }

    private ViewImage image(byte[] pixels, int side, RandomGenerator random, Consumer<String> applied) {
        if (side < 1 || pixels.length != 3L * side * side) {
            throw new IllegalArgumentException(
                    "Expected 3 bytes for each of " + side + "x" + side + " pixels, found " + pixels.length);
        }
        ViewImage image = MEMORY.get();
        image.begin(pixels, side, imageSize);
        if (!crops && side != imageSize) {
            // Resizes the whole image as in serving, except that values are not rounded to bytes.
            image.crop(0, 0, side, side, Interpolation.BILINEAR);
        }
        change(image, steps, random, applied);
        if (image.side() != imageSize) {
            throw new IllegalStateException("Expected an image of " + imageSize + "x" + imageSize + " pixels from "
                    + pipeline + ", found " + image.side());
        }
        return image;
    }

    private static void change(ViewImage image, Step[] steps, RandomGenerator random, Consumer<String> applied) {
        for (Step step : steps) {
            boolean chosen = random.nextDouble() < step.probability;
            Augmentation.Change change = chosen
                    ? step.augmentation.draw(image.side(), random)
                    : step.augmentation.skip(image.side(), random);
            change.apply(image);
            if (chosen) {
                applied.accept(step.name());
            }
            if (step.drawsAFlip) {
                random.nextDouble();
            }
        }
    }

    /** Changes each patch of an image by itself, and puts them side by side. */
    private void patches(ViewImage image, RandomGenerator random, FloatBuffer out, int at) {
        float[][] planes = image.planes();
        ViewImage patch = PATCH.get();
        int side = grid.side();
        int along = grid.along(imageSize);
        int line = along * side;
        for (int p = 0; p < along * along; p++) {
            int row = p / along;
            int column = p % along;
            patch.begin(planes, imageSize, row * grid.stride(), column * grid.stride(), side);
            change(patch, patchSteps, random, name -> {});
            if (patch.side() != side) {
                throw new IllegalStateException("Expected a patch of " + side + "x" + side + " pixels from " + pipeline
                        + ", found " + patch.side());
            }
            float[][] changed = patch.planes();
            for (int c = 0; c < 3; c++) {
                for (int y = 0; y < side; y++) {
                    out.put(at + (c * line + row * side + y) * line + column * side, changed[c], y * side, side);
                }
            }
        }
    }
}
