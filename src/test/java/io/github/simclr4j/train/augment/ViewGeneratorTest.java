// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How often and how far the augmentations change an image. */
class ViewGeneratorTest {
    private static final String ALL = "crop:0.2,flip,jitter:1,grey,rotate,cutout:0.4@0.5,noise:0.1,blur,sobel@0.3";

    @ParameterizedTest
    @ValueSource(
            strings = {ALL, "autoaugment", "autoaugment-imagenet", "simclr", "mocov1", "mocov2", "none", "flip,crop"})
    void aSeedGivesOneViewToTheBitAndValuesInRange(String pipeline) {
        byte[] image = ViewFixtures.random(24, 4);
        for (int size : new int[] {16, 24, 32}) {
            ViewGenerator generator = new ViewGenerator(AugmentationPipeline.of(pipeline), size);
            for (long seed : new Random(3).longs(12).toArray()) {
                float[] a = generator.view(image, 24, seed);
                assertEquals(3 * size * size, a.length);
                assertArrayEquals(a, generator.view(image, 24, seed));
                for (float v : a) {
                    assertTrue(v >= 0 && v <= 1);
                }
            }
        }
        assertArrayEquals(ViewFixtures.random(24, 4), image, "the image itself stays");
    }

    @ParameterizedTest
    @ValueSource(strings = {ALL, "autoaugment", "autoaugment-imagenet"})
    void anotherSeedGivesAnotherView(String pipeline) {
        ViewGenerator generator = new ViewGenerator(AugmentationPipeline.of(pipeline), 16);
        int differ = 0;
        for (int i = 0; i < 20; i++) {
            byte[] image = ViewFixtures.random(16, i);
            float[] view = generator.view(image, 16, i);
            differ += ViewFixtures.largestDifference(view, generator.view(image, 16, 500 + i)) > 1e-3 ? 1 : 0;
        }
        assertTrue(differ >= 17, "only " + differ);
    }

    @Test
    void aViewGoesToItsPlaceAndNowhereElse() {
        ViewGenerator generator = new ViewGenerator(AugmentationPipeline.of("simclr"), 8);
        byte[] image = ViewFixtures.random(10, 1);
        FloatBuffer out = FloatBuffer.allocate(500);
        generator.view(image, 10, 5, out, 100);
        float[] all = out.array();
        assertArrayEquals(generator.view(image, 10, 5), Arrays.copyOfRange(all, 100, 292));
        assertArrayEquals(new float[100], Arrays.copyOf(all, 100));
        assertArrayEquals(new float[208], Arrays.copyOfRange(all, 292, 500));
        assertEquals(0, out.position());
    }

    @Test
    void whatChanceChoseForAViewIsNamed() {
        byte[] image = ViewFixtures.random(16, 7);
        ViewGenerator generator = new ViewGenerator(AugmentationPipeline.of("grey@1,flip@0.5,solarise@0,crop:0.5"), 8);
        ViewGenerator flipped = new ViewGenerator(AugmentationPipeline.of("flip@0.5"), 16);
        float[] plain = new ViewGenerator(AugmentationPipeline.of("none"), 16).view(image, 16, 0);
        int flips = 0;
        for (long seed = 0; seed < 200; seed++) {
            List<String> names = generator.applied(image, 16, seed);
            flips += names.remove("flip") ? 1 : 0;
            assertEquals(List.of("grey", "crop"), names);
            assertEquals(
                    !Arrays.equals(plain, flipped.view(image, 16, seed)),
                    flipped.applied(image, 16, seed).equals(List.of("flip")));
        }
        assertEquals(100, flips, 35);
    }

