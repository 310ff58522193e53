// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every augmentation that there is, those of other jars included. */
class AugmentationContractTest {
    private static final int SIDE = 20;
    private static final int[] SIZES = {16, 20, 24};

    static Stream<AugmentationFactory> factories() {
        return AugmentationFactory.all().stream();
    }

    /** The augmentation at its defaults and at its largest strengths, for every image. */
    private static List<AugmentationStep> steps(AugmentationFactory factory, double probability) {
        List<AugmentationStep> steps = new ArrayList<>();
        steps.add(new AugmentationStep(factory.name(), standard(factory.strengths()), probability));
        Stream.concat(Stream.of(factory.strengths()), factory.alternatives().stream())
                .forEach(l -> {
                    steps.add(new AugmentationStep(factory.name(), standard(l), probability));
                    steps.add(new AugmentationStep(
                            factory.name(), l.stream().map(Strength::most).toList(), probability));
                });
        return steps;
    }

    private static List<Double> standard(List<Strength> strengths) {
        return strengths.stream().map(Strength::standard).toList();
    }

    private static ViewGenerator generator(AugmentationStep step, int size) {
        return new ViewGenerator(new AugmentationPipeline(List.of(step)), size);
    }

    @Test
    void oneFromOutsideOfTheLibraryIsThere() {
        List<String> names = factories().map(AugmentationFactory::name).toList();
        assertEquals(
                List.of(
                        "crop",
                        "crop-bilinear",
                        "flip",
                        "jitter",
                        "grey",
                        "rotate",
                        "cutout",
                        "noise",
                        "blur",
                        "sobel",
                        "solarise",
                        "autoaugment",
                        "autoaugment-imagenet",
                        "negative"),
                names);
        assertEquals("negative:1.0@0.3", AugmentationStep.of("negative").toString());
    }

    @ParameterizedTest
    @MethodSource("factories")
    void everythingIsDocumented(AugmentationFactory factory) {
        assertTrue(factory.help().length() >= 8 && !factory.help().endsWith("."), factory.help());
        assertTrue(factory.probability() >= 0 && factory.probability() <= 1);
        Set<Integer> lengths = new HashSet<>(Set.of(factory.strengths().size()));
        factory.alternatives().forEach(l -> assertTrue(lengths.add(l.size()), "two lists of " + l.size()));
        Stream.concat(
                        factory.strengths().stream(),
                        factory.alternatives().stream().flatMap(List::stream))
                .forEach(s -> {
                    assertTrue(s.help().length() >= 8 && !s.name().isBlank(), s.toString());
                    assertTrue(
                            s.allows(s.standard())
                                    && s.allows(s.most())
                                    && !s.allows(Math.nextUp(s.most()))
                                    && !s.allows(-0.1)
                                    && !s.allows(Double.NaN),
                            s.toString());
                    assertEquals(!s.positive(), s.allows(0));
                });
        String help = String.join("\n", AugmentationPipeline.help());
        assertTrue(help.replaceAll("\\s+", " ").contains(factory.help()), help);
    }

    @ParameterizedTest
    @MethodSource("factories")
    void textReadsBack(AugmentationFactory factory) {
        for (AugmentationStep step : steps(factory, 0.25)) {
            assertEquals(step, AugmentationStep.of(step.toString()));
        }
        AugmentationStep step = AugmentationStep.of(factory.name());
        assertEquals(factory, step.factory());
        assertEquals(standard(factory.strengths()), step.strengths());
        assertEquals(factory.probability(), step.probability());
        // A strength more than the longest list has.
        int most = Stream.concat(Stream.of(factory.strengths()), factory.alternatives().stream())
                .mapToInt(List::size)
                .max()
                .orElse(0);
        List<Double> many = Stream.generate(() -> 0.1).limit(most + 1L).toList();
        assertThrows(IllegalArgumentException.class, () -> new AugmentationStep(factory.name(), many, 1));
    }

    @ParameterizedTest
    @MethodSource("factories")
    void aSeedGivesOneViewToTheBitAndValuesInRange(AugmentationFactory factory) {
        byte[] image = ViewFixtures.random(SIDE, 3);
        byte[] before = image.clone();
        for (AugmentationStep step : steps(factory, 1)) {
            Set<String> different = new HashSet<>();
            for (int size : SIZES) {
                ViewGenerator generator = generator(step, size);
                for (long seed = 0; seed < 20; seed++) {
                    float[] view = generator.view(image, SIDE, seed);
                    assertEquals(3 * size * size, view.length);
                    for (float v : view) {
                        assertTrue(v >= 0 && v <= 1, step + " made " + v);
                    }
                    // What the thread made in between leaves no trace.
                    generator(AugmentationStep.of("noise@1"), 33).view(ViewFixtures.random(40, seed), 40, seed);
                    assertArrayEquals(view, generator.view(image, SIDE, seed), step.toString());
                    different.add(size + Arrays.toString(Arrays.copyOf(view, size * size)));
                }
            }
            // These do the same to an image whatever the seed is; the largest share of a crop is the whole image.
            boolean chance = step.strengths().equals(standard(factory.strengths()))
                    && !Set.of("flip", "grey", "sobel", "solarise").contains(factory.name());
            assertTrue(different.size() >= (chance ? 2 : 1) * SIZES.length, step + " makes " + different.size());
            assertArrayEquals(before, image, "the image itself stays");
        }
    }

