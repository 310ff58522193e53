package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import java.util.Map;
import java.util.TreeMap;

/** The metadata of encoder files: its keys, and how it is read and written. */
public final class EncoderMetadata {
    /** Name of the architecture, such as {@code resnet18}. */
    public static final String ARCHITECTURE = "architecture";
    /** Factor of the architecture's channels. */
    public static final String WIDTH = "width";
    /** First layers of the architecture. */
    public static final String STEM = "stem";
    /** Pixels of the input's sides, for a file that resizes by {@link #RESIZE}. */
    public static final String IMAGE_SIZE = "image_size";
    /** How an image becomes the input; files of this library name {@link Preprocessing#RULE}. */
    public static final String RESIZE = "resize";
    /** Version of this library that wrote the file. */
    public static final String LIBRARY_VERSION = "library_version";
    /** Number of layers of the projection head that is in the file. */
    public static final String HEAD_LAYERS = "head.layers";
    /** SHA-256 of the data beside the file, in hexadecimal. */
    public static final String EXTERNAL_DATA = "external_data.sha256";
    /** SHA-256 of the file's content without this entry, in hexadecimal; see {@link ModelChecksum}. */
    public static final String CHECKSUM = "content.sha256";
    /** What the arithmetic of a converted file is in. */
    public static final String PRECISION = "precision";
    /** How the ranges of a quantised file were found. */
    public static final String CALIBRATION = "calibration";

    private EncoderMetadata() {}

    /** Returns the key of a class's name. */
    public static String label(int index) {
        return "label." + index;
    }

    /** Returns the key of a setting of the preprocessing, such as {@code resize-short}. */
    public static String preprocessing(String setting) {
        return "preprocessing." + setting.replace('-', '_');
    }

    /** Returns a model's metadata, sorted; the caller may change the map. */
    public static Map<String, String> of(ModelProto model) {
        Map<String, String> all = new TreeMap<>();
        model.getMetadataPropsList().forEach(e -> all.put(e.getKey(), e.getValue()));
        return all;
    }

    /** Returns a model with other metadata. */
    public static ModelProto replace(ModelProto model, Map<String, String> metadata) {
        ModelProto.Builder b = model.toBuilder().clearMetadataProps();
        metadata.forEach((k, v) -> b.addMetadataProps(GraphBuilder.entry(k, v)));
        return b.build();
    }

    /** Returns the metadata of a file whose input is already normalised. */
    public static Map<String, String> normalised(float mean, float deviation) {
        return Map.of(
                preprocessing("layout"), "nchw",
                preprocessing("scale"), "1/255",
                preprocessing("mean"), "%1$s,%1$s,%1$s".formatted(mean),
                preprocessing("std"), "%1$s,%1$s,%1$s".formatted(deviation));
    }

    /** Whether a file's images are prepared by the rule that this version has, so that nothing beside the file need say it. */
    public static boolean hasOwnRule(Map<String, String> metadata) {
        return Preprocessing.RULE.equals(metadata.get(RESIZE));
    }
}
