// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the {@code config.json} of timm and the {@code open_clip_config.json} of OpenCLIP. Defaults are those of timm 1.0
 * ({@code timm.data.resolve_data_config} and {@code transforms_imagenet_eval}) and OpenCLIP 3
 * ({@code open_clip.transform.PreprocessCfg}). The {@code TimmWrapperImageProcessor} of transformers reads the same
 * {@code pretrained_cfg} as timm.
 */
final class TimmConfig {
    private static final String IMAGENET_MEAN = "0.485,0.456,0.406";
    private static final String IMAGENET_STD = "0.229,0.224,0.225";
    private static final String CLIP_MEAN = "0.48145466,0.4578275,0.40821073";
    private static final String CLIP_STD = "0.26862954,0.26130258,0.27577711";
    private static final double CROP = 0.875;

    private TimmConfig() {}

    /** Returns whether a configuration is timm's, in one of its forms. */
    static boolean isTimm(JsonObject json) {
        return EncoderSettings.value(json, "pretrained_cfg") instanceof JsonObject
                || json.has("architecture") && (json.has("input_size") || json.has("crop_pct"));
    }

    /** Returns whether a configuration is OpenCLIP's. */
    static boolean isOpenClip(JsonObject json) {
        return EncoderSettings.value(json, "preprocess_cfg") instanceof JsonObject || vision(json) != null;
    }

    private static JsonObject vision(JsonObject json) {
        return EncoderSettings.value(json, "model_cfg") instanceof JsonObject m
                        && EncoderSettings.value(m, "vision_cfg") instanceof JsonObject v
                ? v
                : null;
    }

    /** Returns the settings of timm's evaluation transform. */
    static EncoderSettings timm(JsonObject json, String source) {
        JsonObject cfg = EncoderSettings.value(json, "pretrained_cfg") instanceof JsonObject nested ? nested : json;
        int[] size = {224, 224};
        Map<String, String> map = new LinkedHashMap<>();
        if (EncoderSettings.value(cfg, "input_size") instanceof JsonArray a) {
            if (a.size() != 3) {
                throw new IllegalArgumentException("input_size: expected channels, rows and columns, found " + a);
            }
            size = new int[] {side(a.get(1)), side(a.get(2))};
            if (a.get(0).getAsInt() == 1) {
                map.put("channels", "grey");
            }
        }
        double share = EncoderSettings.value(cfg, "crop_pct") == null
                ? CROP
                : EncoderSettings.value(cfg, "crop_pct").getAsDouble();
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("crop_pct must be above 0 and at most 1, found " + share);
        }
        int larger = (int) Math.floor(size[0] / share);
        String mode = text(cfg, "crop_mode", "center");
        boolean squash = mode.equals("squash");
        if (!squash && !mode.equals("center") || size[0] != size[1]) {
            throw ImageProcessorConfig.byHand(
                    squash || mode.equals("center")
                            ? "input_size " + size[0] + "x" + size[1] + " is not square"
                            : "crop_mode " + mode);
        }
        map.put("image-size", Integer.toString(size[0]));
        map.put("resize", squash ? "stretch" : "short-side");
        map.put("resize-short", Integer.toString(larger));
        map.put("interpolation", text(cfg, "interpolation", "bicubic"));
        map.put("mean", numbers(cfg, "mean", IMAGENET_MEAN));
        map.put("std", numbers(cfg, "std", IMAGENET_STD));
        return EncoderSettings.of(map, source);
    }

    /** Returns the settings of OpenCLIP's evaluation transform. */
    static EncoderSettings openClip(JsonObject json, String source) {
        JsonObject cfg = EncoderSettings.value(json, "preprocess_cfg") instanceof JsonObject p ? p : new JsonObject();
        JsonElement size = EncoderSettings.value(cfg, "size");
        if (size == null && vision(json) != null) {
            size = EncoderSettings.value(vision(json), "image_size");
        }
        int rows = size == null ? 224 : side(size instanceof JsonArray a ? a.get(0) : size);
        int columns = size instanceof JsonArray a && a.size() > 1 ? side(a.get(1)) : rows;
        String mode = text(cfg, "resize_mode", "shortest");
        boolean squash = mode.equals("squash");
        if (!squash && !mode.equals("shortest") || !squash && rows != columns) {
            throw ImageProcessorConfig.byHand("resize_mode " + mode + " of " + rows + "x" + columns);
        }
        Map<String, String> map = new LinkedHashMap<>();
        map.put("image-size", rows == columns ? Integer.toString(rows) : rows + "x" + columns);
        map.put("resize", squash ? "stretch" : "short-side");
        if (!squash) {
            map.put("resize-short", Integer.toString(rows));
        }
        // "random" applies to training only; evaluation uses the default.
        String filter = text(cfg, "interpolation", "bicubic");
        map.put("interpolation", filter.equals("random") ? "bicubic" : filter);
        map.put("mean", numbers(cfg, "mean", CLIP_MEAN));
        map.put("std", numbers(cfg, "std", CLIP_STD));
        return EncoderSettings.of(map, source);
    }

    private static int side(JsonElement e) {
        int side = e.getAsInt();
        if (side < 1) {
            throw new IllegalArgumentException("expected a side above 0, found " + e);
        }
        return side;
    }

    private static String text(JsonObject cfg, String key, String otherwise) {
        JsonElement e = EncoderSettings.value(cfg, key);
        return e == null || e.getAsString().isEmpty() ? otherwise : e.getAsString();
    }

    private static String numbers(JsonObject cfg, String key, String otherwise) {
        JsonElement e = EncoderSettings.value(cfg, key);
        return e == null ? otherwise : EncoderSettings.list(key, e, ",");
    }
}
