// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * The defaults of the image processor classes in Hugging Face transformers, for keys that a configuration lacks. The resource
 * {@code processors.jsonl} contains them; {@code processor_defaults.py} extracted it from transformers 5.18.
 */
final class ProcessorDefaults {
    private static final Map<String, JsonObject> ALL = read();

    private ProcessorDefaults() {}

    /**
     * Returns a configuration with the defaults of missing keys. A {@code crop_pct} or switch that is {@code null} is kept, since that
     * has a meaning.
     *
     * @param name the name of the class without its suffix, such as CLIP
     */
    static JsonObject complete(JsonObject json, String name) {
        JsonObject whole = json.deepCopy();
        for (Map.Entry<String, JsonElement> e :
                ALL.getOrDefault(name, new JsonObject()).entrySet()) {
            boolean open = e.getKey().startsWith("do_") || e.getKey().equals("crop_pct")
                    ? !json.has(e.getKey())
                    : EncoderSettings.value(json, e.getKey()) == null;
            if (open && !e.getKey().equals("name")) {
                whole.add(e.getKey(), e.getValue());
            }
        }
        return whole;
    }

    private static Map<String, JsonObject> read() {
        Map<String, JsonObject> all = new HashMap<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(
                ProcessorDefaults.class.getResourceAsStream("processors.jsonl"), StandardCharsets.UTF_8))) {
            in.lines()
                    .map(l -> JsonParser.parseString(l).getAsJsonObject())
                    .forEach(o -> all.put(o.get("name").getAsString(), o));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }
}
