package io.github.simclr4j.onnx;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What one must know of an encoder that somebody else exported, as far as its file does not say it: each setting with
 * where it comes from. All may be left out. The names are those of the command line's options.
 *
 * <table>
 * <caption>The settings</caption>
 * <tr><td>{@code image-size}</td><td>pixels of the network's input, {@code 224}, or rows and columns, {@code 256x128}</td></tr>
 * <tr><td>{@code resize}</td><td>{@code short-side}, {@code center-square} or {@code stretch}, see
 *     {@link Preprocessing.Resize}</td></tr>
 * <tr><td>{@code resize-short}</td><td>pixels that {@code short-side} makes the shorter side before the crop; alone it
 *     implies that rule</td></tr>
 * <tr><td>{@code interpolation}</td><td>{@code bilinear}, {@code bicubic}, {@code lanczos}, {@code hamming}, {@code box} or
 *     {@code nearest}</td></tr>
 * <tr><td>{@code scale}</td><td>what a value from 0 to 255 is multiplied by, {@code 1/255} or a number</td></tr>
 * <tr><td>{@code mean}, {@code std}</td><td>subtracted after that, and divided by: one value, or one a channel in the
 *     network's order, {@code 0.485,0.456,0.406}</td></tr>
 * <tr><td>{@code channels}</td><td>{@code rgb}, {@code bgr} or {@code grey}</td></tr>
 * <tr><td>{@code layout}</td><td>{@code nchw} or {@code nhwc}</td></tr>
 * <tr><td>{@code input}, {@code output}</td><td>names in the graph; an output may be any value that a node computes</td></tr>
 * <tr><td>{@code pooling}</td><td>of an output [N, T, D] or a map [N, D, H, W]: {@code class} (the first token),
 *     {@code mean}, or {@code mean-patches} (all but the first token)</td></tr>
 * </table>
 *
 * @param values the settings by name
 */
public record EncoderSettings(Map<String, Value> values) {
    /** Every setting's name. */
    public static final List<String> NAMES = List.of("image-size", "resize", "resize-short", "interpolation", "scale",
            "mean", "std", "channels", "layout", "input", "output", "pooling");
    /** The file that Hugging Face's image processors keep beside a model. */
    public static final String PREPROCESSOR_CONFIG = "preprocessor_config.json";
    /** Their numbers for Pillow's filters. */
    private static final List<String> FILTERS = List.of("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming");

    /**
     * A setting.
     *
     * @param text its value as one writes it
     * @param source where it comes from, such as a file's name
     */
    public record Value(String text, String source) {}

    /**
     * Checks names and values.
     *
     * @throws IllegalArgumentException if there is no such setting or a value is not of its kind
     */
    public EncoderSettings {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        values.forEach(EncoderSettings::check);
    }

    /** No settings: all from the file, and from the configuration beside it. */
    public static EncoderSettings none() {
        return new EncoderSettings(Map.of());
    }

    /**
     * Settings by name.
     *
     * @param values texts by name; null and empty ones are left out
     * @param source where they come from, such as "argument"
     * @throws IllegalArgumentException if there is no such setting or a value is not of its kind
     */
    public static EncoderSettings of(Map<String, String> values, String source) {
        Map<String, Value> map = new LinkedHashMap<>();
        for (String name : NAMES) {
            String text = values.get(name) == null ? "" : values.get(name).strip();
            if (text.isEmpty() && name.equals("resize") && values.get("resize-short") != null
                    && !values.get("resize-short").isBlank()) {
                // It must win over a rule that a weaker source names.
                text = "short-side";
            }
            if (!text.isEmpty()) {
                map.put(name, new Value(text, source));
            }
        }
        values.keySet().stream().filter(k -> !NAMES.contains(k)).findFirst().ifPresent(EncoderSettings::unknown);
        return new EncoderSettings(map);
    }

    /** These settings, and for those that are missing the others'. */
    public EncoderSettings or(EncoderSettings others) {
        Map<String, Value> map = new LinkedHashMap<>(values);
        others.values.forEach(map::putIfAbsent);
        return new EncoderSettings(map);
    }