    @ParameterizedTest
    @MethodSource("factories")
    void imagesMayBeAsSmallAsOnePixel(AugmentationFactory factory) {
        for (AugmentationStep step : steps(factory, 1)) {
            for (int side = 1; side < 5; side++) {
                for (int size = 1; size < 5; size++) {
                    for (float v : generator(step, size).view(ViewFixtures.random(side, size), side, side)) {
                        assertTrue(v >= 0 && v <= 1, step + " made " + v);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("factories")
    void probability0ChangesNothing(AugmentationFactory factory) {
        byte[] image = ViewFixtures.random(SIDE, 4);
        for (AugmentationStep step : steps(factory, 0)) {
            for (int size : SIZES) {
                ViewGenerator plain = new ViewGenerator(AugmentationPipeline.of("none"), size);
                ViewGenerator generator = generator(step, size);
                for (long seed = 0; seed < 5; seed++) {
                    float[] view = generator.view(image, SIDE, seed);
                    // A crop resizes the whole image by its own filter; in its own size that changes nothing either.
                    if (!factory.crops() || size == SIDE) {
                        assertArrayEquals(plain.view(image, SIDE, seed), view, step.toString());
                    }
                }
            }
        }
    }

    /** As many numbers are drawn for an image that isn't changed as for one that is, so what follows is the same. */
    @ParameterizedTest
    @MethodSource("factories")
    void whatFollowsDoesNotDependOnWhetherAnImageWasChanged(AugmentationFactory factory) {
        for (AugmentationStep step : steps(factory, 1)) {
            Augmentation augmentation = factory.create(step.strengths());
            for (long seed = 0; seed < 20 && !factory.crops(); seed++) {
                RandomGenerator chosen = new SplittableRandom(seed);
                RandomGenerator skipped = new SplittableRandom(seed);
                augmentation.draw(SIDE, chosen);
                augmentation.skip(SIDE, skipped);
                assertEquals(chosen.nextLong(), skipped.nextLong(), step.toString());
            }
        }
    }

    /** A view is the same alone, among others, in another place, and made by one thread or by several. */
    @ParameterizedTest
    @MethodSource("factories")
    void aViewDependsOnItsImageAndItsSeedAlone(AugmentationFactory factory) {
        String after = ","
                + factories()
                        .filter(f -> !f.crops())
                        .map(AugmentationFactory::name)
                        .collect(Collectors.joining(","));
        AugmentationPipeline alone = new AugmentationPipeline(List.of(AugmentationStep.of(factory.name() + "@0.7")));
        for (AugmentationPipeline pipeline : List.of(alone, AugmentationPipeline.of(factory.name() + after))) {
            ViewGenerator generator = new ViewGenerator(pipeline, 24);
            List<ViewRequest> requests = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                requests.add(new ViewRequest(generator, ViewFixtures.random(SIDE, i), SIDE, 1000 - i));
            }
            float[][] expected = requests.stream()
                    .map(r -> generator.view(r.pixels(), SIDE, r.seed()))
                    .toArray(float[][]::new);
            for (int threads : new int[] {1, 2, 5}) {
                float[] all = make(requests, threads);
                List<ViewRequest> turned = new ArrayList<>(requests.subList(7, 40));
                float[] others = make(turned, threads);
                for (int i = 0; i < 40; i++) {
                    int n = generator.values();
                    assertArrayEquals(expected[i], Arrays.copyOfRange(all, i * n, (i + 1) * n), threads + " threads");
                    if (i >= 7) {
                        assertArrayEquals(expected[i], Arrays.copyOfRange(others, (i - 7) * n, (i - 6) * n));
                    }
                }
            }
            int differ = 0;
            for (int i = 0; i < 40; i++) {
                differ += Arrays.equals(
                                expected[i], generator.view(requests.get(i).pixels(), SIDE, i))
                        ? 0
                        : 1;
            }
            assertTrue(differ > 3, pipeline + " makes other views of other seeds, but only of " + differ);
        }
    }

    private static float[] make(List<ViewRequest> requests, int threads) {
        int values = requests.size() * requests.get(0).generator().values();
        FloatBuffer out = ByteBuffer.allocateDirect(4 * values)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        try (ViewPool pool = new ViewPool(threads)) {
            pool.make(requests, out);
        }
        assertEquals(0, out.position());
        float[] all = new float[values];
        out.get(all);
        return all;
    }
}
