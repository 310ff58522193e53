// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;

/**
 * The JSON result of a command, as the source of a page. Each number on the page is an HTML {@code data} element with the exact value
 * and, as {@code data-json}, its position in the JSON file, so that a page shows no number that the file lacks.
 *
 * @param root the complete result
 */
public record JsonRecord(JsonObject root) {

    /** Returns a JSON pointer (RFC 6901) to a value. */
    public static String pointer(Object... steps) {
        StringBuilder pointer = new StringBuilder();
        for (Object step : steps) {
            pointer.append('/').append(String.valueOf(step).replace("~", "~0").replace("/", "~1"));
        }
        return pointer.toString();
    }

    /** Returns a value, or empty if it is missing or null. */
    public Optional<JsonElement> at(Object... steps) {
        JsonElement value = root;
        for (Object step : steps) {
            if (value instanceof JsonObject o) {
                value = o.get(String.valueOf(step));
            } else if (value instanceof JsonArray a && step instanceof Integer i && i < a.size()) {
                value = a.get(i);
            } else {
                return Optional.empty();
            }
        }
        return value == null || value.isJsonNull() ? Optional.empty() : Optional.of(value);
    }

    /** Returns a string, or an empty one if it is missing. */
    public String text(Object... steps) {
        return at(steps)
                .filter(JsonElement::isJsonPrimitive)
                .map(JsonElement::getAsString)
                .orElse("");
    }

    /** Returns a number, or empty if it is missing, null or not a number. */
    public OptionalDouble number(Object... steps) {
        return at(steps)
                .filter(e -> e instanceof JsonPrimitive p && p.isNumber())
                .map(e -> OptionalDouble.of(e.getAsDouble()))
                .orElse(OptionalDouble.empty());
    }

    /** Returns the elements of an array; empty if it is missing. */
    public List<JsonElement> list(Object... steps) {
        return at(steps)
                .filter(JsonElement::isJsonArray)
                .map(a -> a.getAsJsonArray().asList())
                .orElse(List.of());
    }

    /** Returns the strings of an array. */
    public List<String> texts(Object... steps) {
        return list(steps).stream().map(JsonElement::getAsString).toList();
    }

    /** Returns the names in an object, in order; empty if it is missing. */
    public List<String> names(Object... steps) {
        return at(steps)
                .filter(JsonElement::isJsonObject)
                .map(o -> List.copyOf(o.getAsJsonObject().keySet()))
                .orElse(List.of());
    }

    /** Returns the values of an object as strings, in order. */
    public Map<String, String> facts(Object... steps) {
        Map<String, String> facts = new LinkedHashMap<>();
        at(steps)
                .filter(JsonElement::isJsonObject)
                .ifPresent(o -> o.getAsJsonObject()
                        .asMap()
                        .forEach((name, value) ->
                                facts.put(name, value.isJsonPrimitive() ? value.getAsString() : value.toString())));
        return facts;
    }

    /** Returns a number as HTML with its position in the record, or a dash if it is missing. */
    public String figure(DoubleFunction<String> format, Object... steps) {
        OptionalDouble value = number(steps);
        if (value.isEmpty()) {
            return "&ndash;";
        }
        return "<data value=\"" + at(steps).orElseThrow().getAsString() + "\" data-json=\""
                + HtmlPage.escape(pointer(steps)) + "\">" + HtmlPage.escape(format.apply(value.getAsDouble()))
                + "</data>";
    }

    /** Returns a path that begins with a prefix. */
    public static Object[] path(List<?> prefix, Object... steps) {
        List<Object> all = new ArrayList<>(prefix);
        all.addAll(List.of(steps));
        return all.toArray();
    }
}
