// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Reads the configuration of a Hugging Face image processor into {@link EncoderSettings}, with the meaning of transformers 5. */
final class ImageProcessorConfig {
    /** Pillow's filters, by number. */
    private static final List<String> FILTERS = List.of("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming");
    /** Classes for which a single number is the length of the shorter side. */
    private static final Set<String> SHORTER = Set.of(
            "Bit",
            "ChineseCLIP",
            "CLIP",
            "ConvNext",
            "Levit",
            "MobileNetV1",
            "MobileNetV2",
            "MobileViT",
            "PoolFormer",
            "Siglip");
    /** Classes with processing that does not appear in their configuration. */
    private static final Set<String> PECULIAR = Set.of("DepthPro", "LayoutLMv2", "Perceiver", "UVDoc", "Vivit");
    /** Keys of classes that pad, split or round the shape of an image, which is not supported except for the values below. */
    private static final Set<String> SHAPES = Set.of(
            "size_divisor",
            "ensure_multiple_of",
            "keep_aspect_ratio",
            "max_size",
            "limit_side_len",
            "max_image_size",
            "resize_short",
            "patch_size",
            "crop_to_patches",
            "image_grid_pinpoints",
            "max_image_tiles",
            "tile_size");

    private static final Set<String> WITHOUT_EFFECT = Set.of("false", "1", "1.0", "0");
    /** Switches that are supported, or that matter only for labels. */
    private static final Set<String> SWITCHES = Set.of(
            "do_resize",
            "do_center_crop",
            "do_resize_and_center_crop",
            "do_rescale",
            "do_normalize",
            "do_flip_channel_order",
            "do_convert_rgb",
            "do_reduce_labels",
            "do_convert_annotations");

    private ImageProcessorConfig() {}

    /** Reads a configuration. A step that is turned off becomes a setting without effect. */
    static EncoderSettings read(JsonObject file, String source) {
        // "DeiT" stands for DeiTImageProcessor, DeiTImageProcessorFast, DeiTImageProcessorPil and the older
        // DeiTFeatureExtractor.
        JsonElement type = EncoderSettings.value(file, "image_processor_type");
        type = type == null ? EncoderSettings.value(file, "feature_extractor_type") : type;
        String name = type == null
                ? ""
                : EncoderSettings.list("image_processor_type", type, ",")
                        .replaceFirst("(ImageProcessor|FeatureExtractor)(Fast|Pil)?$", "");
        refuseOthers(file, name);
        JsonObject json = ProcessorDefaults.complete(file, name);
        Map<String, String> map = new LinkedHashMap<>();
        shape(json, name, map);
        JsonElement resample = EncoderSettings.value(json, "resample");
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
        return EncoderSettings.of(map, source);
    }

    private static void refuseOthers(JsonObject json, String name) {
        if (PECULIAR.contains(name)) {
            throw byHand("expected an image processor that resizes, crops and normalises, found " + name + "'s");
        }
        for (String key : json.keySet()) {
            JsonElement e = EncoderSettings.value(json, key);
            if (e != null && SHAPES.contains(key) && !WITHOUT_EFFECT.contains(e.toString())
                    || key.startsWith("do_") && !SWITCHES.contains(key) && on(json, key, false)) {
                throw byHand("expected an image processor that resizes, crops and normalises, found " + key);
            }
        }
    }

