package io.github.simclr4j.onnx.runtime;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What one must know of an encoder that somebody else exported, as far as its file does not say it: each setting with
 * where it comes from. All may be left out. The names are those of the command line's options.
 *
 * <table>
 * <caption>The settings</caption>
 * <tr><td>{@code image-size}</td><td>pixels of the network's input, {@code 224}, or rows and columns, {@code 256x128}</td></tr>
 * <tr><td>{@code resize}</td><td>{@code short-side}, {@code center-square} or {@code stretch}, see
 *     {@link Preprocessing.Resize}</td></tr>
 * <tr><td>{@code resize-short}</td><td>pixels that {@code short-side} makes the shorter side, and {@code stretch} both sides,
 *     before the crop; alone it implies {@code short-side}</td></tr>
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
    /** The classes of them that take a single number for the shorter side. */
    private static final Set<String> SHORTER = Set.of("Bit", "ChineseCLIP", "CLIP", "ConvNext", "Levit", "MobileNetV1",
            "MobileNetV2", "MobileViT", "PoolFormer", "Siglip");
    /** The classes that cut out the centre unless told otherwise, and its side where a file leaves it out. */
    private static final Map<String, Integer> CROPS = Map.of("Bit", 224, "ChineseCLIP", 224, "CLIP", 224, "DeiT", 224,
            "Flava", 224, "Levit", 224, "MobileNetV1", 224, "MobileNetV2", 224, "MobileViT", 256, "PoolFormer", 224);
    /** Classes that do more than their file shows. */
    private static final Set<String> PECULIAR = Set.of("DepthPro", "LayoutLMv2", "Perceiver", "UVDoc", "Vivit");
    /** Keys of classes that pad, split or round the shape of an image, unless the value is one of those below. */
    private static final Set<String> SHAPES = Set.of("size_divisor", "ensure_multiple_of", "keep_aspect_ratio", "max_size",
            "limit_side_len", "max_image_size", "resize_short", "patch_size", "crop_to_patches", "image_grid_pinpoints",
            "max_image_tiles", "tile_size");
    private static final Set<String> WITHOUT_EFFECT = Set.of("false", "1", "1.0", "0");
    /** Switches that are read, or matter to labels only. */
    private static final Set<String> SWITCHES = Set.of("do_resize", "do_center_crop", "do_resize_and_center_crop", "do_rescale",
            "do_normalize", "do_flip_channel_order", "do_convert_rgb", "do_reduce_labels", "do_convert_annotations");

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

    /**
     * These settings, and for those that are missing the others'. Where these say {@code stretch} and no {@code resize-short},
     * the others' length is left out: it would cut what is to be whole.
     */
    public EncoderSettings or(EncoderSettings others) {
        Map<String, Value> map = new LinkedHashMap<>(values);
        others.values.forEach(map::putIfAbsent);
        if (!values.containsKey("resize-short")
                && get("resize").filter(r -> choice(Preprocessing.Resize.class, r) == Preprocessing.Resize.STRETCH).isPresent()) {
            map.remove("resize-short");
        }
        return new EncoderSettings(map);
    }

    /** A setting's text, if it is set. */
    public Optional<String> get(String name) {
        return Optional.ofNullable(values.get(name)).map(Value::text);
    }

    /**
     * Reads a JSON object of settings, with the names above ({@code _} for {@code -} will do), or a configuration of a Hugging
     * Face image processor as transformers 5 means it; null is as good as nothing.
     *
     * @throws IOException if the file can't be read or holds something else; the message names it
     */
    public static EncoderSettings read(Path file) throws IOException {
        String source = String.valueOf(file.getFileName());
        if (!Files.exists(file)) {
            throw new IOException(file + ": no such file; name a JSON file of settings, such as a " + PREPROCESSOR_CONFIG);
        }
        if (!Files.isRegularFile(file) || Files.size(file) > 1 << 20) {
            throw new IOException(file + " is no file of settings: expected a small JSON object");
        }
        try {
            JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            if (value(json, "image_processor") instanceof JsonObject nested) {
                json = nested;
            }
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
        for (String key : json.keySet()) {
            JsonElement e = value(json, key);
            map.put(key.replace('_', '-'), e == null ? null : list(key, e, key.startsWith("image") ? "x" : ","));
        }
        return of(map, source);
    }

    /** Reads what transformers' image processors write; a step that is turned off becomes a setting without effect. */
    private static EncoderSettings processor(JsonObject json, String source) {
        // DeiTImageProcessor, its sisters DeiTImageProcessorFast and ...Pil, and its ancestor DeiTFeatureExtractor are DeiT here.
        JsonElement type = value(json, "image_processor_type");
        type = type == null ? value(json, "feature_extractor_type") : type;
        String name = type == null
                ? ""
                : list("image_processor_type", type, ",").replaceFirst("(ImageProcessor|FeatureExtractor)(Fast|Pil)?$", "");
        refuseOthers(json, name);
        Map<String, String> map = new LinkedHashMap<>();
        shape(json, name, map);
        JsonElement resample = value(json, "resample");
        if (resample != null) {
            int filter = whole("resample", resample);
            if (filter < 0 || filter >= FILTERS.size()) {
                throw new IllegalArgumentException("resample must be 0 to 5, found " + filter);
            }
            map.put("interpolation", FILTERS.get(filter));
        }
        scaling(json, name, map);
        if (on(json, "do_flip_channel_order", false)) {
            map.put("channels", "bgr");
        }
        return of(map, source);
    }

    private static void refuseOthers(JsonObject json, String name) {
        if (PECULIAR.contains(name)) {
            throw byHand("expected an image processor that resizes, cuts and scales, found " + name + "'s");
        }
        for (String key : json.keySet()) {
            JsonElement e = value(json, key);
            if (e != null && SHAPES.contains(key) && !WITHOUT_EFFECT.contains(e.toString())
                    || key.startsWith("do_") && !SWITCHES.contains(key) && on(json, key, false)) {
                throw byHand("expected an image processor that resizes, cuts and scales, found " + key);
            }
        }
    }

    /** What is done to an image's shape, as the class of that name (empty if the file has none) does it. */
    private static void shape(JsonObject json, String name, Map<String, String> map) {
        JsonElement size = value(json, "size");
        JsonElement cropSize = value(json, "crop_size");
        boolean crop = on(json, "do_center_crop", cropSize != null || CROPS.containsKey(name));
        boolean share = value(json, "crop_pct") != null;
        int[] cut = null;
        if (crop && cropSize == null && !CROPS.containsKey(name)) {
            throw byHand("do_center_crop without a crop_size");
        } else if (crop) {
            cut = cropSize == null ? new int[] {CROPS.get(name), CROPS.get(name)} : sides("crop_size", cropSize);
        }
        if (!on(json, "do_resize", size != null)) {
            put(map, cut, cropSize);
            if (json.has("do_resize")) {
                // Images are to come in the network's size: this leaves those alone, and makes do with others.
                map.put("resize", "center-square");
            }
            return;
        }
        if (size == null) {
            throw byHand("do_resize without a size");
        }
        int[] sides = null;
        int shorter = 0;
        if (size instanceof JsonObject o && value(o, "shortest_edge") != null && value(o, "longest_edge") == null) {
            shorter = pixels("shortest_edge", value(o, "shortest_edge"));
        } else if (size.isJsonPrimitive() && (name.isEmpty() ? crop || share : SHORTER.contains(name))) {
            shorter = pixels("size", size);
        } else {
            sides = sides("size", size);
        }
        if (name.equals("ConvNext") || name.isEmpty() && share && !crop) {
            // Below 384 pixels made larger by 1 / crop_pct and cut, else stretched.
            if (shorter == 0) {
                throw byHand("crop_pct of a size with height and width");
            }
            sides = new int[] {shorter, shorter};
            cut = cut == null ? sides : cut;
            shorter = shorter < 384 ? (int) (shorter / share(json, 0.875)) : 0;
        } else if (name.equals("PoolFormer") || name.isEmpty() && share) {
            if (shorter == 0 && sides[0] != sides[1]) {
                throw byHand("crop_pct of a size that is no square");
            }
            shorter = (int) ((shorter == 0 ? sides[0] : shorter) / share(json, 0.9));
        } else if (name.equals("Levit")) {
            shorter = (int) (256.0 / 224 * shorter);
        }
        if (shorter != 0) {
            if (cut == null) {
                throw byHand("shortest_edge without do_center_crop leaves images of different shapes");
            }
            map.put("resize", "short-side");
            map.put("resize-short", Integer.toString(shorter));
            sides = new int[] {shorter, shorter};
        } else {
            cut = cut == null ? sides : cut;
            map.put("resize", "stretch");
            if (!Arrays.equals(cut, sides)) {
                if (sides[0] != sides[1]) {
                    throw byHand("a crop of what is stretched to " + sides[0] + "x" + sides[1]);
                }
                map.put("resize-short", Integer.toString(sides[0]));
            }
        }
        if (cut[0] > sides[0] || cut[1] > sides[1]) {
            throw byHand("crop_size " + cut[0] + "x" + cut[1] + " is larger than what is resized, so that a border is added");
        }
        put(map, cut, crop ? cropSize : size);
    }

    /** Notes the network's size in the form that the file has it in. */
    private static void put(Map<String, String> map, int[] sides, JsonElement from) {
        if (sides != null) {
            boolean one = sides[0] == sides[1] && !(from instanceof JsonObject o && o.has("height"));
            map.put("image-size", one ? Integer.toString(sides[0]) : sides[0] + "x" + sides[1]);
        }
    }

    /** {@code crop_pct}, what the crop takes of the resized image; null is all of it. */
    private static double share(JsonObject json, double otherwise) {
        JsonElement e = value(json, "crop_pct");
        double share = e != null ? number(list("crop_pct", e, ",")) : json.has("crop_pct") ? 1 : otherwise;
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("crop_pct must be above 0 and at most 1, found " + share);
        }
        return share;
    }

    private static void scaling(JsonObject json, String name, Map<String, String> map) {
        boolean rescale = on(json, "do_rescale", true);
        JsonElement factor = value(json, "rescale_factor");
        if (!rescale) {
            map.put("scale", "1");
        } else if (factor != null) {
            map.put("scale", list("rescale_factor", factor, ","));
        }
        // MobileViT's class writes a mean that it does not use.
        boolean normalise = on(json, "do_normalize", true) && !name.equals("MobileViT");
        // EfficientNet's: rescaled values less one, and another division by the deviation at the end.
        boolean offset = on(json, "rescale_offset", false) && rescale;
        JsonElement mean = value(json, "image_mean");
        JsonElement std = value(json, "image_std");
        String means = !normalise ? offset ? "1" : "0" : mean == null ? null : list("image_mean", mean, ",");
        String deviations = !normalise ? "1" : std == null ? null : list("image_std", std, ",");
        boolean again = on(json, "include_top", name.equals("EfficientNet"));
        if (offset && means == null || again && std == null) {
            throw byHand("rescale_offset or include_top without image_mean and image_std");
        }
        if (offset && normalise) {
            means = join(numbers(means).stream().map(m -> m + 1));
        }
        if (again) {
            List<Double> divisor = numbers(list("image_std", std, ","));
            deviations = join(divisor.stream().map(d -> normalise ? d * d : d));
        }
        map.put("mean", means);
        map.put("std", deviations);
    }

    private static String join(Stream<Double> numbers) {
        return numbers.map(String::valueOf).collect(Collectors.joining(","));
    }

    private static IllegalArgumentException byHand(String what) {
        return new IllegalArgumentException(what + ": put image-size, resize, mean and std into this file in place of what it"
                + " has, or move it away and give them as options");
    }

    /** A value that is there and not null, else null. */
    private static JsonElement value(JsonObject json, String key) {
        JsonElement e = json.get(key);
        return e == null || e.isJsonNull() ? null : e;
    }

    /** Whether a switch is on: null turns it off, as in Python. */
    private static boolean on(JsonObject json, String key, boolean otherwise) {
        JsonElement e = value(json, key);
        if (e != null && !(e instanceof JsonPrimitive p && p.isBoolean())) {
            throw new IllegalArgumentException(key + ": expected true or false, found " + e);
        }
        return e == null ? otherwise && !json.has(key) : e.getAsBoolean();
    }

    private static int pixels(String key, JsonElement e) {
        int pixels = whole(key, e);
        if (pixels < 1) {
            throw new IllegalArgumentException(key + ": expected a number above 0, found " + e);
        }
        return pixels;
    }

    private static int whole(String key, JsonElement e) {
        if (e instanceof JsonPrimitive p && p.isNumber()) {
            return p.getAsInt();
        }
        throw new IllegalArgumentException(key + ": expected a whole number, found " + e);
    }

    /** Rows and columns: of a square, as a list, or by name. */
    private static int[] sides(String key, JsonElement size) {
        if (size.isJsonPrimitive()) {
            return new int[] {pixels(key, size), pixels(key, size)};
        }
        if (size instanceof JsonArray a && a.size() == 2) {
            return new int[] {pixels(key, a.get(0)), pixels(key, a.get(1))};
        }
        if (size instanceof JsonObject o && value(o, "height") != null && value(o, "width") != null) {
            return new int[] {pixels("height", value(o, "height")), pixels("width", value(o, "width"))};
        }
        throw byHand(key + ": expected a number, height and width, or shortest_edge, found "
                + (size instanceof JsonObject o ? o.keySet() : size));
    }

    private static String list(String key, JsonElement e, String separator) {
        List<JsonElement> items = e instanceof JsonArray a ? a.asList() : List.of(e);
        if (!items.stream().allMatch(JsonElement::isJsonPrimitive)) {
            throw new IllegalArgumentException(key + ": expected a value or a list of them, found " + e);
        }
        return items.stream().map(JsonElement::getAsString).collect(Collectors.joining(separator));
    }

    /** Where a setting is in a model's metadata. */
    public static String metadataKey(String name) {
        return "preprocessing." + name.replace('-', '_');
    }

    /**
     * The settings that a model's metadata has, under {@code preprocessing.} and the name. Others there are passed over: the file
     * may be from a newer version, or another tool's.
     */
    public static EncoderSettings ofMetadata(Map<String, String> metadata) {
        Map<String, String> map = new LinkedHashMap<>();
        NAMES.forEach(n -> map.put(n, metadata.get(metadataKey(n))));
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
