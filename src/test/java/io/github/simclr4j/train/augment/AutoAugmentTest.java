package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The policies, and each operation against what Pillow makes of the same bytes. */
class AutoAugmentTest {
    private static final Map<String, float[]> IMAGES = new HashMap<>();
    private static List<JsonObject> rows;
    private static int side;

    @BeforeAll
    static void read() throws IOException {
        Torch.noGradient();
        rows = JsonParser.parseString(Files.readString(Path.of("test/resources/views/autoaugment.json"))).getAsJsonArray()
                .asList().stream().map(JsonElement::getAsJsonObject).toList();
        for (JsonObject row : kind("image")) {
            side = row.get("side").getAsInt();
            IMAGES.put(row.get("name").getAsString(), levels(row));
        }
    }

    private static List<JsonObject> kind(String kind) {
        return rows.stream().filter(r -> r.get("kind").getAsString().equals(kind)).toList();
    }

    private static float[] levels(JsonObject row) {
        byte[] bytes = Base64.getDecoder().decode(row.get("levels").getAsString());
        float[] levels = new float[bytes.length];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = bytes[i] & 255;
        }
        return levels;
    }

    /** ShearX becomes SHEAR_X, AutoContrast AUTOCONTRAST. */
    private static AutoAugment.Op op(String name) {
        return AutoAugment.Op.valueOf(name.replaceAll("([XY])$", "_$1").toUpperCase(Locale.ROOT));
    }

    @Test
    void policiesAreThePublishedOnes() {
        assertEquals(2, kind("policy").size());
        for (JsonObject row : kind("policy")) {
            AutoAugment ours = row.get("name").getAsString().equals("cifar10") ? AutoAugment.CIFAR10 : AutoAugment.IMAGENET;
            JsonArray pairs = row.getAsJsonArray("pairs");
            assertEquals(25, pairs.size());
            for (int i = 0; i < 25; i++) {
                for (int k = 0; k < 2; k++) {
                    JsonArray step = pairs.get(i).getAsJsonArray().get(k).getAsJsonArray();
                    int magnitude = step.get(2).isJsonNull() ? 0 : step.get(2).getAsInt();
                    assertEquals(new AutoAugment.Step(op(step.get(0).getAsString()), step.get(1).getAsDouble(), magnitude),
                            ours.policy().get(i).get(k));
                }
            }
            assertEquals(25, ours.policy().size());
        }
    }

    @Test
    void magnitudesAreThePublishedOnes() {
        assertEquals(11, kind("magnitudes").size());
        for (JsonObject row : kind("magnitudes")) {
            for (int m = 0; m < 10; m++) {
                assertEquals(row.getAsJsonArray("values").get(m).getAsDouble(),
                        op(row.get("op").getAsString()).value(m, row.get("side").getAsInt()), 1e-6, row.toString());
            }
        }
    }

    @Test
    void operationsAreThoseOfPillow() {
        List<JsonObject> ops = kind("op");
        assertEquals(AutoAugment.Op.values().length, ops.stream().map(r -> r.get("op").getAsString()).distinct().count());
        int n = ops.size();
        float[][] in = new float[n][];
        AutoAugment.Op[] op = new AutoAugment.Op[n];
        double[] value = new double[n];
        for (int i = 0; i < n; i++) {
            in[i] = IMAGES.get(ops.get(i).get("image").getAsString());
            op[i] = op(ops.get(i).get("op").getAsString());
            value[i] = ops.get(i).get("value").getAsDouble();
        }
        // All at once, so that grouping and its way back are tested too.
        float[][] out = change(in, op, value);
        for (int i = 0; i < n; i++) {
            float[] expected = levels(ops.get(i));
            int differ = 0;
            for (int k = 0; k < expected.length; k++) {
                differ += expected[k] == out[i][k] ? 0 : 1;
            }
            // Pillow computes positions with 16-bit fractions: a point on the border of two pixels may fall to either.
            boolean border = EnumSet.of(AutoAugment.Op.SHEAR_X, AutoAugment.Op.SHEAR_Y, AutoAugment.Op.ROTATE)
                    .contains(op[i]);
            int allowed = border ? expected.length / 100 : 0;
            assertTrue(differ <= allowed, differ + " values differ: " + op[i] + " " + value[i]);
        }
    }

    private static float[][] change(float[][] images, AutoAugment.Op[] op, double[] value) {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray x = m.create(images).reshape(images.length, 3, side, side);
            float[] all = AutoAugment.change(x, op, value).toFloatArray();
            float[][] each = new float[images.length][];
            for (int i = 0; i < each.length; i++) {
                each[i] = Arrays.copyOfRange(all, i * images[i].length, (i + 1) * images[i].length);
            }
            return each;
        }
    }

    @Test
    void imagesWithoutAnOperationStay() {
        float[] photo = IMAGES.get("photo");
        AutoAugment.Op[] op = {null, AutoAugment.Op.INVERT};
        float[][] out = change(new float[][] {photo, photo}, op, new double[2]);
        assertArrayEquals(photo, out[0]);
        assertEquals(255 - photo[5], out[1][5]);
    }

    private static float[] apply(AutoAugment policy, float[] image, int s, int n, boolean on, long seed) {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray x = m.create(image, new Shape(1, 3, s, s)).div(255).repeat(0, n);
            RandomGenerator[] random = new RandomGenerator[n];
            boolean[] all = new boolean[n];
            for (int i = 0; i < n; i++) {
                random[i] = new SplittableRandom(seed + i);
                all[i] = on;
            }
            return policy.apply(x, all, random).mul(255).toFloatArray();
        }
    }

    @Test
    void asManyImagesAreChangedAsThePolicySays() {
        float[] photo = IMAGES.get("photo");
        for (AutoAugment policy : List.of(AutoAugment.CIFAR10, AutoAugment.IMAGENET)) {
            double expected = 0;
            for (List<AutoAugment.Step> pair : policy.policy()) {
                expected += (1 - pair.get(0).probability()) * (1 - pair.get(1).probability()) / 25;
            }
            int n = 2000;
            float[] out = apply(policy, photo, side, n, true, 10);
            int same = 0;
            for (int i = 0; i < n; i++) {
                boolean equal = true;
                for (int k = 0; equal && k < photo.length; k++) {
                    equal = Math.abs(out[i * photo.length + k] - photo[k]) < 1e-3;
                }
                same += equal ? 1 : 0;
            }
            assertEquals(expected, same / (double) n, 0.035);
        }
        float[] off = apply(AutoAugment.CIFAR10, photo, side, 3, false, 1);
        for (int k = 0; k < photo.length; k++) {
            assertEquals(photo[k], off[k], 1e-4);
        }
    }

    /** An even grey image, whose level only brightness, solarize and invert change: by the tables, brightness in 9.2%. */
    @Test
    void bothSignsAreDrawnEquallyOften() {
        float[] grey = new float[3 * 4 * 4];
        Arrays.fill(grey, 128);
        int n = 4000;
        float[] out = apply(AutoAugment.CIFAR10, grey, 4, n, true, 100);
        List<Float> levels = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            levels.add(out[i * grey.length]);
        }
        double up = levels.stream().filter(v -> v > 130).count() / (double) n;
        double down = levels.stream().filter(v -> v < 125).count() / (double) n;
        assertEquals(0.046, up, 0.012);
        assertEquals(0.046, down, 0.012);
    }
}
