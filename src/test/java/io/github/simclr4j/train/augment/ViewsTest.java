package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.train.Golden;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Augmentations against plain references and published definitions, and how often and how far they change an image. */
class ViewsTest {
    private static final String ALL = "crop:0.2,flip,jitter:1,grey,rotate,cutout:0.4@0.5,noise:0.1,blur,sobel@0.3";

    private NDManager m;

    @BeforeEach
    void open() {
        Torch.noGradient();
        m = Torch.engine().newBaseManager();
    }

    @AfterEach
    void close() {
        m.close();
    }

    private NDArray random(int n, int side) {
        Random random = new Random(4);
        float[] values = new float[n * 3 * side * side];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        return m.create(values, new Shape(n, 3, side, side));
    }

    /** The same image n times. */
    private NDArray same(int n, int side, java.util.function.IntBinaryOperator rgb) {
        float[] values = new float[3 * side * side];
        for (int p = 0; p < side * side; p++) {
            int v = rgb.applyAsInt(p / side, p % side);
            for (int c = 0; c < 3; c++) {
                values[c * side * side + p] = (v >> 16 - 8 * c & 255) / 255f;
            }
        }
        return m.create(values, new Shape(1, 3, side, side)).repeat(0, n);
    }

    private static long[] seeds(int n) {
        return LongStream.range(0, n).toArray();
    }

    private static NDArray view(String composition, NDArray x) {
        return new Views(Composition.of(composition), (int) x.getShape().get(2)).view(x, seeds((int) x.getShape().get(0)));
    }

    /** The values of each image. */
    private static float[][] each(NDArray x) {
        float[] all = x.toFloatArray();
        int n = (int) x.getShape().get(0);
        int one = all.length / n;
        return IntStream.range(0, n).mapToObj(i -> Arrays.copyOfRange(all, i * one, (i + 1) * one)).toArray(float[][]::new);
    }

    private static double largestDifference(float[] a, float[] b) {
        double d = 0;
        for (int i = 0; i < a.length; i++) {
            d = Math.max(d, Math.abs(a[i] - b[i]));
        }
        return d;
    }

    private static double share(float[][] images, java.util.function.Predicate<float[]> is) {
        return Arrays.stream(images).filter(is).count() / (double) images.length;
    }

    @ParameterizedTest
    @ValueSource(strings = {ALL, "autoaugment", "autoaugment-imagenet", "simclr", "mocov1", "mocov2", "none"})
    void aSeedGivesOneViewToTheBitAndValuesInRange(String composition) {
        NDArray x = random(12, 24);
        for (int size : new int[] {16, 24, 32}) {
            Views views = new Views(Composition.of(composition), size);
            long[] seeds = new Random(3).longs(12).toArray();
            NDArray a = views.view(x, seeds);
            assertEquals(new Shape(12, 3, size, size), a.getShape());
            assertArrayEquals(a.toFloatArray(), views.view(x, seeds).toFloatArray());
            assertTrue(a.min().getFloat() >= 0 && a.max().getFloat() <= 1);
            assertEquals(DataType.FLOAT32, a.getDataType());
        }
        assertArrayEquals(random(12, 24).toFloatArray(), x.toFloatArray(), "the images themselves stay");
    }