    /** Reads the resize and crop as the class with that name does them; the name is empty if the file has none. */
    private static void shape(JsonObject json, String name, Map<String, String> map) {
        JsonElement size = EncoderSettings.value(json, "size");
        JsonElement cropSize = EncoderSettings.value(json, "crop_size");
        boolean crop = on(json, "do_center_crop", cropSize != null);
        boolean share = EncoderSettings.value(json, "crop_pct") != null;
        int[] cut = null;
        if (crop && cropSize == null) {
            throw byHand("do_center_crop without a crop_size");
        } else if (crop) {
            cut = sides("crop_size", cropSize);
        }
        if (!on(json, "do_resize", size != null)) {
            put(map, cut, cropSize);
            if (json.has("do_resize")) {
                // Images are expected in the network's size, which this keeps unchanged; others get a sensible crop.
                map.put("resize", "center-square");
            }
            return;
        }
        if (size == null) {
            throw byHand("do_resize without a size");
        }
        int[] sides = null;
        int shorter = 0;
        if (size instanceof JsonObject o
                && EncoderSettings.value(o, "shortest_edge") != null
                && EncoderSettings.value(o, "longest_edge") == null) {
            shorter = pixels("shortest_edge", EncoderSettings.value(o, "shortest_edge"));
        } else if (size.isJsonPrimitive() && (name.isEmpty() ? crop || share : SHORTER.contains(name))) {
            shorter = pixels("size", size);
        } else {
            sides = sides("size", size);
        }
        if (name.equals("ConvNext") || name.isEmpty() && share && !crop) {
            // Below 384 pixels: resized to size / crop_pct and cropped; otherwise stretched.
            if (shorter == 0) {
                throw byHand("crop_pct of a size with height and width");
            }
            sides = new int[] {shorter, shorter};
            cut = cut == null ? sides : cut;
            shorter = shorter < 384 ? (int) (shorter / share(json, 0.875)) : 0;
        } else if (name.equals("PoolFormer") || name.isEmpty() && share) {
            if (shorter == 0 && sides[0] != sides[1]) {
                throw byHand("crop_pct of a size that is not square");
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
                    throw byHand("a crop of an image that is stretched to " + sides[0] + "x" + sides[1]);
                }
                map.put("resize-short", Integer.toString(sides[0]));
            }
        }
        if (cut[0] > sides[0] || cut[1] > sides[1]) {
            throw byHand("crop_size " + cut[0] + "x" + cut[1]
                    + " is larger than the resized image, which would add a border");
        }
        put(map, cut, crop ? cropSize : size);
    }

    /** Sets the network's input size, in the form that the file has. */
    private static void put(Map<String, String> map, int[] sides, JsonElement from) {
        if (sides != null) {
            boolean one = sides[0] == sides[1] && !(from instanceof JsonObject o && o.has("height"));
            map.put("image-size", one ? Integer.toString(sides[0]) : sides[0] + "x" + sides[1]);
        }
    }

    /** Returns {@code crop_pct}, the share of the resized image that the crop keeps; null means all of it. */
    private static double share(JsonObject json, double otherwise) {
        JsonElement e = EncoderSettings.value(json, "crop_pct");
        double share = e != null
                ? SettingTexts.number(EncoderSettings.list("crop_pct", e, ","))
                : json.has("crop_pct") ? 1 : otherwise;
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("crop_pct must be above 0 and at most 1, found " + share);
        }
        return share;
    }

    private static void scaling(JsonObject json, String name, Map<String, String> map) {
        boolean rescale = on(json, "do_rescale", true);
        JsonElement factor = EncoderSettings.value(json, "rescale_factor");
        if (!rescale) {
            map.put("scale", "1");
        } else if (factor != null) {
            map.put("scale", EncoderSettings.list("rescale_factor", factor, ","));
        }
        // MobileViT's class writes a mean that it does not apply.
        boolean normalise = on(json, "do_normalize", true) && !name.equals("MobileViT");
        // EfficientNet subtracts 1 from rescaled values, and divides by the standard deviation once more at the end.
        boolean offset = on(json, "rescale_offset", false) && rescale;
        JsonElement mean = EncoderSettings.value(json, "image_mean");
        JsonElement std = EncoderSettings.value(json, "image_std");
        String means =
                !normalise ? offset ? "1" : "0" : mean == null ? null : EncoderSettings.list("image_mean", mean, ",");
        String deviations = !normalise ? "1" : std == null ? null : EncoderSettings.list("image_std", std, ",");
        boolean again = on(json, "include_top", name.equals("EfficientNet"));
        if (offset && means == null || again && std == null) {
            throw byHand("rescale_offset or include_top without image_mean and image_std");
        }
        if (offset && normalise) {
            means = join(SettingTexts.numbers(means).stream().map(m -> m + 1));
        }
        if (again) {
            List<Double> divisor = SettingTexts.numbers(EncoderSettings.list("image_std", std, ","));
            deviations = join(divisor.stream().map(d -> normalise ? d * d : d));
        }
        map.put("mean", means);
        map.put("std", deviations);
    }

    private static String join(Stream<Double> numbers) {
        return numbers.map(String::valueOf).collect(Collectors.joining(","));
    }

    static IllegalArgumentException byHand(String what) {
        return new IllegalArgumentException(what + ": replace the content of this file by settings"
                + " (image-size, resize, mean, std), or move it away and set them directly");
    }

    /** Returns whether a switch is on. As in Python, null means off. */
    private static boolean on(JsonObject json, String key, boolean otherwise) {
        JsonElement e = EncoderSettings.value(json, key);
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

    /** Returns height and width, given as one number for a square, as a list, or by name. */
    private static int[] sides(String key, JsonElement size) {
        if (size.isJsonPrimitive()) {
            return new int[] {pixels(key, size), pixels(key, size)};
        }
        if (size instanceof JsonArray a && a.size() == 2) {
            return new int[] {pixels(key, a.get(0)), pixels(key, a.get(1))};
        }
        if (size instanceof JsonObject o
                && EncoderSettings.value(o, "height") != null
                && EncoderSettings.value(o, "width") != null) {
            return new int[] {
                pixels("height", EncoderSettings.value(o, "height")), pixels("width", EncoderSettings.value(o, "width"))
            };
        }
        throw byHand(key + ": expected a number, height and width, or shortest_edge, found "
                + (size instanceof JsonObject o ? o.keySet() : size));
    }
}
