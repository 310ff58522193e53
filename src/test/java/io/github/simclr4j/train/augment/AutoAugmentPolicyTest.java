// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
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
class AutoAugmentPolicyTest {
    private static final Map<String, float[]> IMAGES = new HashMap<>();
    private static List<JsonObject> rows;
    private static int side;

    @BeforeAll
    static void read() throws IOException {
        rows = ViewFixtures.rows(Path.of("test/resources/views/autoaugment.json"));
        for (JsonObject row : kind("image")) {
            side = row.get("side").getAsInt();
            IMAGES.put(row.get("name").getAsString(), levels(row));
        }
    }

    private static List<JsonObject> kind(String kind) {
        return rows.stream()
                .filter(r -> r.get("kind").getAsString().equals(kind))
                .toList();
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
    private static AutoAugmentOperation op(String name) {
        return AutoAugmentOperation.valueOf(name.replaceAll("([XY])$", "_$1").toUpperCase(Locale.ROOT));
    }

    @Test
    void policiesAreThePublishedOnes() {
        assertEquals(2, kind("policy").size());
        for (JsonObject row : kind("policy")) {
            boolean cifar = row.get("name").getAsString().equals("cifar10");
            AutoAugmentPolicy ours = cifar ? AutoAugmentPolicy.CIFAR10 : AutoAugmentPolicy.IMAGENET;
            JsonArray pairs = row.getAsJsonArray("pairs");
            assertEquals(25, pairs.size());
            for (int i = 0; i < 25; i++) {
                for (int k = 0; k < 2; k++) {
                    JsonArray step = pairs.get(i).getAsJsonArray().get(k).getAsJsonArray();
                    int magnitude = step.get(2).isJsonNull() ? 0 : step.get(2).getAsInt();
                    assertEquals(
                            new AutoAugmentPolicy.Step(
                                    op(step.get(0).getAsString()), step.get(1).getAsDouble(), magnitude),
                            ours.pairs().get(i).get(k));
                }
            }
            assertEquals(25, ours.pairs().size());
        }
    }

    @Test
    void magnitudesAreThePublishedOnes() {
        assertEquals(11, kind("magnitudes").size());
        for (JsonObject row : kind("magnitudes")) {
            for (int m = 0; m < 10; m++) {
                assertEquals(
                        row.getAsJsonArray("values").get(m).getAsDouble(),
                        op(row.get("op").getAsString()).value(m, row.get("side").getAsInt()),
                        1e-6,
                        row.toString());
            }
        }
    }

    @Test
    void operationsAreThoseOfPillow() {
        List<JsonObject> ops = kind("op");
        assertEquals(
                AutoAugmentOperation.values().length,
                ops.stream().map(r -> r.get("op").getAsString()).distinct().count());
        for (JsonObject row : ops) {
            AutoAugmentOperation op = op(row.get("op").getAsString());
            double value = row.get("value").getAsDouble();
            float[] out = change(IMAGES.get(row.get("image").getAsString()), op, value);
            float[] expected = levels(row);
            int differ = 0;
            for (int k = 0; k < expected.length; k++) {
                differ += expected[k] == out[k] ? 0 : 1;
            }
            // Pillow computes positions with 16-bit fractions: a point on the border of two pixels may fall to either.
            boolean border = EnumSet.of(
                            AutoAugmentOperation.SHEAR_X, AutoAugmentOperation.SHEAR_Y, AutoAugmentOperation.ROTATE)
                    .contains(op);
            int allowed = border ? expected.length / 100 : 0;
            assertTrue(differ <= allowed, differ + " values differ: " + op + " " + value);
        }
    }

    private static float[] change(float[] levels, AutoAugmentOperation op, double value) {
        ViewImage image = ViewFixtures.viewImage(levels, side, side);
        op.change(image, value);
        return ViewFixtures.values(image);
    }

    @Test
    void inversionIsExact() {
        float[] photo = IMAGES.get("photo");
        float[] out = change(photo, AutoAugmentOperation.INVERT, 0);
        for (int k = 0; k < photo.length; k++) {
            assertEquals(255 - photo[k], out[k]);
        }
    }

    /** Views in levels, one after the other. */
    private static float[] apply(AutoAugmentPolicy policy, float[] levels, int s, int n, boolean on, long seed) {
        float[] out = new float[n * levels.length];
        for (int i = 0; i < n; i++) {
            ViewImage image = ViewFixtures.viewImage(levels, s, s);
            AutoAugmentPolicy.toValues(image);
            RandomGenerator random = new SplittableRandom(seed + i);
            (on ? policy.draw(s, random) : policy.skip(s, random)).apply(image);
            float[] values = ViewFixtures.values(image);
            for (int k = 0; k < values.length; k++) {
                out[i * values.length + k] = values[k] * 255;
            }
        }
        return out;
    }

    @Test
    void asManyImagesAreChangedAsThePolicySays() {
        float[] photo = IMAGES.get("photo");
        for (AutoAugmentPolicy policy : List.of(AutoAugmentPolicy.CIFAR10, AutoAugmentPolicy.IMAGENET)) {
            double expected = 0;
            for (List<AutoAugmentPolicy.Step> pair : policy.pairs()) {
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
        float[] off = apply(AutoAugmentPolicy.CIFAR10, photo, side, 3, false, 1);
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
        float[] out = apply(AutoAugmentPolicy.CIFAR10, grey, 4, n, true, 100);
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
