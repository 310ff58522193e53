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

/** Results of commands as JSON. */
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

    /** Returns the text of the file. */
    static String text(Map<String, Object> result) {
        return JSON.toJson(result) + "\n";
    }

    /** Returns a result as it stands in the file. */
    static JsonObject tree(Map<String, Object> result) {
        return JSON.toJsonTree(result).getAsJsonObject();
    }

    /** JSON has no NaN and no infinity: such a number becomes null, and is written where other nulls are left out. */
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
