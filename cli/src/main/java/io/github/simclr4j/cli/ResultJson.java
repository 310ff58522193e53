// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.Map;

/** Converts the results of commands to JSON. */
final class ResultJson {
    private static final Gson JSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .registerTypeAdapter(Double.class, new Finite())
            .registerTypeAdapter(double.class, new Finite())
            .registerTypeAdapter(Float.class, new Finite())
            .registerTypeAdapter(float.class, new Finite())
            .create();

    private ResultJson() {}

    /** Returns the text of the JSON file. */
    static String text(Map<String, Object> result) {
        return JSON.toJson(result) + "\n";
    }

    /** Returns a result as in the JSON file. */
    static JsonObject tree(Map<String, Object> result) {
        return JSON.toJsonTree(result).getAsJsonObject();
    }

    /**
     * Writes numbers; NaN and infinity, which JSON lacks, become null and are written although other nulls are left
     * out.
     */
    private static final class Finite extends TypeAdapter<Number> {
        @Override
        public void write(JsonWriter out, Number value) throws IOException {
            if (value == null) {
                out.nullValue();
            } else if (Double.isFinite(value.doubleValue())) {
                out.value(value);
            } else {
                boolean nulls = out.getSerializeNulls();
                out.setSerializeNulls(true);
                out.nullValue();
                out.setSerializeNulls(nulls);
            }
        }

        @Override
        public Number read(JsonReader in) {
            throw new UnsupportedOperationException("Results are only written");
        }
    }
}