    /** AutoAugment rounds to levels, which may fall to either side when sums are grouped differently; alone it is exact. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {ALL + "| 1e-4", "autoaugment | 0", "autoaugment-imagenet | 0"})
    void aViewDependsOnItsSeedAlone(String composition, double tolerance) {
        NDArray x = random(20, 16).mul(255).round().div(255);
        Views views = new Views(Composition.of(composition), 16);
        long[] seeds = seeds(20);
        float[][] together = each(views.view(x, seeds));
        for (int i = 0; i < 20; i++) {
            float[] alone = views.view(x.get(new NDIndex("{}:{}", i, i + 1)), new long[] {i}).toFloatArray();
            assertEquals(0, largestDifference(together[i], alone), tolerance);
        }
        // Other neighbours, another place.
        long[] other = seeds.clone();
        Arrays.setAll(other, i -> i == 19 ? 7 : 1000 + i);
        NDArray moved = NDArrays.concat(new NDList(random(19, 16), x.get(new NDIndex("7:8"))));
        assertEquals(0, largestDifference(together[7], each(views.view(moved, other))[19]), tolerance);
        // Another seed, another view.
        int differ = 0;
        for (int i = 0; i < 20; i++) {
            other[i] = 500 + i;
        }
        float[][] others = each(views.view(x, other));
        for (int i = 0; i < 20; i++) {
            differ += largestDifference(together[i], others[i]) > 1e-3 ? 1 : 0;
        }
        assertTrue(differ >= 17, "only " + differ);
    }

    @Test
    void onlyTheResultStaysBehind() {
        for (String composition : List.of(ALL, "autoaugment", "none", "flip,crop")) {
            for (int size : new int[] {16, 20}) {
                NDArray x = random(6, 16);
                int before = m.getManagedArrays().size();
                NDArray y = new Views(Composition.of(composition), size).view(x, seeds(6));
                assertEquals(before + (y == x ? 0 : 1), m.getManagedArrays().size(), composition);
                assertEquals(m, y.getManager());
                assertEquals(m, x.getManager());
            }
        }
    }

    @Test
    void jitterInEveryOrderIsThatOfTorchvision() throws IOException {
        List<JsonObject> rows = JsonParser.parseString(Files.readString(Path.of("test/resources/views/jitter.json")))
                .getAsJsonArray().asList().stream().map(JsonElement::getAsJsonObject).toList();
        NDArray image = Golden.tensor(m, rows.get(1)).expandDims(0);
        List<JsonObject> cases = rows.subList(2, rows.size());
        assertEquals(24, cases.size());
        int[][] order = new int[24][4];
        float[][] factors = new float[24][4];
        for (int i = 0; i < 24; i++) {
            JsonArray o = cases.get(i).getAsJsonArray("order");
            JsonArray f = cases.get(i).getAsJsonArray("factors");
            for (int k = 0; k < 4; k++) {
                order[i][k] = o.get(k).getAsInt();
                factors[i][k] = f.get(k).getAsFloat();
            }
        }
        float[][] out = each(Views.jitter(image.repeat(0, 24), order, factors));
        for (int i = 0; i < 24; i++) {
            Golden.same(Golden.data(cases.get(i)), out[i], 0, 2e-5, "order " + Arrays.toString(order[i]));
        }
    }

    @Test
    void theOrdersOfJitterAreEquallyFrequent() {
        SplittableRandom random = new SplittableRandom(1);
        Map<String, Integer> count = new TreeMap<>();
        for (int i = 0; i < 24_000; i++) {
            count.merge(Arrays.toString(Views.order(random)), 1, Integer::sum);
        }
        assertEquals(24, count.size());
        // Standard deviation 31.
        count.forEach((o, c) -> assertEquals(1000, c, 160, o));
    }

    @Test
    void jitterStaysWithinItsStrength() {
        int n = 2000;
        NDArray x = same(n, 4, (r, c) -> 0x804040);
        // Brightness alone: 1 +- 0.4, for 80%.
        float[][] bright = each(view("jitter:0.4/0/0/0", x));
        double[] factor = Arrays.stream(bright).mapToDouble(v -> v[0] / (128 / 255.0)).toArray();
        assertEquals(0.2, share(bright, v -> Math.abs(v[0] - 128 / 255.0) < 1e-6), 0.03);
        assertEquals(0.6, Arrays.stream(factor).min().orElseThrow(), 0.01);
        assertEquals(1.4, Arrays.stream(factor).max().orElseThrow(), 0.01);
        assertEquals(1, Arrays.stream(factor).average().orElseThrow(), 0.02);
        // Strength 1 turns the hue by 0.2 turns at most: red may become yellow-green or magenta, where red or blue lead.
        float[][] hue = each(view("jitter:0/0/0/0.2@1", x));
        // Within a sixth of a turn red is the largest; up to a fifth either way green or blue is, in (1/5 - 1/6) / (1/5).
        assertEquals(1 / 6.0, share(hue, v -> Math.max(v[16], v[32]) > v[0] + 1e-6), 0.03);
        assertEquals(1 / 12.0, share(hue, v -> v[16] > v[0] + 1e-6), 0.025);
    }

    /** Shares of images in grey and mirrored. */
    @ParameterizedTest
    @CsvSource({"simclr, 0.2, 0.5", "simclr-cifar, 0.2, 0.5", "mocov1, 0.2, 0.5", "mocov2, 0.2, 0.5", "supervised, 0, 0.5"})
    void presetsChangeAsManyImagesAsTheySay(String preset, double grey, double flip) {
        int n = 2000;
        // Redder than green, greener than blue; brighter to the right.
        float[][] out = each(view(preset, same(n, 12, (r, c) -> 0x603818 + c * 0x040404)));
        int plane = 144;
        assertEquals(grey, share(out, v -> {
            double most = 0;
            for (int p = 0; p < plane; p++) {
                most = Math.max(most, Math.max(Math.abs(v[p] - v[p + plane]), Math.abs(v[p] - v[p + 2 * plane])));
            }
            return most < 1e-4;
        }), 0.03);
        assertEquals(flip, share(out, v -> {
            double slope = 0;
            for (int p = 0; p < 3 * plane; p++) {
                slope += (p % 12 - 5.5) * v[p];
            }
            return slope < 0;
        }), 0.035);
    }

