// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Single operations against values that torchvision computed, published definitions and plain references. */
class ImageOperationsTest {

    /** Another folder of reference values may be named by {@code -Dsimclr.golden=DIR}. */
    private static Path golden() {
        String other = System.getProperty("simclr.golden", "");
        return other.isEmpty() ? Path.of("test/resources/golden/image_ops.json") : Path.of(other, "image_ops.json");
    }

    private static float[] random(int n) {
        Random random = new Random(4);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }

    /** As torchvision's solarize: from the threshold on, not above it. */
    @Test
    void solariseInvertsFromTheThresholdOn() {
        float[] x = {0, 0.25f, 0.4999f, 0.5f, 0.75f, 1, 0.3f, 0.6f, 0.5f, 0.1f, 0.9f, 0.2f};
        ViewImage image = ViewFixtures.viewImage(x, 2, 2);
        new Solarise().create(List.of(0.5)).draw(2, new SplittableRandom(1)).apply(image);
        float[] expected = {0, 0.25f, 0.4999f, 0.5f, 0.25f, 0, 0.3f, 0.4f, 0.5f, 0.1f, 0.1f, 0.2f};
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < 4; i++) {
                assertEquals(expected[4 * c + i], image.planes()[c][i], 1e-6f);
            }
        }
    }

    @Test
    void imageOperationsAreThoseOfTorchvision() throws IOException {
        Set<String> seen = new TreeSet<>();
        float[] x = null;
        int[] shape = null;
        for (JsonObject row : ViewFixtures.rows(golden())) {
            String op = row.get("op").getAsString();
            seen.add(op);
            if (op.equals("input")) {
                x = ViewFixtures.data(row.get("image"));
                shape = ViewFixtures.shape(row.get("image"));
                continue;
            }
            ViewImage image = ViewFixtures.viewImage(x, shape[1], shape[2]);
            switch (op) {
                case "brightness" -> jitter(image, 0, row);
                case "contrast" -> jitter(image, 1, row);
                case "saturation" -> jitter(image, 2, row);
                case "hue" -> jitter(image, 3, row);
                case "grayscale" -> Colours.grey(image);
                case "gaussian_blur" ->
                    GaussianBlur.blur(
                            image,
                            row.get("sigma").getAsDouble(),
                            row.get("kernel").getAsInt());
                case "resized_crop" -> image = crop(x, shape, row);
                default -> throw new AssertionError("No operation " + op);
            }
            boolean loose = op.equals("resized_crop") || op.equals("hue");
            float[] expected = ViewFixtures.data(row.get("out"));
            if (op.equals("resized_crop")) {
                // Bicubic overshoots; torchvision leaves that to the caller, and a crop here does not.
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = Colours.cut(expected[i]);
                }
            }
            ViewFixtures.same(
                    expected,
                    ViewFixtures.values(image),
                    loose ? 2e-3 : 1e-5,
                    row.toString().substring(0, 90));
        }
        assertEquals(
                Set.of(
                        "input",
                        "brightness",
                        "contrast",
                        "saturation",
                        "hue",
                        "grayscale",
                        "gaussian_blur",
                        "resized_crop"),
                seen);
    }

    /** One of the four operations as training runs it, with the others at their neutral strength. */
    private static void jitter(ViewImage image, int operation, JsonObject row) {
        float[] factors = {1, 1, 1, 0};
        factors[operation] = row.get("factor").getAsFloat();
        ColourJitter.change(image, new int[] {0, 1, 2, 3}, factors);
    }

    private static ViewImage crop(float[] x, int[] shape, JsonObject row) {
        JsonArray size = row.getAsJsonArray("size");
        assertEquals(size.get(0), size.get(1));
        int side = size.get(0).getAsInt();
        int top = row.get("top").getAsInt();
        int left = row.get("left").getAsInt();
        int width = row.get("width").getAsInt();
        float[][] out = new float[3][side * side];
        new Resampler()
                .resize(
                        (r, into) -> {
                            for (int i = 0; i < 3 * width; i++) {
                                into[i] = x[(i % 3 * shape[1] + top + r) * shape[2] + left + i / 3];
                            }
                        },
                        row.get("height").getAsInt(),
                        width,
                        false,
                        side,
                        Interpolation.valueOf(
                                row.get("interpolation").getAsString().toUpperCase(Locale.ROOT)),
                        out);
        ViewImage image = new ViewImage();
        image.begin(out, side, side);
        return image;
    }

    @Test
    void jitterInEveryOrderIsThatOfTorchvision() throws IOException {
        List<JsonObject> rows = ViewFixtures.rows(Path.of("test/resources/views/jitter.json"));
        float[] image = ViewFixtures.data(rows.get(1));
        int[] shape = ViewFixtures.shape(rows.get(1));
        List<JsonObject> cases = rows.subList(2, rows.size());
        assertEquals(24, cases.size());
        for (JsonObject c : cases) {
            int[] order = new int[4];
            float[] factors = new float[4];
            for (int k = 0; k < 4; k++) {
                order[k] = c.getAsJsonArray("order").get(k).getAsInt();
                factors[k] = c.getAsJsonArray("factors").get(k).getAsFloat();
            }
            ViewImage x = ViewFixtures.viewImage(image, shape[1], shape[2]);
            ColourJitter.change(x, order, factors);
            ViewFixtures.same(ViewFixtures.data(c), ViewFixtures.values(x), 2e-5, "order " + Arrays.toString(order));
        }
    }

    @Test
    void theOrdersOfJitterAreEquallyFrequent() {
        SplittableRandom random = new SplittableRandom(1);
        Map<String, Integer> count = new TreeMap<>();
        for (int i = 0; i < 24_000; i++) {
            count.merge(Arrays.toString(ColourJitter.order(random)), 1, Integer::sum);
        }
        assertEquals(24, count.size());
        // Standard deviation 31.
        count.forEach((o, c) -> assertEquals(1000, c, 160, o));
    }

    /** The formula without branches against that of HSV (Smith 1978), for turns in every sixth and on their borders. */
    @Test
    void theHueIsThatOfHsv() {
        float[] x = random(3 * 40);
        // Grey, pure colours, two equal channels.
        float[][] special = {
            {0.5f, 0.5f, 0.5f}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {0, 0.3f, 0.3f}, {0, 0, 0}, {1, 1, 1}
        };
        for (int i = 0; i < special.length; i++) {
            for (int c = 0; c < 3; c++) {
                x[c * 40 + i] = special[i][c];
            }
        }
        for (int sixtieths = -30; sixtieths <= 30; sixtieths++) {
            float turns = sixtieths / 60f;
            ViewImage image = ViewFixtures.viewImage(x, 1, 40);
            Colours.hue(image, turns);
            float[] y = ViewFixtures.values(image);
            for (int i = 0; i < 40; i++) {
                double max = Math.max(x[i], Math.max(x[i + 40], x[i + 80]));
                double chroma = max - Math.min(x[i], Math.min(x[i + 40], x[i + 80]));
                double hue = chroma == 0
                        ? 0
                        : max == x[i]
                                ? (x[i + 40] - x[i + 80]) / chroma
                                : max == x[i + 40] ? (x[i + 80] - x[i]) / chroma + 2 : (x[i] - x[i + 40]) / chroma + 4;
                for (int c = 0; c < 3; c++) {
                    double k = (hue + 6 * turns + 5 - 2 * c + 12) % 6;
                    double expected = max - chroma * Math.max(0, Math.min(1, Math.min(k, 4 - k)));
                    assertEquals(expected, y[c * 40 + i], 1e-6, "pixel " + i + " channel " + c + " turned by " + turns);
                }
            }
        }
    }

    @Test
    void aTurnOfTheHueKeepsGreyToTheBit() {
        float[] grey = random(50);
        float[] x = new float[150];
        for (int i = 0; i < 150; i++) {
            x[i] = grey[i % 50];
        }
        ViewImage image = ViewFixtures.viewImage(x, 5, 10);
        Colours.hue(image, 0.13f);
        assertArrayEquals(x, ViewFixtures.values(image));
    }

    @Test
    void cutoutIsAGreySquare() {
        int side = 7;
        float[] in = random(3 * side * side);
        for (int[] corner : new int[][] {{2, 1}, {-2, -1}, {5, 4}, {-3, 2}, {2, 7}}) {
            ViewImage image = ViewFixtures.viewImage(in, side, side);
            Cutout.paint(image, corner[0], corner[1], 3);
            float[] out = ViewFixtures.values(image);
            for (int p = 0; p < 3 * side * side; p++) {
                int row = p / side % side - corner[0];
                int column = p % side - corner[1];
                boolean inside = row >= 0 && row < 3 && column >= 0 && column < 3;
                assertEquals(inside ? 0.5f : in[p], out[p]);
            }
        }
    }

    @Test
    void sobelIsTheGradientOfTheGreyImage() {
        int side = 6;
        float[] v = random(3 * side * side);
        ViewImage image = ViewFixtures.viewImage(v, side, side);
        SobelEdges.change(image);
        float[] out = ViewFixtures.values(image);
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
                assertEquals(expected, out[c * 36 + p], 1e-5);
            }
        }
    }

    @Test
    void noiseIsNormalAndIndependent() {
        int n = 64;
        int values = 3 * 32 * 32 + 1;
        SplittableRandom random = new SplittableRandom(2);
        float[][] z = new float[n][];
        for (int i = 0; i < n; i++) {
            z[i] = GaussianNoise.gaussian(
                    random.nextInt(1, GaussianNoise.PRIME),
                    random.nextInt(1, GaussianNoise.PRIME),
                    random.nextInt(1, GaussianNoise.PRIME),
                    values);
            assertTrue(z[i].length >= values);
        }
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
        int a = 123456789;
        int b = 2147483600;
        int c = 2147483646;
        float[] z = GaussianNoise.gaussian(a, b, c, 6);
        double[] u = new double[6];
        for (int k = 0; k < 6; k++) {
            BigInteger p = BigInteger.valueOf(Integer.MAX_VALUE);
            BigInteger five = BigInteger.valueOf(5);
            u[k] = (BigInteger.valueOf(a)
                                    .multiply(BigInteger.valueOf(k))
                                    .add(BigInteger.valueOf(b))
                                    .modPow(five, p)
                                    .add(BigInteger.valueOf(c))
                                    .modPow(five, p)
                                    .doubleValue()
                            + 0.5)
                    / Integer.MAX_VALUE;
        }
        for (int k = 0; k < 3; k++) {
            double radius = Math.sqrt(-2 * Math.log(u[k]));
            assertEquals(radius * Math.cos(2 * Math.PI * u[k + 3]), z[k], 1e-4);
            assertEquals(radius * Math.sin(2 * Math.PI * u[k + 3]), z[k + 3], 1e-4);
        }
    }
}
