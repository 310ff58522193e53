// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The settings of an encoder that its file may not contain, such as the preprocessing of a model exported by another tool. Each setting
 * has a value and a source. All settings are optional.
 *
 * <table>
 * <caption>The settings</caption>
 * <tr><td>{@code image-size}</td><td>input size of the network in pixels: {@code 224}, or height and width, {@code 256x128}</td></tr>
 * <tr><td>{@code resize}</td><td>{@code short-side}, {@code center-square} or {@code stretch}, see
 *     {@link Preprocessing.Resize}</td></tr>
 * <tr><td>{@code resize-short}</td><td>length in pixels of the shorter side with {@code short-side}, or of both sides with
 *     {@code stretch}, before the crop; without {@code resize} it implies {@code short-side}</td></tr>
 * <tr><td>{@code interpolation}</td><td>{@code bilinear}, {@code bicubic}, {@code lanczos}, {@code hamming}, {@code box} or
 *     {@code nearest}</td></tr>
 * <tr><td>{@code scale}</td><td>factor of values from 0 to 255: {@code 1/255} or a number</td></tr>
 * <tr><td>{@code mean}, {@code std}</td><td>mean that is subtracted after scaling, and standard deviation to divide by: one value, or
 *     one per channel in the network's order, {@code 0.485,0.456,0.406}</td></tr>
 * <tr><td>{@code channels}</td><td>{@code rgb}, {@code bgr} or {@code grey}</td></tr>
 * <tr><td>{@code layout}</td><td>{@code nchw} or {@code nhwc}</td></tr>
 * <tr><td>{@code input}, {@code output}</td><td>names in the graph; an output may be any value that a node computes. The features
 *     of several outputs, {@code a,b}, are concatenated in this order.</td></tr>
 * <tr><td>{@code pooling}</td><td>of an output [N, T, D] or a map [N, D, H, W]: {@code class} (the first token),
 *     {@code mean}, or {@code mean-patches} (all but the first token). {@code class+mean} concatenates the results of both. One rule holds
 *     for all outputs; {@code class,mean} has one for each, {@code none} for an output [N, D].</td></tr>
 * </table>
 *
 * @param values the settings by name
 * @since 0.1.0
 */
public record EncoderSettings(Map<String, Value> values) {
    /** The names of all settings. */
    public static final List<String> NAMES = List.of(
            "image-size",
            "resize",
            "resize-short",
            "interpolation",
            "scale",
            "mean",
            "std",
            "channels",
            "layout",
            "input",
            "output",
            "pooling");
    /** The configuration file of Hugging Face's image processors beside a model. */
    public static final String PREPROCESSOR_CONFIG = "preprocessor_config.json";
    /** The configuration file of timm beside a model. Other libraries have a file of that name that does not describe images. */
    static final String TIMM_CONFIG = "config.json";
    /** The configuration file of OpenCLIP beside a model. */
    static final String OPEN_CLIP_CONFIG = "open_clip_config.json";
    /** The names of the configuration files beside a model that may have settings, in the order of their precedence. */
    public static final List<String> CONFIGURATIONS = List.of(PREPROCESSOR_CONFIG, TIMM_CONFIG, OPEN_CLIP_CONFIG);

    /**
     * The value of a setting.
     *
     * @param text the value as text
     * @param source the source of the value, such as the name of a file
     */
    public record Value(String text, String source) {}

    /**
     * Checks names and values.
     *
     * @throws IllegalArgumentException if there is no such setting or a value is invalid
     */
    public EncoderSettings {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        values.forEach(EncoderSettings::check);
    }

    /** Returns no settings, so that all come from the file and the configuration beside it. */
    public static EncoderSettings none() {
        return new EncoderSettings(Map.of());
    }

    /**
     * Creates settings from texts.
     *
     * @param values texts by name; null and empty texts are ignored
     * @param source the source of the values, such as "argument"
     * @throws IllegalArgumentException if there is no such setting or a value is invalid
     */
    public static EncoderSettings of(Map<String, String> values, String source) {
        Map<String, Value> map = new LinkedHashMap<>();
        for (String name : NAMES) {
            String text = values.get(name) == null ? "" : values.get(name).strip();
            if (text.isEmpty()
                    && name.equals("resize")
                    && values.get("resize-short") != null
                    && !values.get("resize-short").isBlank()) {
                // It must override a resize rule of a source with lower precedence.
                text = "short-side";
            }
            if (!text.isEmpty()) {
                map.put(name, new Value(text, source));
            }
        }
        values.keySet().stream().filter(k -> !NAMES.contains(k)).findFirst().ifPresent(EncoderSettings::unknown);
        return new EncoderSettings(map);
    }

    /**
     * Returns these settings, completed by others. If these have {@code stretch} without {@code resize-short}, the others'
     * {@code resize-short} is ignored, since it would crop images that should be used whole.
     *
     * @param others settings with lower precedence
     */
    public EncoderSettings or(EncoderSettings others) {
        Map<String, Value> map = new LinkedHashMap<>(values);
        others.values.forEach(map::putIfAbsent);
        if (!values.containsKey("resize-short")
                && get("resize")
                        .filter(r -> SettingTexts.choice(Preprocessing.Resize.class, r) == Preprocessing.Resize.STRETCH)
                        .isPresent()) {
            map.remove("resize-short");
        }
        return new EncoderSettings(map);
    }

    /**
     * Returns the text of a setting.
     *
     * @param name the name of the setting
     * @return the text; empty if the setting has no value
     */
    public Optional<String> get(String name) {
        return Optional.ofNullable(values.get(name)).map(Value::text);
    }