    @ParameterizedTest
    @CsvSource({"flip, 0.5", "jitter:1, 0.8", "grey, 0.2", "rotate, 0.75", "cutout, 1", "noise, 0.5", "blur, 0.5",
        "sobel, 0.5", "flip@0.1, 0.1", "sobel@0, 0", "crop@0.3, 0.3"})
    void anAugmentationChangesAsManyImagesAsItSays(String text, double probability) {
        NDArray x = random(1, 12).repeat(0, 1000);
        float[] image = x.get(0).toFloatArray();
        float[][] out = each(view(text, x));
        assertEquals(probability, share(out, v -> largestDifference(v, image) > 1e-5), 0.05);
    }

    /**
     * Area and aspect ratio of the crops, read off a picture of the pixels' coordinates. Expected are 200,000 draws of the
     * procedure that torchvision documents for RandomResizedCrop, for a square of 32 pixels.
     */
    @ParameterizedTest
    @CsvSource({"simclr, 0.4904, 0.2812, 0.6855, 0.1611", "simclr-cifar, 0.4904, 0.2812, 0.6855, 0.1611",
        "mocov1, 0.5508, 0.3711, 0.7266, 0.1594", "mocov2, 0.5508, 0.3711, 0.7266, 0.1594"})
    void cropsHaveThePublishedSizes(String preset, double mean, double quarter, double threeQuarters, double deviation) {
        int n = 2000;
        NDArray x = same(n, 32, (r, c) -> c * 8 << 16 | r * 8 << 8);
        Composition crop = new Composition(Composition.of(preset).parts().subList(0, 1));
        float[][] out = each(new Views(crop, 32).view(x, seeds(n)));
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
        NDArray x = same(200, 16, (r, c) -> c < 8 ? 0x404040 : 0xc0c0c0);
        float[][] bilinear = each(view("crop-bilinear:0.2", x));
        float[][] bicubic = each(view("crop:0.2", x));
        assertEquals(0, share(bilinear, v -> v[0] < 63.9 / 255));
        assertTrue(share(bicubic, v -> IntStream.range(0, v.length).anyMatch(i -> v[i] < 60 / 255.0)) > 0.5);
    }

