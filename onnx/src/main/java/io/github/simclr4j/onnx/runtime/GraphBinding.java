// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.Preprocessing.Channels;
import io.github.simclr4j.images.Preprocessing.Interpolation;
import io.github.simclr4j.images.Preprocessing.Resize;
import io.github.simclr4j.images.Preprocessing.Scaling;
import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Layout;
import io.github.simclr4j.onnx.runtime.EncoderSettings.Value;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The inputs and outputs of an encoder's graph, as determined from the graph and completed by settings.
 *
 * @param input name of the image input
 * @param type ONNX's number of the input's type: float32, uint8 or float16
 * @param layout tensor layout of the input
 * @param batch the batch size that the file fixes, or 0 if it is free
 * @param preprocessing the preprocessing of images before the graph
 * @param outputs names of the outputs whose features are concatenated, usually one
 * @param added those outputs that must be added to the graph's outputs
 * @param pooling how tokens become features, or null if nothing specifies it
 * @param settings every setting, with its source
 * @since 0.1.0
 */
public record GraphBinding(
        String input,
        int type,
        Layout layout,
        int batch,
        Preprocessing preprocessing,
        List<String> outputs,
        List<String> added,
        PoolingRules pooling,
        EncoderSettings settings) {

    /** Names of outputs that are embeddings in graphs with several outputs; the best first. */
    private static final List<String> USUAL_OUTPUTS = List.of(
            "embedding",
            "embeddings",
            "image_embeds",
            "image_embedding",
            "pooler_output",
            "features",
            "last_hidden_state");
    /** The settings in a configuration beside the file. If all of them are given, that file is not read. */
    private static final List<String> CONFIGURED =
            List.of("image-size", "resize", "interpolation", "scale", "mean", "std", "channels");
    /** Operators that do not change the layout. */
    private static final Set<String> ELEMENTWISE = Set.of(
            "Cast",
            "Mul",
            "Sub",
            "Div",
            "Add",
            "Identity",
            "Clip",
            "QuantizeLinear",
            "DequantizeLinear",
            "BatchNormalization",
            "Pad");

    /**
     * Determines the binding of a model. Settings that are not given come from the configuration beside the file, then from its metadata,
     * then from the graph.
     *
     * @param model a checked model
     * @param given settings of the caller, which override all others
     * @param folder the folder of the file, or null if there is none
     * @param name the file's name in messages
     * @throws InvalidEncoderException if the model is not an image encoder, or if the settings contradict it
     */
    public static GraphBinding of(ModelProto model, EncoderSettings given, Path folder, String name)
            throws InvalidEncoderException {
        Map<String, String> metadata = EncoderMetadata.of(model);
        String rule = metadata.get(EncoderMetadata.RESIZE);
        if (metadata.containsKey(EncoderMetadata.LIBRARY_VERSION) && rule != null && !rule.equals(Preprocessing.RULE)) {
            throw new InvalidEncoderException(
                    name + " needs the resize rule " + rule + ", but this version has only " + Preprocessing.RULE);
        }
        try {
            EncoderSettings all = stated(model, given, folder).or(EncoderSettings.ofMetadata(metadata));
            return new Resolver(model.getGraph(), given, all, name).resolve();
        } catch (InvalidEncoderException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw new InvalidEncoderException(name + ": " + e.getMessage(), e);
        }
    }

    /**
     * Returns the settings of an encoder from outside its file: those of the caller, completed by the configuration beside the file. That
     * is not read for encoders trained by simclr4j.
     *
     * @param model the model
     * @param given settings of the caller
     * @param folder the folder of the file, or null if there is none
     * @throws IOException if the configuration can't be read
     */
    public static EncoderSettings stated(ModelProto model, EncoderSettings given, Path folder) throws IOException {
        boolean ours = EncoderMetadata.hasOwnRule(EncoderMetadata.of(model));
        return ours || folder == null || given.values().keySet().containsAll(CONFIGURED)
                ? given
                : given.or(configuration(folder));
    }

    private static EncoderSettings configuration(Path folder) throws IOException {
        for (Path f : new Path[] {folder, folder.endsWith("onnx") ? folder.getParent() : null}) {
            EncoderSettings found = f == null ? EncoderSettings.none() : EncoderSettings.beside(f);
            if (!found.values().isEmpty()) {
                return found;
            }
        }
        return EncoderSettings.none();
    }

    private static final class Resolver {
        private final GraphProto graph;
        private final EncoderSettings given;
        private final EncoderSettings all;
        private final String name;
        private final Map<String, Value> resolved = new LinkedHashMap<>();

        Resolver(GraphProto graph, EncoderSettings given, EncoderSettings all, String name) {
            this.graph = graph;
            this.given = given;
            this.all = all;
            this.name = name;
        }

        GraphBinding resolve() throws InvalidEncoderException {
            ValueInfoProto input = input();
            int type = input.getType().getTensorType().getElemType();
            List<Dimension> dims = dimensions(input);
            Layout layout = layout(input, dims);
            long fixed = fixed(dims.get(0));
            if (fixed == 0 || fixed > 4096) {
                throw refuse("a batch of 1 to 4096", input);
            }
            int channelAxis = layout == Layout.NCHW ? 1 : 3;
            Channels channels = channels(input, fixed(dims.get(channelAxis)));
            int rows = layout == Layout.NCHW ? 2 : 1;
            int[] size = size(input, fixed(dims.get(rows)), fixed(dims.get(rows + 1)));
            Resize resize = setting("resize", "center-square", Resize.class);
            int shortSide = 0;
            if (resize == Resize.SHORT_SIDE
                    || resize == Resize.STRETCH && all.values().containsKey("resize-short")) {
                shortSide =
                        Integer.parseInt(text("resize-short", Integer.toString(Math.max(size[0], size[1])), "default"));
            }
            Interpolation filter = setting("interpolation", "bilinear", Interpolation.class);
            Preprocessing preprocessing =
                    new Preprocessing(size[0], size[1], resize, shortSide, filter, channels, scaling(type, channels));
            List<String> outputs = outputs();
            List<String> added = outputs.stream()
                    .filter(o -> graph.getOutputList().stream()
                            .noneMatch(v -> v.getName().equals(o)))
                    .toList();
            PoolingRules pooling = null;
            if (all.values().containsKey("pooling")) {
                pooling = PoolingRules.parse(text("pooling", "", ""));
                if (pooling.areSeparate() && pooling.entries().size() != outputs.size()) {
                    throw new InvalidEncoderException(
                            name + ": " + resolved.get("pooling").source() + " has the pooling "
                                    + resolved.get("pooling").text() + ", expected one entry or one for each of "
                                    + outputs.size() + " outputs, "
                                    + String.join(", ", outputs));
                }
            }
            return new GraphBinding(
                    input.getName(),
                    type,
                    layout,
                    fixed < 0 ? 0 : (int) fixed,
                    preprocessing,
                    outputs,
                    added,
                    pooling,
                    new EncoderSettings(resolved));
        }

        /** Returns the text of a setting, and records it with its source. */
        private String text(String key, String otherwise, String source) {
            Value v = all.values().getOrDefault(key, new Value(otherwise, source));
            resolved.put(key, v);
            return v.text();
        }

        private <E extends Enum<E>> E setting(String key, String otherwise, Class<E> type) {
            return SettingTexts.choice(type, text(key, otherwise, "default"));
        }

        private InvalidEncoderException refuse(String expected, ValueInfoProto found) {
            return new InvalidEncoderException(
                    name + " is not an image encoder: expected " + expected + ", found " + describe(found));
        }

        private ValueInfoProto input() throws InvalidEncoderException {
            Set<String> initialised = new HashSet<>();
            graph.getInitializerList().forEach(t -> initialised.add(t.getName()));
            List<ValueInfoProto> inputs = graph.getInputList().stream()
                    .filter(v -> !initialised.contains(v.getName()))
                    .toList();
            List<ValueInfoProto> images =
                    inputs.stream().filter(Resolver::image).toList();
            String wanted = all.get("input").orElse(null);
            if (wanted != null) {
                images = inputs.stream().filter(v -> v.getName().equals(wanted)).toList();
                if (images.isEmpty()) {
                    throw new InvalidEncoderException(
                            name + " has no input " + wanted + ", it has " + describe(inputs));
                }
            }
            if (images.isEmpty() || !image(images.get(0))) {
                throw new InvalidEncoderException(
                        name + " is not an image encoder: expected an input of four dimensions and type"
                                + " float32, float16 or uint8, found " + describe(images.isEmpty() ? inputs : images));
            }
            if (images.size() > 1) {
                throw new InvalidEncoderException(name + " has several inputs that could be the image, "
                        + describe(images) + ": choose one by the setting input");
            }
            if (inputs.size() > 1) {
                throw new InvalidEncoderException(
                        name + " needs more than an image, " + describe(inputs) + ": export only its image encoder");
            }
            text("input", images.get(0).getName(), "graph");
            return images.get(0);
        }

        private static boolean image(ValueInfoProto v) {
            TypeProto.Tensor t = v.getType().getTensorType();
            boolean type = t.getElemType() == TensorProto.DataType.FLOAT_VALUE
                    || t.getElemType() == TensorProto.DataType.UINT8_VALUE
                    || t.getElemType() == TensorProto.DataType.FLOAT16_VALUE;
            return v.getType().hasTensorType()
                    && type
                    && (!t.hasShape() || t.getShape().getDimCount() == 4);
        }

        private static List<Dimension> dimensions(ValueInfoProto v) {
            TypeProto.Tensor t = v.getType().getTensorType();
            return t.hasShape()
                    ? t.getShape().getDimList()
                    : java.util.Collections.nCopies(4, Dimension.getDefaultInstance());
        }

        private static long fixed(Dimension d) {
            return d.hasDimValue() ? d.getDimValue() : -1;
        }

        private Layout layout(ValueInfoProto input, List<Dimension> dims) throws InvalidEncoderException {
            Layout found = null;
            String source = "graph";
            boolean first = channelCount(fixed(dims.get(1)));
            boolean last = channelCount(fixed(dims.get(3)));
            if (first != last) {
                found = first ? Layout.NCHW : Layout.NHWC;
            } else {
                found = consumer(input.getName());
                if (found == null && channelName(dims.get(1)) != channelName(dims.get(3))) {
                    found = channelName(dims.get(1)) ? Layout.NCHW : Layout.NHWC;
                }
            }
            if (found == null && !all.values().containsKey("layout")) {
                throw new InvalidEncoderException(name + " does not show where the channels of " + describe(input)
                        + " are: give the setting layout, nchw or nhwc");
            }
            Layout layout = SettingTexts.choice(
                    Layout.class, text("layout", String.valueOf(found).toLowerCase(Locale.ROOT), source));
            long count = fixed(dims.get(layout == Layout.NCHW ? 1 : 3));
            if (count >= 0 && !channelCount(count)) {
                throw refuse("1 or 3 channels in layout " + layout.name().toLowerCase(Locale.ROOT), input);
            }
            return layout;
        }

        private static boolean channelCount(long n) {
            return n == 1 || n == 3;
        }

        private static boolean channelName(Dimension d) {
            String p = d.getDimParam().toLowerCase(Locale.ROOT);
            return p.contains("channel") || p.equals("c");
        }

        /** Returns the layout of the first operator that requires one, or null if there is none. */
        private Layout consumer(String value) {
            Set<String> reached = new HashSet<>(Set.of(value));
            for (NodeProto node : graph.getNodeList()) {
                if (node.getInputCount() == 0 || node.getInputList().stream().noneMatch(reached::contains)) {
                    continue;
                }
                if (node.getOpType().equals("Conv") && reached.contains(node.getInput(0))) {
                    return Layout.NCHW;
                }
                if (node.getOpType().equals("Transpose")) {
                    List<Long> perm = node.getAttributeList().stream()
                            .filter(a -> a.getName().equals("perm"))
                            .map(AttributeProto::getIntsList)
                            .findFirst()
                            .orElse(List.of());
                    return perm.equals(List.of(0L, 3L, 1L, 2L))
                            ? Layout.NHWC
                            : perm.equals(List.of(0L, 2L, 3L, 1L)) ? Layout.NCHW : null;
                }
                if (ELEMENTWISE.contains(node.getOpType())) {
                    reached.addAll(node.getOutputList());
                }
            }
            return null;
        }

        private Channels channels(ValueInfoProto input, long count) throws InvalidEncoderException {
            Channels c = SettingTexts.choice(
                    Channels.class, text("channels", count == 1 ? "grey" : "rgb", count == 1 ? "graph" : "default"));
            if (count >= 0 && c.count() != count) {
                throw refuse(c.count() + " channels (" + c.name().toLowerCase(Locale.ROOT) + ")", input);
            }
            return c;
        }

        private int[] size(ValueInfoProto input, long height, long width) throws InvalidEncoderException {
            boolean both = height >= 0 && width >= 0;
            if (!both && !all.values().containsKey("image-size")) {
                throw new InvalidEncoderException(name + " takes images of any size, " + describe(input)
                        + ": give the size that it was trained for by the setting image-size, such as 224");
            }
            String graphs = height == width ? "" + height : height + "x" + width;
            String text = text("image-size", graphs, "graph");
            int[] size = SettingTexts.extent(text);
            if (height >= 0 && size[0] != height || width >= 0 && size[1] != width) {
                throw new InvalidEncoderException(name + " takes " + describe(input) + ", but "
                        + resolved.get("image-size").source() + " has the image-size " + text
                        + ": change or remove it");
            }
            return size;
        }

        private Scaling scaling(int type, Channels channels) throws InvalidEncoderException {
            if (type == TensorProto.DataType.UINT8_VALUE) {
                for (String key : List.of("scale", "mean", "std")) {
                    if (given.values().containsKey(key)) {
                        throw new InvalidEncoderException(name + " takes bytes and scales them itself: remove " + key);
                    }
                }
                return null;
            }
            return new Scaling(
                    SettingTexts.number(text("scale", "1/255", "default")),
                    Preprocessing.each(SettingTexts.numbers(text("mean", "0", "default")), channels),
                    Preprocessing.each(SettingTexts.numbers(text("std", "1", "default")), channels));
        }

        /** Returns the names of the outputs. The setting may name several, separated by commas. */
        private List<String> outputs() throws InvalidEncoderException {
            String wanted = all.get("output").orElse(null);
            if (wanted == null) {
                return List.of(usualOutput());
            }
            text("output", wanted, "");
            Set<String> computed = new HashSet<>();
            graph.getNodeList().forEach(n -> computed.addAll(n.getOutputList()));
            graph.getOutputList().forEach(v -> computed.add(v.getName()));
            // Optional outputs that a node omits have an empty name.
            computed.remove("");
            // A name may contain a comma.
            List<String> names = computed.contains(wanted)
                    ? List.of(wanted)
                    : Stream.of(wanted.split(",", -1)).map(String::strip).toList();
            for (String output : names) {
                if (!computed.remove(output)) {
                    throw new InvalidEncoderException(
                            names.indexOf(output) < names.lastIndexOf(output)
                                    ? name + ": the setting output names " + output + " twice"
                                    : name + " does not compute a value " + output + ", its outputs are "
                                            + describe(graph.getOutputList()));
                }
            }
            return names;
        }

        private String usualOutput() throws InvalidEncoderException {
            List<ValueInfoProto> outputs = graph.getOutputList();
            String found = outputs.size() == 1 ? outputs.get(0).getName() : null;
            for (String usual : USUAL_OUTPUTS) {
                if (found == null && outputs.stream().anyMatch(v -> v.getName().equals(usual))) {
                    found = usual;
                }
            }
            List<String> flat = outputs.stream()
                    .filter(v -> v.getType().getTensorType().getShape().getDimCount() == 2)
                    .map(ValueInfoProto::getName)
                    .toList();
            if (found == null && flat.size() == 1) {
                found = flat.get(0);
            }
            if (found == null) {
                throw new InvalidEncoderException(name + " has several outputs, " + describe(outputs)
                        + ": choose the embedding by the setting output");
            }
            return text("output", found, "graph");
        }

        private static String describe(List<ValueInfoProto> values) {
            List<String> all = new ArrayList<>();
            values.stream().limit(8).forEach(v -> all.add(describe(v)));
            return values.isEmpty() ? "none" : String.join(", ", all) + (values.size() > 8 ? ", ..." : "");
        }

        private static String describe(ValueInfoProto v) {
            TypeProto.Tensor t = v.getType().getTensorType();
            TensorProto.DataType type = TensorProto.DataType.forNumber(t.getElemType());
            String dims = t.getShape().getDimList().stream()
                    .map(d -> d.hasDimValue()
                            ? Long.toString(d.getDimValue())
                            : d.getDimParam().isEmpty() ? "?" : d.getDimParam())
                    .collect(Collectors.joining(", ", "[", "]"));
            String text = v.getName() + " "
                    + (type == null ? "of unknown type" : type.name().toLowerCase(Locale.ROOT))
                    + (t.hasShape() ? " " + dims : "");
            return text.replaceAll("\\p{Cntrl}", "?");
        }
    }
}
