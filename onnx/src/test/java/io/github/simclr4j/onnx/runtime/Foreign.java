// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The encoders that src/test/python/export_foreign.py wrote, and the exporter's own outputs. */
public final class Foreign {
    public static final JsonObject EXPECTED = json("expected.json");

    private Foreign() {}

    static byte[] bytes(String file) {
        try (InputStream in = Foreign.class.getResourceAsStream("/io/github/simclr4j/onnx/foreign/" + file)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static byte[] model(String name) {
        return bytes(name + ".onnx");
    }

    static JsonObject json(String file) {
        return JsonParser.parseString(new String(bytes(file), StandardCharsets.UTF_8))
                .getAsJsonObject();
    }

    public static List<String> names() {
        return List.copyOf(EXPECTED.keySet());
    }

    /** The settings that its user must give. */
    public static EncoderSettings settings(String name) {
        Map<String, String> map = new LinkedHashMap<>();
        EXPECTED.getAsJsonObject(name)
                .getAsJsonObject("settings")
                .entrySet()
                .forEach(e -> map.put(e.getKey(), e.getValue().getAsString()));
        return EncoderSettings.of(map, "argument");
    }

    public static float[][] expected(String name, String what) {
        JsonArray rows = EXPECTED.getAsJsonObject(name).getAsJsonArray(what);
        float[][] v = new float[rows.size()][];
        for (int i = 0; i < v.length; i++) {
            JsonArray row = rows.get(i).getAsJsonArray();
            v[i] = new float[row.size()];
            for (int j = 0; j < v[i].length; j++) {
                v[i][j] = row.get(j).getAsFloat();
            }
        }
        return v;
    }

    /** The picture that the exporting script computes. */
    public static RgbImage picture(int width, int height, int k) {
        byte[] rgb = new byte[width * height * 3];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    rgb[(y * width + x) * 3 + c] = (byte) (3 * x * x + 7 * y + 50 * c + x * y + 31 * k);
                }
            }
        }
        return new RgbImage(width, height, rgb);
    }

    public static List<RgbImage> pictures(int size) {
        return List.of(picture(size, size, 0), picture(size, size, 1));
    }

    public static double largestDifference(float[][] a, float[][] b) {
        double most = a.length == b.length && a[0].length == b[0].length ? 0 : Double.POSITIVE_INFINITY;
        for (int i = 0; i < a.length && most < 1e30; i++) {
            for (int j = 0; j < a[i].length; j++) {
                double d = Math.abs(a[i][j] - b[i][j]);
                most = d <= most ? most : d;
            }
        }
        return most;
    }

    public static double largest(float[][] a) {
        return largestDifference(a, new float[a.length][a[0].length]);
    }
}
