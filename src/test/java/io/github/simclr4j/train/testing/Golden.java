// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.StreamSupport;

/** Reference values, from the test resources or from the folder that {@code -Dsimclr.golden=DIR} names. */
public final class Golden {
    private Golden() {}

    /** Returns the rows of a file. */
    public static Iterable<JsonObject> read(String name) throws IOException {
        String other = System.getProperty("simclr.golden", "");
        Path file = other.isEmpty() ? Path.of("test/resources/golden", name) : Path.of(other, name);
        try (Reader r = Files.newBufferedReader(file)) {
            JsonArray rows = JsonParser.parseReader(r).getAsJsonArray();
            return StreamSupport.stream(rows.spliterator(), false)
                    .map(JsonElement::getAsJsonObject)
                    .toList();
        }
    }

    /** Returns the values of a row's tensor. */
    public static float[] data(JsonElement tensor) {
        JsonArray a = tensor.getAsJsonObject().getAsJsonArray("data");
        float[] values = new float[a.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = a.get(i).getAsFloat();
        }
        return values;
    }

    /** Returns a row's tensor. */
    public static NDArray tensor(NDManager m, JsonElement tensor) {
        JsonArray s = tensor.getAsJsonObject().getAsJsonArray("shape");
        long[] shape = new long[s.size()];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = s.get(i).getAsLong();
        }
        return m.create(data(tensor), new Shape(shape));
    }

    /** Compares with a tolerance relative to the largest expected value, or an absolute one. */
    public static void same(float[] expected, float[] actual, double relative, double absolute, String what) {
        assertEquals(expected.length, actual.length, what);
        double largest = 0;
        for (float e : expected) {
            assertTrue(Float.isFinite(e), what);
            largest = Math.max(largest, Math.abs(e));
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], Math.max(absolute, relative * largest), what + " [" + i + "]");
        }
    }

    /** Compares with a tolerance relative to the largest expected value, or an absolute one. */
    public static void same(double[] expected, double[] actual, double relative, double absolute, String what) {
        assertEquals(expected.length, actual.length, what);
        double largest = 0;
        for (double e : expected) {
            assertTrue(Double.isFinite(e), what);
            largest = Math.max(largest, Math.abs(e));
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], Math.max(absolute, relative * largest), what + " [" + i + "]");
        }
    }
}