    /** A setting's text, if it is set. */
    public Optional<String> get(String name) {
        return Optional.ofNullable(values.get(name)).map(Value::text);
    }

    /**
     * Reads a JSON object of settings, with the names above ({@code _} for {@code -} will do), or a configuration of a Hugging
     * Face image processor.
     *
     * @throws IOException if the file can't be read or holds something else; the message names it
     */
    public static EncoderSettings read(Path file) throws IOException {
        String source = String.valueOf(file.getFileName());
        if (!Files.isRegularFile(file) || Files.size(file) > 1 << 20) {
            throw new IOException(file + " is no file of settings: expected a small JSON object");
        }
        try {
            JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            boolean processor = json.keySet().stream().anyMatch(k -> k.startsWith("do_")
                    || k.equals("image_mean") || k.equals("image_processor_type") || k.equals("feature_extractor_type"));
            return processor ? processor(json, source) : plain(json, source);
        } catch (JsonParseException | IllegalStateException | UnsupportedOperationException
                | IllegalArgumentException | java.nio.charset.CharacterCodingException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private static EncoderSettings plain(JsonObject json, String source) {
        Map<String, String> map = new LinkedHashMap<>();
        for (Map.Entry<String, JsonElement> e : json.entrySet()) {
            map.put(e.getKey().replace('_', '-'), list(e.getValue(), e.getKey().startsWith("image") ? "x" : ","));
        }
        return of(map, source);
    }

    /** Reads what transformers' image processors write; a step that is turned off becomes a setting without effect. */
    private static EncoderSettings processor(JsonObject json, String source) {
        Map<String, String> map = new LinkedHashMap<>();
        JsonElement size = json.get("size");
        boolean crop = on(json, "do_center_crop", json.has("crop_size"));
        if (size != null && size.isJsonObject() && size.getAsJsonObject().has("longest_edge")) {
            throw new IllegalArgumentException("size with a longest_edge pads images, which encoders here can't: set"
                    + " image-size and resize yourself");
        }
        String whole = size == null ? null : extent(size);
        String shorter = null;
        if (size != null && (size.isJsonPrimitive() ? crop : size.getAsJsonObject().has("shortest_edge"))) {
            shorter = (size.isJsonPrimitive() ? size : size.getAsJsonObject().get("shortest_edge")).getAsString();
        }
        if (shorter != null && json.has("crop_pct") && !json.get("crop_pct").isJsonNull() && !crop) {
            // ConvNeXT's processor: below 384 pixels the image is made larger by 1 / crop_pct and cut, else stretched.
            int side = Integer.parseInt(shorter);
            map.put("image-size", shorter);
            if (side < 384) {
                map.put("resize-short", Integer.toString((int) (side / json.get("crop_pct").getAsDouble())));
            } else {
                map.put("resize", "stretch");
            }
        } else {
            map.put("image-size", crop && json.has("crop_size") ? extent(json.get("crop_size")) : whole);
            if (on(json, "do_resize", size != null) && size != null) {
                map.put("resize", shorter == null ? "stretch" : "short-side");
                map.put("resize-short", shorter);
            }
        }
        if (json.has("resample") && !json.get("resample").isJsonNull()) {
            int filter = json.get("resample").getAsInt();
            if (filter < 0 || filter >= FILTERS.size()) {
                throw new IllegalArgumentException("resample must be 0 to 5, found " + filter);
            }
            map.put("interpolation", FILTERS.get(filter));
        }
        if (!on(json, "do_rescale", true)) {
            map.put("scale", "1");
        } else if (json.has("rescale_factor")) {
            map.put("scale", json.get("rescale_factor").getAsString());
        }
        if (!on(json, "do_normalize", true)) {
            // EfficientNet's rescale_offset: x * scale - 1.
            map.put("mean", on(json, "rescale_offset", false) ? "1" : "0");
            map.put("std", "1");
        } else {
            if (on(json, "rescale_offset", false)) {
                throw new IllegalArgumentException("rescale_offset with do_normalize: set scale, mean and std yourself");
            }
            if (json.has("image_mean") && !json.get("image_mean").isJsonNull()) {
                map.put("mean", list(json.get("image_mean"), ","));
            }
            if (json.has("image_std") && !json.get("image_std").isJsonNull()) {
                map.put("std", list(json.get("image_std"), ","));
            }
        }
        if (on(json, "do_flip_channel_order", false)) {
            map.put("channels", "bgr");
        }
        return of(map, source);
    }

    private static boolean on(JsonObject json, String key, boolean otherwise) {
        return json.has(key) && !json.get(key).isJsonNull() ? json.get(key).getAsBoolean() : otherwise;
    }

    private static String extent(JsonElement size) {
        if (size.isJsonPrimitive()) {
            return size.getAsString();
        }
        JsonObject o = size.getAsJsonObject();
        return o.has("shortest_edge")
                ? o.get("shortest_edge").getAsString()
                : o.get("height").getAsString() + "x" + o.get("width").getAsString();
    }

    private static String list(JsonElement e, String separator) {
        if (!e.isJsonArray()) {
            return e.getAsString();
        }
        List<String> items = new ArrayList<>();
        e.getAsJsonArray().forEach(i -> items.add(i.getAsString()));
        return String.join(separator, items);
    }

    /** The settings that a model's metadata has, under {@code preprocessing.} and the name. */
    static EncoderSettings ofMetadata(Map<String, String> metadata) {
        Map<String, String> map = new LinkedHashMap<>();
        metadata.forEach((k, v) -> {
            if (k.startsWith("preprocessing.")) {
                map.put(k.substring("preprocessing.".length()).replace('_', '-'), v);
            }
        });
        if (metadata.containsKey("image_size") && Preprocessing.RULE.equals(metadata.get("resize"))) {
            map.putIfAbsent("image-size", metadata.get("image_size"));
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
                case "image-size" -> extent(value.text());
                case "resize" -> choice(Preprocessing.Resize.class, value.text());
                case "interpolation" -> choice(Preprocessing.Interpolation.class, value.text());
                case "channels" -> choice(Preprocessing.Channels.class, value.text());
                case "layout" -> choice(Layout.class, value.text());
                case "pooling" -> choice(Pooling.class, value.text());
                case "resize-short" -> Integer.parseInt(value.text());
                case "scale" -> number(value.text());
                case "mean", "std" -> numbers(value.text());
                default -> { }
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(name + " from " + value.source() + ": "
                    + (e instanceof NumberFormatException ? "expected numbers, found " + value.text() : e.getMessage()), e);
        }
    }

    /** Where the channels are. */
    enum Layout { NCHW, NHWC }

    /** How tokens or places become one embedding. */
    enum Pooling { CLASS, MEAN, MEAN_PATCHES }

    /** Rows and columns. */
    static int[] extent(String text) {
        String[] parts = text.toLowerCase(Locale.ROOT).split("x", -1);
        if (parts.length > 2) {
            throw new NumberFormatException(text);
        }
        return new int[] {Integer.parseInt(parts[0].strip()), Integer.parseInt(parts[parts.length - 1].strip())};
    }

    static double number(String text) {
        String[] parts = text.split("/", -1);
        if (parts.length > 2) {
            throw new NumberFormatException(text);
        }
        double d = Double.parseDouble(parts[0]);
        return parts.length == 2 ? d / Double.parseDouble(parts[1]) : d;
    }

    static List<Double> numbers(String text) {
        List<Double> list = new ArrayList<>();
        for (String s : text.split(",", -1)) {
            list.add(number(s.strip()));
        }
        if (list.size() != 1 && list.size() != 3) {
            throw new IllegalArgumentException("expected one number or three, found " + text);
        }
        return list;
    }

    static <E extends Enum<E>> E choice(Class<E> type, String text) {
        String name = text.toUpperCase(Locale.ROOT).replace('-', '_');
        List<String> known = new ArrayList<>();
        for (E e : type.getEnumConstants()) {
            if (e.name().equals(name)) {
                return e;
            }
            known.add(e.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
        throw new IllegalArgumentException("expected " + String.join(", ", known) + ", found " + text);
    }
}