    /** Patches of 4 pixels every 2 of an image of 9 pixels: a grid of 3x3, whose last row and column of pixels are dropped. */
    @Test
    void eachPatchIsChangedByItself() {
        byte[] image = ViewFixtures.random(9, 7);
        PatchGrid grid = new PatchGrid(4, 2);
        float[] whole = new ViewGenerator(AugmentationPipeline.of("none"), 9).view(image, 9, 0);
        float[] cut = new ViewGenerator(AugmentationPipeline.of("none"), 9, grid).view(image, 9, 0);
        ViewGenerator greyed = new ViewGenerator(AugmentationPipeline.of("patches,grey@0.5"), 9, grid);
        assertEquals(12, greyed.size());
        assertEquals(3 * 144, cut.length);
        int grey = 0;
        for (long seed = 0; seed < 100; seed++) {
            float[] view = greyed.view(image, 9, seed);
            assertArrayEquals(view, greyed.view(image, 9, seed), "a seed gives one view");
            for (int patch = 0; patch < 9; patch++) {
                boolean changed = false;
                for (int i = 0; i < 16; i++) {
                    int y = i / 4;
                    int x = i % 4;
                    int at = (patch / 3 * 4 + y) * 12 + patch % 3 * 4 + x;
                    int from = (patch / 3 * 2 + y) * 9 + patch % 3 * 2 + x;
                    float r = whole[from];
                    float g = whole[81 + from];
                    float b = whole[162 + from];
                    assertEquals(r, cut[at]);
                    assertEquals(b, cut[288 + at]);
                    if (i == 0) {
                        changed = view[at] != r;
                        grey += changed ? 1 : 0;
                    }
                    // ITU-R BT.601
                    double luminance = 0.299 * r + 0.587 * g + 0.114 * b;
                    assertEquals(changed ? luminance : r, view[at], 1e-4);
                    assertEquals(changed ? luminance : g, view[144 + at], 1e-4);
                    assertEquals(changed ? luminance : b, view[288 + at], 1e-4);
                }
            }
        }
        assertEquals(450, grey, 75, "half of the patches, independently");
    }

