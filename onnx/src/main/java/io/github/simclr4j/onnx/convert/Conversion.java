// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.onnx.file.ModelFile;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.GraphChecker;
import io.github.simclr4j.onnx.internal.GraphIndex;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.GraphBinding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Converts an encoder file to another precision or opset, removes the preprocessing from the graph, or stores settings in its metadata.
 * Works for any convolutional network in ONNX format.
 *
 * @param precision the new precision, or null to keep it
 * @param opset the new version of ONNX's default operator set, 13 to 26, or 0 to keep it
 * @param preprocessing false to remove scaling and layout from the graph, so that the input becomes float32 [batch, 3, size, size],
 *     normalised
 * @param settings settings that the encoder's file does not contain, such as the mean and standard deviation of a float32 input. These,
 *     and those of a configuration file beside the encoder, are stored in the metadata of the new file
 * @param calibration the calibration for {@link Precision#INT8}; null for all other precisions
 * @since 0.1.0
 */
public record Conversion(
        Precision precision,
        int opset,
        boolean preprocessing,
        EncoderSettings settings,
        CalibrationSettings calibration) {

    /** Creates a conversion without further settings, for an encoder whose file contains them all. */
    public Conversion(Precision precision, int opset, boolean preprocessing, CalibrationSettings calibration) {
        this(precision, opset, preprocessing, EncoderSettings.none(), calibration);
    }

    /**
     * Checks the opset and the calibration.
     *
     * @throws IllegalArgumentException if the opset is out of range, or if there is a calibration for any precision but int8 or none
     *     for int8
     */
    public Conversion {
        if (opset != 0) {
            Opset.check(opset);
        }
        if ((precision == Precision.INT8) != (calibration != null)) {
            throw new IllegalArgumentException("int8, and only int8, needs calibration images");
        }
    }

    /**
     * Converts a file. {@link ModelInspector} checks the result before it replaces an existing file.
     *
     * @param encoder the encoder file, in float32 unless the precision is kept
     * @param out the new file; more than 2 GB of weights are written as external data
     * @throws InvalidEncoderException if the encoder is not valid, or if the settings contradict it
     * @throws IOException if a file can't be read or written
     * @throws IllegalArgumentException if the encoder can't be converted, or if a configuration beside the new file would override its
     *     metadata; the message names the reason
     * @throws IllegalStateException if the result is not valid, or if ONNX Runtime fails on the calibration images
     */
    public void apply(Path encoder, Path out) throws IOException {
        ModelProto converted;
        ModelProto model = ModelFile.read(encoder);
        ModelInspector.Report old = ModelInspector.check(model, null, 0);
        if (!old.problems().isEmpty()) {
            throw new InvalidEncoderException(encoder + " is not sound: " + old.summary());
        }
        try {
            converted = convert(model, folder(encoder), encoder.toString());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(encoder + ": " + e.getMessage(), e);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(encoder + ": " + e.getMessage(), e);
        }
        ModelInspector.Report report = ModelInspector.check(converted, null, 0);
        if (!report.problems().isEmpty()) {
            throw new IllegalStateException(out + " is not written, it would not be sound: " + report.summary());
        }
        if (!settings.values().isEmpty()) {
            checkFed(
                    binding(model, settings, folder(encoder), encoder.toString()),
                    binding(converted, EncoderSettings.none(), folder(out), out.toString()),
                    out);
        }
        ModelFile.write(out, converted, ModelFile.LIMIT);
    }

    private static Path folder(Path file) {
        return file.toAbsolutePath().getParent();
    }

    /** Checks that the new file alone has the preprocessing, input and output that the old one had with the settings. */
    private void checkFed(GraphBinding old, GraphBinding now, Path out) {
        Preprocessing a = old.preprocessing();
        Preprocessing b = now.preprocessing();
        // Scaling that was removed from the graph has become a setting.
        b = preprocessing
                ? b
                : new Preprocessing(
                        b.height(), b.width(), b.resize(), b.shortSide(), b.interpolation(), b.channels(), a.scaling());
        if (!a.equals(b) || !old.outputs().equals(now.outputs()) || !Objects.equals(old.pooling(), now.pooling())) {
            throw new IllegalArgumentException(out + " is not written: the " + EncoderSettings.PREPROCESSOR_CONFIG
                    + " beside it would override its metadata; write it to another folder");
        }
    }

    public ModelProto convert(ModelProto original) throws IOException {
        return convert(original, null, "The encoder");
    }

    private ModelProto convert(ModelProto file, Path folder, String name) throws IOException {
        ModelProto original = withSettings(ModelChecksum.without(file), folder, name);
        if (precision == Precision.FLOAT32
                && !ModelInspector.precision(original).equals("float32")) {
            throw new IllegalArgumentException("Expected a float32 encoder for the precision float32, found "
                    + ModelInspector.precision(original)
                    + ", whose lost precision can't be restored: keep the precision,"
                    + " or convert the original file");
        }
        ModelProto model = OpsetConverter.to(original, opset == 0 ? Opset.of(original.getOpsetImportList()) : opset);
        // Calibration needs the preprocessing, so for int8 it is removed last.
        boolean strip = !preprocessing;
        if (strip && precision != Precision.INT8) {
            model = withoutPreprocessing(model);
        }
        Map<String, String> metadata = new TreeMap<>();
        if (precision == Precision.FLOAT16) {
            model = HalfPrecision.convert(model);
        } else if (precision == Precision.INT8) {
            Int8Quantizer quantizer = new Int8Quantizer(model, calibration.reduceRange());
            model = quantizer.quantise(Calibration.ranges(
                    quantizer.model(), calibrated(original, folder, name), quantizer.calibrated(), calibration));
            metadata.put(
                    EncoderMetadata.CALIBRATION,
                    calibration.images().size() + " images, "
                            + calibration.method().name().toLowerCase(Locale.ROOT)
                            + (calibration.reduceRange() ? ", 7-bit weights" : ""));
            if (strip) {
                model = withoutPreprocessing(model);
            }
        }
        metadata.put(
                EncoderMetadata.PRECISION,
                precision == null
                        ? ModelInspector.precision(model)
                        : precision.name().toLowerCase(Locale.ROOT));
        return withMetadata(model, metadata);
    }

    /** Returns the encoder's binding. Any of several outputs will do, unless the settings or the metadata name some. */
    private GraphBinding binding(ModelProto model, EncoderSettings given, Path folder, String name)
            throws InvalidEncoderException {
        EncoderSettings any = EncoderSettings.of(
                Map.of("output", model.getGraph().getOutput(0).getName()), "graph");
        EncoderSettings said = settings.or(EncoderSettings.ofMetadata(EncoderMetadata.of(model)));
        return GraphBinding.of(model, said.get("output").isPresent() ? given : given.or(any), folder, name);
    }

    private GraphBinding calibrated(ModelProto model, Path folder, String name) throws InvalidEncoderException {
        GraphBinding binding = binding(model, settings, folder, name);
        if (Stream.of("mean", "std")
                .map(binding.settings().values()::get)
                .anyMatch(v -> v != null && v.source().equals("default"))) {
            throw new IllegalArgumentException("The encoder takes float images and does not state their normalisation:"
                    + " give the settings mean and std (0 and 1 if it takes values from 0 to 1)");
        }
        return binding;
    }

    /** Stores settings from elsewhere in the metadata, and adds the values that they name as outputs to the graph's outputs. */
    private ModelProto withSettings(ModelProto model, Path folder, String name) throws IOException {
        EncoderSettings stated = GraphBinding.stated(model, settings, folder);
        List<String> added = settings.values().isEmpty()
                ? List.of()
                : binding(model, settings, folder, name).added();
        if (stated.values().isEmpty()) {
            return model;
        }
        Map<String, String> all = EncoderMetadata.of(model);
        EncoderSettings whole = stated.or(EncoderSettings.ofMetadata(all));
        EncoderSettings.NAMES.forEach(n -> all.remove(EncoderMetadata.preprocessing(n)));
        whole.values().forEach((n, v) -> all.put(EncoderMetadata.preprocessing(n), v.text()));
        ModelProto.Builder b = EncoderMetadata.replace(model, all).toBuilder();
        added.forEach(output -> b.getGraphBuilder().addOutput(GraphChecker.declaration(model, output)));
        return b.build();
    }

    private static ModelProto withMetadata(ModelProto model, Map<String, String> more) {
        Map<String, String> all = EncoderMetadata.of(model);
        all.putAll(more);
        return EncoderMetadata.replace(model, all);
    }

    /** Removes the nodes that scale and transpose a uint8 image. */
    static ModelProto withoutPreprocessing(ModelProto model) {
        GraphProto graph = model.getGraph();
        GraphIndex index = new GraphIndex(graph);
        ValueInfoProto in = graph.getInput(0);
        Set<NodeProto> cut = new HashSet<>();
        String value = in.getName();
        boolean channelsFirst = false;
        Float scale = null;
        Float shift = null;
        for (NodeProto n = index.onlyConsumer(value); n != null; n = index.onlyConsumer(value)) {
            TensorProto constant = index.floatConstant(n, 1);
            boolean scalar = constant != null && TensorValues.count(constant.getDimsList()) == 1;
            boolean ours = switch (n.getOpType()) {
                case "Cast", "Transpose" -> true;
                case "Mul" -> scalar && scale == null && shift == null;
                case "Add" -> scalar && scale != null && shift == null;
                default -> false;
            };
            if (!ours) {
                break;
            }
            channelsFirst |= n.getOpType().equals("Transpose");
            if (scalar) {
                float v = TensorValues.floats(constant)[0];
                scale = scale == null ? v : scale;
                shift = n.getOpType().equals("Add") ? Float.valueOf(v) : shift;
            }
            cut.add(n);
            value = n.getOutput(0);
        }
        if (in.getType().getTensorType().getElemType() != DataType.UINT8_VALUE || !channelsFirst || shift == null) {
            throw new IllegalArgumentException(
                    "No preprocessing to remove: expected uint8 input that the graph casts, transposes and scales");
        }
        TensorShapeProto shape = in.getType().getTensorType().getShape();
        ValueInfoProto.Builder planes = in.toBuilder();
        planes.getTypeBuilder()
                .getTensorTypeBuilder()
                .setElemType(DataType.FLOAT_VALUE)
                .setShape(TensorShapeProto.newBuilder()
                        .addDim(shape.getDim(0))
                        .addDim(shape.getDim(3))
                        .addDim(shape.getDim(1))
                        .addDim(shape.getDim(2)));
        GraphProto.Builder b = graph.toBuilder().clearNode().setInput(0, planes);
        for (NodeProto n : graph.getNodeList()) {
            if (!cut.contains(n)) {
                NodeProto.Builder node = n.toBuilder().clearInput();
                for (String i : n.getInputList()) {
                    node.addInput(i.equals(value) ? in.getName() : i);
                }
                b.addNode(node);
            }
        }
        // x * scale + shift is (x / 255 - mean) / deviation.
        double deviation = 1 / (255.0 * scale);
        return withMetadata(
                model.toBuilder().setGraph(GraphIndex.withoutUnused(b.build())).build(),
                EncoderMetadata.normalised(sixDigits(-shift * deviation), sixDigits(deviation)));
    }

    /** Rounds to six digits, to recover a decimal number from constants that were rounded to float32. */
    private static float sixDigits(double v) {
        return (float) (Math.round(v * 1e6) / 1e6);
    }
}