    @Test
    void rotationIsByQuartersEquallyOften() {
        int side = 5;
        NDArray x = random(1, side).repeat(0, 2000);
        float[] image = x.get(0).toFloatArray();
        Map<Integer, Integer> count = new HashMap<>();
        for (float[] v : each(view("rotate", x))) {
            int found = -1;
            for (int t = 0; t < 4; t++) {
                if (Arrays.equals(v, rotated(image, side, t))) {
                    found = t;
                }
            }
            count.merge(found, 1, Integer::sum);
        }
        assertEquals(4, count.size(), count.toString());
        assertTrue(!count.containsKey(-1));
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
    void cutoutIsAGreySquare() {
        int side = 7;
        NDArray x = random(3, side);
        float[][] out = each(ImageOps.cutout(x, m.create(new float[] {2, -2, 5}), m.create(new float[] {1, -1, 4}), 3));
        int[][] corner = {{2, 1}, {-2, -1}, {5, 4}};
        float[][] in = each(x);
        for (int i = 0; i < 3; i++) {
            for (int p = 0; p < 3 * side * side; p++) {
                int row = p / side % side - corner[i][0];
                int column = p % side - corner[i][1];
                boolean inside = row >= 0 && row < 3 && column >= 0 && column < 3;
                assertEquals(inside ? 0.5f : in[i][p], out[i][p]);
            }
        }
    }

    @Test
    void cutoutsLieAnywhere() {
        int side = 8;
        int n = 2000;
        double[] covered = new double[side * side];
        for (float[] v : each(view("cutout:0.5", same(n, side, (r, c) -> 0)))) {
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
    void sobelIsTheGradientOfTheGreyImage() {
        int side = 6;
        NDArray x = random(2, side);
        float[][] in = each(x);
        float[][] out = each(ImageOps.sobel(x));
        for (int i = 0; i < 2; i++) {
            float[] v = in[i];
            for (int p = 0; p < side * side; p++) {
                double gx = 0;
                double gy = 0;
                for (int dy = -1; dy <= 1; dy++) {
                    for (int dx = -1; dx <= 1; dx++) {
                        int row = Math.max(0, Math.min(side - 1, p / side + dy));
                        int column = Math.max(0, Math.min(side - 1, p % side + dx));
                        int q = row * side + column;
                        double grey = 0.2989 * v[q] + 0.587 * v[q + 36] + 0.114 * v[q + 72];
                        gx += dx * (2 - Math.abs(dy)) / 4.0 * grey;
                        gy += dy * (2 - Math.abs(dx)) / 4.0 * grey;
                    }
                }
                double expected = Math.min(1, Math.hypot(gx, gy));
                for (int c = 0; c < 3; c++) {
                    assertEquals(expected, out[i][c * 36 + p], 1e-5);
                }
            }
        }
    }

    @Test
    void noiseIsNormalAndIndependent() {
        int n = 64;
        int values = 3 * 32 * 32 + 1;
        NDArray keys = m.create(new SplittableRandom(2).longs(3 * n, 1, ImageOps.PRIME).toArray(), new Shape(3, n, 1));
        NDArray noise = ImageOps.gaussian(keys.get(0), keys.get(1), keys.get(2), values);
        assertEquals(new Shape(n, values), noise.getShape());
        float[][] z = each(noise);
        double count = (double) n * values;
        double[] moment = new double[5];
        int[] beyond = new int[4];
        double neighbour = 0;
        double row = 0;
        double image = 0;
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < values; k++) {
                for (int p = 1; p <= 4; p++) {
                    moment[p] += Math.pow(z[i][k], p) / count;
                }
                for (int s = 1; s <= 3; s++) {
                    beyond[s] += Math.abs(z[i][k]) > s ? 1 : 0;
                }
                neighbour += z[i][k] * z[i][(k + 1) % values] / count;
                row += z[i][k] * z[i][(k + 32) % values] / count;
                image += z[i][k] * z[(i + 1) % n][k] / count;
            }
        }
        double error = 4 / Math.sqrt(count);
        assertEquals(0, moment[1], error);
        assertEquals(1, moment[2], 2 * error);
        assertEquals(0, moment[3], 4 * error);
        assertEquals(3, moment[4], 10 * error);
        assertEquals(0, neighbour, error);
        assertEquals(0, row, error);
        assertEquals(0, image, error);
        // Shares of the normal distribution beyond 1, 2 and 3 deviations.
        assertEquals(0.31731, beyond[1] / count, 0.005);
        assertEquals(0.04550, beyond[2] / count, 0.002);
        assertEquals(0.00270, beyond[3] / count, 0.0005);
    }

    /** Any number of places gives the numbers that the formula gives in plain integers. */
    @Test
    void noiseIsThatOfItsFormula() {
        long a = 123456789;
        long b = 2147483600;
        long c = 2147483646;
        NDArray z = ImageOps.gaussian(
                m.create(new long[][] {{a}}), m.create(new long[][] {{b}}), m.create(new long[][] {{c}}), 6);
        double[] u = new double[6];
        for (int k = 0; k < 6; k++) {
            java.math.BigInteger p = java.math.BigInteger.valueOf(Integer.MAX_VALUE);
            java.math.BigInteger five = java.math.BigInteger.valueOf(5);
            u[k] = (java.math.BigInteger.valueOf(a).multiply(java.math.BigInteger.valueOf(k))
                    .add(java.math.BigInteger.valueOf(b)).modPow(five, p)
                    .add(java.math.BigInteger.valueOf(c)).modPow(five, p).doubleValue() + 0.5) / Integer.MAX_VALUE;
        }
        for (int k = 0; k < 3; k++) {
            double radius = Math.sqrt(-2 * Math.log(u[k]));
            assertEquals(radius * Math.cos(2 * Math.PI * u[k + 3]), z.toFloatArray()[k], 1e-4);
            assertEquals(radius * Math.sin(2 * Math.PI * u[k + 3]), z.toFloatArray()[k + 3], 1e-4);
        }
    }

    @Test
    void noiseHasAStrengthOfItsOwnForEachImage() {
        int n = 400;
        List<Double> sigma = new ArrayList<>();
        for (float[] v : each(view("noise:0.1@1", same(n, 16, (r, c) -> 0x808080)))) {
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
        NDArray x = same(8, side, (r, c) -> r == middle && c == middle ? 0xffffff : 0);
        float[] sum = view("blur:2@1", x).sum(new int[] {0}).toFloatArray();
        for (int d = 0; d < middle; d++) {
            assertEquals(d <= reach, sum[middle * side + middle + d] > 0, "at " + d);
            assertEquals(d <= reach, sum[(middle - d) * side + middle] > 0, "at " + d);
        }
    }

    @Test
    void theBlurHasASigmaOfItsOwnForEachImage() {
        int n = 300;
        NDArray x = same(n, 40, (r, c) -> r == 20 && c == 20 ? 0xffffff : 0);
        List<Double> sigma = new ArrayList<>();
        for (float[] v : each(view("blur@1", x))) {
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
        NDArray x = same(2, 20, (r, c) -> r * 10 << 16 | c * 10 << 8);
        NDArray y = new Views(Composition.of("none"), 10).view(x, seeds(2));
        // Antialiased: a pixel is the mean of about the two that it covers, r = 2 i + 0.5, but for the edges.
        float[] v = y.get(1).toFloatArray();
        for (int i = 1; i < 9; i++) {
            assertEquals((2 * i + 0.5) * 10 / 255, v[i * 10 + 5], 1e-4);
            assertEquals((2 * i + 0.5) * 10 / 255, v[100 + 5 * 10 + i], 1e-4);
        }
    }
}