    @Test
    void theImageIsChangedBeforeItIsCut() {
        byte[] image = ViewFixtures.random(16, 7);
        PatchGrid grid = new PatchGrid(4, 4);
        float[] cut =
                new ViewGenerator(AugmentationPipeline.of("crop,flip,patches,flip@0"), 8, grid).view(image, 16, 5);
        float[] whole = new ViewGenerator(AugmentationPipeline.of("crop,flip"), 8).view(image, 16, 5);
        assertArrayEquals(whole, cut);
        assertEquals(
                "crop:0.08/1.0@1.0,patches,crop:0.5/1.0@1.0,flip@0.5",
                AugmentationPipeline.of("crop, Patches,crop:0.5,flip")
                        .toString()
                        .replace("crop:0.08@", "crop:0.08/1.0@")
                        .replace("crop:0.5@", "crop:0.5/1.0@"));
        assertThrows(IllegalArgumentException.class, () -> AugmentationPipeline.of("crop,patches,crop,crop"));
        assertThrows(
                IllegalArgumentException.class, () -> new ViewGenerator(AugmentationPipeline.of("patches,grey"), 8));
        assertThrows(IllegalArgumentException.class, () -> new ViewGenerator(AugmentationPipeline.of("none"), 3, grid));
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        ViewGenerator generator = new ViewGenerator(AugmentationPipeline.of("none"), 8);
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> generator.view(new byte[30], 4, 1));
        assertEquals("Expected 3 bytes for each of 4x4 pixels, found 30", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new ViewGenerator(AugmentationPipeline.of("none"), 0));
        ViewImage image = new ViewImage();
        image.begin(new byte[48], 4, 4);
        for (int[] box : new int[][] {{-1, 0, 2, 2}, {0, 3, 2, 2}, {0, 0, 0, 1}, {2, 0, 3, 1}}) {
            assertTrue(assertThrows(
                            IllegalArgumentException.class,
                            () -> image.crop(box[0], box[1], box[2], box[3], Interpolation.BILINEAR))
                    .getMessage()
                    .startsWith("Expected a box inside 4x4 pixels, found "));
        }
    }

    /** A flip right after a crop is done by the crop; it must not differ from one that is done afterwards. */
    @Test
    void aFlipThatIsPartOfACropIsAFlip() {
        byte[] pixels = ViewFixtures.random(20, 6);
        for (int size : new int[] {9, 20, 31}) {
            ViewImage at = new ViewImage();
            at.begin(pixels, 20, size);
            at.crop(3, 2, 14, 11, Interpolation.BICUBIC);
            at.flip();
            ViewImage after = new ViewImage();
            after.begin(pixels, 20, size);
            after.crop(3, 2, 14, 11, Interpolation.BICUBIC);
            after.planes();
            after.flip();
            assertArrayEquals(ViewFixtures.values(after), ViewFixtures.values(at));
            // Twice is not at all.
            at.flip();
            ViewImage plain = new ViewImage();
            plain.begin(pixels, 20, size);
            plain.crop(3, 2, 14, 11, Interpolation.BICUBIC);
            plain.flip();
            plain.flip();
            assertArrayEquals(ViewFixtures.values(at), ViewFixtures.values(plain));
            assertFalse(Arrays.equals(ViewFixtures.values(after), ViewFixtures.values(at)));
        }
    }

    @Test
    void jitterStaysWithinItsStrength() {
        int n = 2000;
        byte[] x = ViewFixtures.image(4, (r, c) -> 0x804040);
        // Brightness alone: 1 +- 0.4, for 80%.
        float[][] bright = ViewFixtures.views("jitter:0.4/0/0/0", x, n);
        double[] factor =
                Arrays.stream(bright).mapToDouble(v -> v[0] / (128 / 255.0)).toArray();
        assertEquals(0.2, ViewFixtures.share(bright, v -> Math.abs(v[0] - 128 / 255.0) < 1e-6), 0.03);
        assertEquals(0.6, Arrays.stream(factor).min().orElseThrow(), 0.01);
        assertEquals(1.4, Arrays.stream(factor).max().orElseThrow(), 0.01);
        assertEquals(1, Arrays.stream(factor).average().orElseThrow(), 0.02);
        // Strength 1 turns the hue by 0.2 turns at most: red may become yellow-green or magenta, where red or blue
        // lead.
        float[][] hue = ViewFixtures.views("jitter:0/0/0/0.2@1", x, n);
        // Within a sixth of a turn red is the largest; up to a fifth either way green or blue is, in (1/5 - 1/6) /
        // (1/5).
        assertEquals(1 / 6.0, ViewFixtures.share(hue, v -> Math.max(v[16], v[32]) > v[0] + 1e-6), 0.03);
        assertEquals(1 / 12.0, ViewFixtures.share(hue, v -> v[16] > v[0] + 1e-6), 0.025);
    }

    /** Shares of images in grey and mirrored. */
    @ParameterizedTest
    @CsvSource({
        "simclr, 0.2, 0.5",
        "simclr-cifar, 0.2, 0.5",
        "mocov1, 0.2, 0.5",
        "mocov2, 0.2, 0.5",
        "supervised, 0, 0.5"
    })
    void presetsChangeAsManyImagesAsTheySay(String preset, double grey, double flip) {
        // Redder than green, greener than blue; brighter to the right.
        float[][] out = ViewFixtures.views(preset, ViewFixtures.image(12, (r, c) -> 0x603818 + c * 0x040404), 2000);
        int plane = 144;
        assertEquals(
                grey,
                ViewFixtures.share(out, v -> {
                    double most = 0;
                    for (int p = 0; p < plane; p++) {
                        most = Math.max(
                                most, Math.max(Math.abs(v[p] - v[p + plane]), Math.abs(v[p] - v[p + 2 * plane])));
                    }
                    return most < 1e-4;
                }),
                0.03);
        assertEquals(
                flip,
                ViewFixtures.share(out, v -> {
                    double slope = 0;
                    for (int p = 0; p < 3 * plane; p++) {
                        slope += (p % 12 - 5.5) * v[p];
                    }
                    return slope < 0;
                }),
                0.035);
    }

    @ParameterizedTest
    @CsvSource({
        "flip, 0.5",
        "jitter:1, 0.8",
        "grey, 0.2",
        "rotate, 0.75",
        "cutout, 1",
        "noise, 0.5",
        "blur, 0.5",
        "sobel, 0.5",
        "flip@0.1, 0.1",
        "sobel@0, 0",
        "crop@0.3, 0.3"
    })
    void anAugmentationChangesAsManyImagesAsItSays(String text, double probability) {
        byte[] x = ViewFixtures.random(12, 4);
        float[] image = ViewFixtures.values(x);
        float[][] out = ViewFixtures.views(text, x, 1000);
        assertEquals(probability, ViewFixtures.share(out, v -> ViewFixtures.largestDifference(v, image) > 1e-5), 0.05);
    }

    /**
     * Area and aspect ratio of the crops, read off a picture of the pixels' coordinates. Expected are 200,000 draws of the
     * procedure that torchvision documents for RandomResizedCrop, for a square of 32 pixels.
     */
    @ParameterizedTest
    @CsvSource({
        "simclr, 0.4904, 0.2812, 0.6855, 0.1611",
        "simclr-cifar, 0.4904, 0.2812, 0.6855, 0.1611",
        "mocov1, 0.5508, 0.3711, 0.7266, 0.1594",
        "mocov2, 0.5508, 0.3711, 0.7266, 0.1594"
    })
    void cropsHaveThePublishedSizes(
            String preset, double mean, double quarter, double threeQuarters, double deviation) {
        int n = 2000;
        AugmentationPipeline crop =
                new AugmentationPipeline(AugmentationPipeline.of(preset).steps().subList(0, 1));
        float[][] out = ViewFixtures.views(crop, ViewFixtures.image(32, (r, c) -> c * 8 << 16 | r * 8 << 8), n);
        double[] area = new double[n];
        double squares = 0;
        double left = 0;
        double top = 0;
        for (int i = 0; i < n; i++) {
            // One pixel of the view is width / 32 pixels of the image: its slope in the middle.
            double w = (out[i][16 * 32 + 20] - out[i][16 * 32 + 12]) / 8 * 32 * 255 / 8;
            double h = (out[i][1024 + 20 * 32 + 16] - out[i][1024 + 12 * 32 + 16]) / 8 * 32 * 255 / 8;
            area[i] = w * h / 1024;
            squares += Math.pow(Math.log(w / h), 2) / n;
            assertTrue(w > 0 && w < 32.1 && h > 0 && h < 32.1 && w / h < 1.5 && h / w < 1.5);
            left += (out[i][16 * 32 + 15] + out[i][16 * 32 + 16]) / 2 / n;
            top += (out[i][1024 + 15 * 32 + 16] + out[i][1024 + 16 * 32 + 16]) / 2 / n;
        }
        Arrays.sort(area);
        assertEquals(mean, Arrays.stream(area).average().orElseThrow(), 0.025);
        assertEquals(quarter, area[n / 4], 0.03);
        assertEquals(threeQuarters, area[3 * n / 4], 0.03);
        assertEquals(deviation, Math.sqrt(squares), 0.015);
        // Middles of crops lie about the image's.
        assertEquals(15.5 * 8 / 255, left, 0.01);
        assertEquals(15.5 * 8 / 255, top, 0.01);
    }

    @Test
    void aBicubicCropOvershootsAndIsCutABilinearOneIsNot() {
        byte[] x = ViewFixtures.image(16, (r, c) -> c < 8 ? 0x404040 : 0xc0c0c0);
        float[][] bilinear = ViewFixtures.views("crop-bilinear:0.2", x, 200);
        float[][] bicubic = ViewFixtures.views("crop:0.2", x, 200);
        assertEquals(0, ViewFixtures.share(bilinear, v -> v[0] < 63.9 / 255));
        assertTrue(ViewFixtures.share(bicubic, v -> IntStream.range(0, v.length).anyMatch(i -> v[i] < 60 / 255.0))
                > 0.5);
    }

    @Test
    void rotationIsByQuartersEquallyOften() {
        int side = 5;
        byte[] x = ViewFixtures.random(side, 4);
        float[] image = ViewFixtures.values(x);
        Map<Integer, Integer> count = new HashMap<>();
        for (float[] v : ViewFixtures.views("rotate", x, 2000)) {
            int found = -1;
            for (int t = 0; t < 4; t++) {
                if (Arrays.equals(v, rotated(image, side, t))) {
                    found = t;
                }
            }
            count.merge(found, 1, Integer::sum);
        }
        assertEquals(4, count.size(), count.toString());
        assertFalse(count.containsKey(-1));
        count.forEach((t, c) -> assertEquals(500, c, 80, "quarters: " + t));
    }

    /** A quarter to the left: the last column becomes the first row. */
    private static float[] rotated(float[] image, int side, int times) {
        float[] out = image.clone();
        for (int t = 0; t < times; t++) {
            float[] from = out.clone();
            for (int c = 0; c < 3; c++) {
                for (int y = 0; y < side; y++) {
                    for (int x = 0; x < side; x++) {
                        out[(c * side + y) * side + x] = from[(c * side + x) * side + side - 1 - y];
                    }
                }
            }
        }
        return out;
    }

    @Test
    void cutoutsLieAnywhere() {
        int side = 8;
        int n = 2000;
        double[] covered = new double[side * side];
        for (float[] v : ViewFixtures.views("cutout:0.5", ViewFixtures.image(side, (r, c) -> 0), n)) {
            int count = 0;
            for (int p = 0; p < side * side; p++) {
                covered[p] += v[p] * 2 / n;
                count += v[p] > 0 ? 1 : 0;
            }
            assertTrue(count >= 4 && count <= 16, "covered pixels: " + count);
        }
        // A pixel in the middle is covered by 4 of 8 places in each direction, a corner by 2 or 3 of them.
        assertEquals(0.25, covered[3 * side + 3], 0.04);
        assertEquals(0.25, covered[4 * side + 5], 0.04);
        assertEquals(3 * 3 / 64.0, covered[0], 0.03);
        assertEquals(2 * 2 / 64.0, covered[side * side - 1], 0.03);
    }

    @Test
    void noiseHasAStrengthOfItsOwnForEachImage() {
        int n = 400;
        List<Double> sigma = new ArrayList<>();
        for (float[] v : ViewFixtures.views("noise:0.1@1", ViewFixtures.image(16, (r, c) -> 0x808080), n)) {
            double squares = 0;
            for (float f : v) {
                squares += Math.pow(f - 128 / 255.0, 2) / v.length;
            }
            sigma.add(Math.sqrt(squares));
        }
        sigma.sort(null);
        assertEquals(0.05, sigma.get(n / 2), 0.008);
        assertEquals(0.1, sigma.get(n - 1), 0.006);
        assertTrue(sigma.get(0) < 0.005);
    }

    /** A point spreads as far as the kernel reaches: a tenth of the side, three pixels at least. */
    @ParameterizedTest
    @CsvSource({"16, 1", "32, 1", "64, 3", "96, 4", "224, 11"})
    void theKernelOfTheBlurIsATenthOfTheSide(int side, int reach) {
        int middle = side / 2;
        float[] sum = new float[3 * side * side];
        byte[] point = ViewFixtures.image(side, (r, c) -> r == middle && c == middle ? 0xffffff : 0);
        for (float[] v : ViewFixtures.views("blur:2@1", point, 8)) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += v[i];
            }
        }
        for (int d = 0; d < middle; d++) {
            assertEquals(d <= reach, sum[middle * side + middle + d] > 0, "at " + d);
            assertEquals(d <= reach, sum[(middle - d) * side + middle] > 0, "at " + d);
        }
    }

    @Test
    void theBlurHasASigmaOfItsOwnForEachImage() {
        int n = 300;
        List<Double> sigma = new ArrayList<>();
        for (float[] v :
                ViewFixtures.views("blur@1", ViewFixtures.image(40, (r, c) -> r == 20 && c == 20 ? 0xffffff : 0), n)) {
            // Neighbour over middle is exp(-1 / (2 sigma^2)).
            double ratio = v[20 * 40 + 21] / v[20 * 40 + 20];
            sigma.add(ratio > 0 ? Math.sqrt(-1 / (2 * Math.log(ratio))) : 0);
        }
        sigma.sort(null);
        assertEquals(1.05, sigma.get(n / 2), 0.15);
        assertEquals(2, sigma.get(n - 1), 0.03);
        assertTrue(sigma.get(2) < 0.2);
    }

    @Test
    void withoutACropTheWholeImageIsResized() {
        byte[] x = ViewFixtures.image(20, (r, c) -> r * 10 << 16 | c * 10 << 8);
        float[] v = new ViewGenerator(AugmentationPipeline.of("none"), 10).view(x, 20, 1);
        // Antialiased: a pixel is the mean of about the two that it covers, r = 2 i + 0.5, but for the edges.
        for (int i = 1; i < 9; i++) {
            assertEquals((2 * i + 0.5) * 10 / 255, v[i * 10 + 5], 1e-4);
            assertEquals((2 * i + 0.5) * 10 / 255, v[100 + 5 * 10 + i], 1e-4);
        }
        assertArrayEquals(
                ViewFixtures.values(x), new ViewGenerator(AugmentationPipeline.of("none"), 20).view(x, 20, 1));
    }
}
