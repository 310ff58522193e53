// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import java.util.Map;
import java.util.TreeMap;

/**
 * The metadata of encoder files: the keys, and methods to read and write them.
 *
 * @since 0.1.0
 */
public final class EncoderMetadata {
    /** The key of the architecture's name, such as {@code resnet18}. */
    public static final String ARCHITECTURE = "architecture";
    /** The key of the factor of the architecture's number of channels. */
    public static final String WIDTH = "width";
    /** The key of the architecture's stem, its first layers. */
    public static final String STEM = "stem";
    /** The key of the side length of the input in pixels, for a file with {@link #RESIZE}. */
    public static final String IMAGE_SIZE = "image_size";
    /** The key of the resize rule; in files of this library its value is {@link Preprocessing#RULE}. */
    public static final String RESIZE = "resize";
    /** The key of the version of this library that wrote the file. */
    public static final String LIBRARY_VERSION = "library_version";
    /** The key of the number of layers of the projection head in the file. */
    public static final String HEAD_LAYERS = "head.layers";
    /** The key of the SHA-256 of the external data, in hexadecimal. */
    public static final String EXTERNAL_DATA = "external_data.sha256";
    /** The key of the SHA-256 of the file's content without this entry, in hexadecimal; see {@link ModelChecksum}. */
    public static final String CHECKSUM = "content.sha256";
    /** The key of the precision of a converted file. */
    public static final String PRECISION = "precision";
    /** The key of the calibration method of a quantized file. */
    public static final String CALIBRATION = "calibration";

    private EncoderMetadata() {}

    /**
     * Returns the key of a class's name.
     *
     * @param index index of the class, from 0
     */
    public static String label(int index) {
        return "label." + index;
    }

    /**
     * Returns the key of a preprocessing setting.
     *
     * @param setting the name of the setting, such as {@code resize-short}
     */
    public static String preprocessing(String setting) {
        return "preprocessing." + setting.replace('-', '_');
    }

    /** Returns a model's metadata, sorted by key, in a new modifiable map. */
    public static Map<String, String> of(ModelProto model) {
        Map<String, String> all = new TreeMap<>();
        model.getMetadataPropsList().forEach(e -> all.put(e.getKey(), e.getValue()));
        return all;
    }

    /** Returns a model with its metadata replaced. */
    public static ModelProto replace(ModelProto model, Map<String, String> metadata) {
        ModelProto.Builder b = model.toBuilder().clearMetadataProps();
        metadata.forEach((k, v) -> b.addMetadataProps(GraphBuilder.entry(k, v)));
        return b.build();
    }

    /**
     * Returns the metadata of a file whose input is already normalised.
     *
     * @param mean the mean that was subtracted from values in [0, 1]
     * @param deviation the standard deviation that the difference was divided by
     */
    public static Map<String, String> normalised(float mean, float deviation) {
        return Map.of(
                preprocessing("layout"),
                "nchw",
                preprocessing("scale"),
                "1/255",
                preprocessing("mean"),
                "%1$s,%1$s,%1$s".formatted(mean),
                preprocessing("std"),
                "%1$s,%1$s,%1$s".formatted(deviation));
    }

    /** Returns whether a file uses this version's resize rule, so that no configuration beside the file is needed. */
    public static boolean hasOwnRule(Map<String, String> metadata) {
        return Preprocessing.RULE.equals(metadata.get(RESIZE));
    }
}
