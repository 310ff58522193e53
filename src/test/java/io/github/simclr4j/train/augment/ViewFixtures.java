// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import java.util.function.Predicate;
import java.util.stream.LongStream;

/** What the tests of views share: images, views of them, and reference values. */
final class ViewFixtures {
    private ViewFixtures() {}

    /** An image of random levels. */
    static byte[] random(int side, long seed) {
        byte[] pixels = new byte[3 * side * side];
        new Random(seed).nextBytes(pixels);
        return pixels;
    }

    /** An image whose colours a function of row and column gives, 0xRRGGBB. */
    static byte[] image(int side, IntBinaryOperator rgb) {
        byte[] pixels = new byte[3 * side * side];
        for (int p = 0; p < side * side; p++) {
            int v = rgb.applyAsInt(p / side, p % side);
            for (int c = 0; c < 3; c++) {
                pixels[3 * p + c] = (byte) (v >> 16 - 8 * c);
            }
        }
        return pixels;
    }

    /** The values of an image, float32 [3, side, side] in [0, 1]. */
    static float[] values(byte[] pixels) {
        int n = pixels.length / 3;
        float[] values = new float[pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            values[i % 3 * n + i / 3] = (pixels[i] & 255) / 255f;
        }
        return values;
    }

    static int side(byte[] pixels) {
        return (int) Math.sqrt(pixels.length / 3.0);
    }

    /** Views of an image in its own size, of the seeds 0 to n - 1. */
    static float[][] views(String pipeline, byte[] pixels, int n) {
        return views(AugmentationPipeline.of(pipeline), pixels, n);
    }

    static float[][] views(AugmentationPipeline pipeline, byte[] pixels, int n) {
        ViewGenerator generator = new ViewGenerator(pipeline, side(pixels));
        return LongStream.range(0, n)
                .mapToObj(seed -> generator.view(pixels, side(pixels), seed))
                .toArray(float[][]::new);
    }

    /** An image of some values, [3, height, width]. */
    static ViewImage viewImage(float[] values, int height, int width) {
        ViewImage image = new ViewImage();
        int n = height * width;
        image.begin(
                new float[][] {
                    Arrays.copyOf(values, n),
                    Arrays.copyOfRange(values, n, 2 * n),
                    Arrays.copyOfRange(values, 2 * n, 3 * n)
                },
                height,
                width);
        return image;
    }

    /** The values of an image, [3, height, width]. */
    static float[] values(ViewImage image) {
        int n = image.pixels();
        float[] values = new float[3 * n];
        for (int c = 0; c < 3; c++) {
            System.arraycopy(image.planes()[c], 0, values, c * n, n);
        }
        return values;
    }

    static double largestDifference(float[] a, float[] b) {
        assertEquals(a.length, b.length);
        double d = 0;
        for (int i = 0; i < a.length; i++) {
            d = Math.max(d, Math.abs(a[i] - b[i]));
        }
        return d;
    }

    static double share(float[][] images, Predicate<float[]> is) {
        return Arrays.stream(images).filter(is).count() / (double) images.length;
    }

    /** Rows of a file of reference values. */
    static List<JsonObject> rows(Path file) throws IOException {
        return JsonParser.parseString(Files.readString(file)).getAsJsonArray().asList().stream()
                .map(JsonElement::getAsJsonObject)
                .toList();
    }

    static float[] data(JsonElement tensor) {
        JsonArray a = tensor.getAsJsonObject().getAsJsonArray("data");
        float[] values = new float[a.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = a.get(i).getAsFloat();
        }
        return values;
    }

    static int[] shape(JsonElement tensor) {
        return tensor.getAsJsonObject().getAsJsonArray("shape").asList().stream()
                .mapToInt(JsonElement::getAsInt)
                .toArray();
    }

    /** Compares with an absolute tolerance. */
    static void same(float[] expected, float[] actual, double tolerance, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], tolerance, what + " [" + i + "]");
        }
    }
}