    /**
     * Reads settings from a JSON file. It may contain an object with the names above ({@code _} may replace {@code -}), or the
     * configuration of a Hugging Face image processor (as in transformers 5), of timm or of OpenCLIP. Null values count as missing.
     *
     * @param file the JSON file
     * @throws IOException if the file can't be read or contains something else; the message names the file
     */
    public static EncoderSettings read(Path file) throws IOException {
        String source = String.valueOf(file.getFileName());
        if (!Files.exists(file)) {
            throw new IOException(
                    file + ": no such file; expected a JSON file of settings, such as a " + PREPROCESSOR_CONFIG);
        }
        if (!Files.isRegularFile(file) || Files.size(file) > 1 << 20) {
            throw new IOException(file + " is not a file of settings: expected a small JSON object");
        }
        try {
            JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            if (value(json, "image_processor") instanceof JsonObject nested) {
                json = nested;
            }
            if (TimmConfig.isTimm(json)) {
                return TimmConfig.timm(json, source);
            } else if (TimmConfig.isOpenClip(json)) {
                return TimmConfig.openClip(json, source);
            }
            boolean processor = json.keySet().stream()
                    .anyMatch(k -> k.startsWith("do_")
                            || k.equals("image_mean")
                            || k.equals("image_processor_type")
                            || k.equals("feature_extractor_type"));
            return processor ? ImageProcessorConfig.read(json, source) : plain(json, source);
        } catch (JsonParseException
                | IllegalStateException
                | UnsupportedOperationException
                | IllegalArgumentException
                | java.nio.charset.CharacterCodingException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads the first configuration in a folder that exists: {@code preprocessor_config.json}, timm's {@code config.json} or
     * {@code open_clip_config.json}.
     *
     * @throws IOException if the file can't be read or contains something else; the message names the file
     */
    static EncoderSettings beside(Path folder) throws IOException {
        for (String name : CONFIGURATIONS) {
            Path file = folder.resolve(name);
            if (Files.isRegularFile(file) && (!name.equals(TIMM_CONFIG) || isTimm(file))) {
                return read(file);
            }
        }
        return none();
    }

    private static boolean isTimm(Path file) throws IOException {
        try {
            return Files.size(file) <= 1 << 20
                    && JsonParser.parseString(Files.readString(file)) instanceof JsonObject json
                    && TimmConfig.isTimm(json);
        } catch (JsonParseException | java.nio.charset.CharacterCodingException e) {
            // A file of that name may contain anything.
            return false;
        }
    }

    private static EncoderSettings plain(JsonObject json, String source) {
        Map<String, String> map = new LinkedHashMap<>();
        for (String key : json.keySet()) {
            JsonElement e = value(json, key);
            map.put(key.replace('_', '-'), e == null ? null : list(key, e, key.startsWith("image") ? "x" : ","));
        }
        return of(map, source);
    }

    /** Returns a value that exists and is not null, or else null. */
    static JsonElement value(JsonObject json, String key) {
        JsonElement e = json.get(key);
        return e == null || e.isJsonNull() ? null : e;
    }

    static String list(String key, JsonElement e, String separator) {
        List<JsonElement> items = e instanceof JsonArray a ? a.asList() : List.of(e);
        if (!items.stream().allMatch(JsonElement::isJsonPrimitive)) {
            throw new IllegalArgumentException(key + ": expected a value or a list of them, found " + e);
        }
        return items.stream().map(JsonElement::getAsString).collect(Collectors.joining(separator));
    }

    /**
     * Returns the settings in a model's metadata, whose keys are {@code preprocessing.} and the name. Unknown names are ignored, since the
     * file may come from a newer version or another tool.
     *
     * @param metadata the metadata of the model
     */
    public static EncoderSettings ofMetadata(Map<String, String> metadata) {
        Map<String, String> map = new LinkedHashMap<>();
        NAMES.forEach(n -> map.put(n, metadata.get(EncoderMetadata.preprocessing(n))));
        if (metadata.containsKey(EncoderMetadata.IMAGE_SIZE) && EncoderMetadata.hasOwnRule(metadata)) {
            map.putIfAbsent("image-size", metadata.get(EncoderMetadata.IMAGE_SIZE));
            map.putIfAbsent("resize", "center-square");
            map.putIfAbsent("interpolation", "bilinear");
        }
        return of(map, "metadata");
    }

    private static void unknown(String name) {
        throw new IllegalArgumentException("Unknown setting " + name + ", expected one of " + String.join(", ", NAMES));
    }

    private static void check(String name, Value value) {
        if (!NAMES.contains(name)) {
            unknown(name);
        }
        try {
            switch (name) {
                case "image-size" -> SettingTexts.extent(value.text());
                case "resize" -> SettingTexts.choice(Preprocessing.Resize.class, value.text());
                case "interpolation" -> SettingTexts.choice(Preprocessing.Interpolation.class, value.text());
                case "channels" -> SettingTexts.choice(Preprocessing.Channels.class, value.text());
                case "layout" -> SettingTexts.choice(Layout.class, value.text());
                case "pooling" -> PoolingRules.parse(value.text());
                case "resize-short" -> Integer.parseInt(value.text());
                case "scale" -> SettingTexts.number(value.text());
                case "mean", "std" -> SettingTexts.numbers(value.text());
                default -> {}
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    name + " from " + value.source() + ": "
                            + (e instanceof NumberFormatException
                                    ? "expected numbers, found " + value.text()
                                    : e.getMessage()),
                    e);
        }
    }

    /** The tensor layout of images. */
    enum Layout {
        NCHW,
        NHWC
    }

    /** Pooling of tokens or of a feature map; NONE for a vector. */
    enum Pooling {
        CLASS,
        MEAN,
        MEAN_PATCHES,
        NONE
    }
}
