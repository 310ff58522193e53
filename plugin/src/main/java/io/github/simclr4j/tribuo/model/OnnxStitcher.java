// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.model;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorAnnotation;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.gson.Gson;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.tribuo.extraction.PixelFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import io.github.simclr4j.util.LibraryVersion;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.tribuo.Model;
import org.tribuo.ONNXExportable;
import org.tribuo.provenance.ModelProvenance;

/**
 * Joins an encoder and a Tribuo model of its features into one ONNX graph.
 *
 * <ul>
 *   <li>The model may be any {@link ONNXExportable} that takes dense features. It may be inside a {@link SelfTrainedModel}, or inside
 *       a {@link org.tribuo.transform.TransformedModel}, whose affine transformations (standardisation, linear scaling, arithmetic)
 *       become part of the graph and are computed in float64.
 *   <li>The encoder may be any ONNX model of opset 11 or later with one image input and one float output [batch, dimension]. Opsets
 *       11 and 12 are raised to 13, Tribuo's opset; later ones are kept.
 *   <li>LibLinear's logistic regressions output the probabilities that they predict. Tribuo's own export of them does not.
 * </ul>
 *
 * <p>The metadata of the result are the encoder's, Tribuo's {@link ONNXExportable#PROVENANCE_METADATA_FIELD}, and
 * {@value #CLASS_NAMES}, a JSON array with the name of each score.
 *
 * @since 0.1.0
 */
public final class OnnxStitcher {
    /**
     * The name of the output: float [batch, outputs], the scores of {@link org.tribuo.Prediction#getOutputScores}. For LibSVM models
     * they agree only approximately, see docs/tribuo-models.md.
     */
    public static final String OUTPUT = "output";
    /** The name of the input with {@link Input#PIXELS}. */
    public static final String PIXELS = "pixels";
    /** The metadata key of a JSON array with the names of classes, labels or regression dimensions, in the order of the scores. */
    public static final String CLASS_NAMES = "class_names";

    private static final int OPSET = 13;
    private static final int OLDEST_OPSET = 11;
    private static final int IR = 7;
    private static final String ML = "ai.onnx.ml";

    /** The kind of input of the joined graph. */
    public enum Input {
        /** The encoder's own input: uint8 [batch, size, size, 3] for an encoder trained by simclr4j. */
        IMAGE,
        /**
         * Float [batch, size * size * 3] in [0, 1], named {@value OnnxStitcher#PIXELS}: the features of
         * {@link PixelFeatureExtractor} in their order. Tribuo's {@code ONNXExternalModel} feeds such an input with its
         * {@code DenseTransformer}. Requires an encoder with the input uint8 [batch, size, size, 3].
         */
        PIXELS
    }

    private OnnxStitcher() {}

    /**
     * Joins an encoder and a model. The encoder's input keeps its name, or is renamed to {@code image} if it was called
     * {@value #OUTPUT}.
     *
     * @param encoder the encoder
     * @param model the model of its features. Features with the names of {@link SimCLRFeatureExtractor} are found by their number.
     *     Features with other names must be as many as the encoder's, and are matched in Tribuo's order
     * @param domain a reverse-DNS name of the result
     * @param modelVersion a version number of the result
     * @param input the kind of input of the joined graph
     * @return the joined graph
     * @throws IllegalArgumentException if the encoder does not have exactly one image input and one feature output, if its opset is
     *     below 11, if its weights are in other files, if Tribuo can't export the model to ONNX, or if the two do not fit
     */
    public static ModelProto stitch(ModelProto encoder, Model<?> model, String domain, long modelVersion, Input input) {
        return stitch(encoder, model, model.getProvenance(), domain, modelVersion, input);
    }

    static ModelProto stitch(
            ModelProto encoder,
            Model<?> model,
            ModelProvenance provenance,
            String domain,
            long modelVersion,
            Input input) {
        ModelProto raised = raise(encoder);
        GraphProto body = raised.getGraph();
        ValueInfoProto image = image(body);
        ValueInfoProto features = features(body);
        TensorShapeProto featureShape = features.getType().getTensorType().getShape();
        HeadGraph head = HeadGraph.of(model, dimension(featureShape, 1));
        int opset = opset(raised);

        // Names of the encoder and of the head get different prefixes, so that they can't collide.
        GraphProto.Builder graph = GraphProto.newBuilder().setName("simclr4j-model");
        String imageName =
                input == Input.PIXELS ? "front/image" : image.getName().equals(OUTPUT) ? "image" : image.getName();
        List<NodeProto> front = new ArrayList<>();
        if (input == Input.PIXELS) {
            graph.addInput(value(PIXELS, TensorProto.DataType.FLOAT_VALUE, pixels(front, graph, image)));
        } else {
            graph.addInput(image.toBuilder().setName(imageName));
        }
        String last = "encoder/" + features.getName();
        GraphProto prefixed = rename(body, n -> n.equals(image.getName()) ? imageName : "encoder/" + n);
        Set<String> weights = new HashSet<>();
        prefixed.getInitializerList().forEach(t -> weights.add(t.getName()));
        prefixed.getInputList().stream()
                .filter(v -> weights.contains(v.getName()))
                .forEach(graph::addInput);
        graph.addAllNode(front)
                .addAllNode(prefixed.getNodeList())
                .addAllInitializer(prefixed.getInitializerList())
                .addAllSparseInitializer(prefixed.getSparseInitializerList())
                .addAllValueInfo(prefixed.getValueInfoList())
                .addAllQuantizationAnnotation(prefixed.getQuantizationAnnotationList());
        if (featureShape.getDimCount() > 2) {
            graph.addNode(node("Flatten", "front/flat", last));
            last = "front/flat";
        }
        if (features.getType().getTensorType().getElemType() != TensorProto.DataType.FLOAT_VALUE) {
            graph.addNode(cast(last, "front/float", TensorProto.DataType.FLOAT));
            last = "front/float";
        }
        String join = last;
        GraphProto classifier = rename(
                reduceAxes(head.graph(), opset),
                n -> n.equals(HeadGraph.INPUT) ? join : n.equals(OUTPUT) ? OUTPUT : "classifier/" + n);
        graph.addAllNode(classifier.getNodeList())
                .addAllInitializer(classifier.getInitializerList())
                .addAllOutput(classifier.getOutputList());

        ModelProto.Builder result = raised.toBuilder()
                .setGraph(graph)
                .setIrVersion(Math.max(IR, raised.getIrVersion()))
                .setProducerName("simclr4j")
                .setProducerVersion(LibraryVersion.current())
                .setDomain(domain)
                .setModelVersion(modelVersion)
                .setDocString("An image encoder and a Tribuo " + head.kind() + " of its features");
        boolean ml =
                classifier.getNodeList().stream().anyMatch(n -> n.getDomain().equals(ML));
        if (ml
                && raised.getOpsetImportList().stream()
                        .noneMatch(o -> o.getDomain().equals(ML))) {
            result.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(ML).setVersion(1));
        }
        Map<String, String> metadata = new TreeMap<>();
        raised.getMetadataPropsList().forEach(e -> metadata.put(e.getKey(), e.getValue()));
        metadata.put(CLASS_NAMES, new Gson().toJson(head.outputs()));
        metadata.put(
                ONNXExportable.PROVENANCE_METADATA_FIELD, ONNXExportable.SERIALIZER.marshalAndSerialize(provenance));
        result.clearMetadataProps();
        metadata.forEach((k, v) -> result.addMetadataProps(
                StringStringEntryProto.newBuilder().setKey(k).setValue(v)));
        return ModelChecksum.sign(result.build());
    }

    private static ValueInfoProto image(GraphProto graph) {
        Set<String> weights = new HashSet<>();
        graph.getInitializerList().forEach(t -> weights.add(t.getName()));
        List<ValueInfoProto> inputs = graph.getInputList().stream()
                .filter(v -> !weights.contains(v.getName()))
                .toList();
        if (inputs.size() != 1
                || inputs.get(0).getType().getTensorType().getShape().getDimCount() != 4) {
            throw new IllegalArgumentException(
                    "Expected an encoder with one input of four dimensions, found " + describe(inputs));
        }
        return inputs.get(0);
    }

    private static ValueInfoProto features(GraphProto graph) {
        List<ValueInfoProto> outputs = graph.getOutputList();
        Set<Integer> floats = Set.of(
                TensorProto.DataType.FLOAT_VALUE,
                TensorProto.DataType.FLOAT16_VALUE,
                TensorProto.DataType.DOUBLE_VALUE);
        if (outputs.size() == 1) {
            TypeProto.Tensor type = outputs.get(0).getType().getTensorType();
            List<TensorShapeProto.Dimension> dims = type.getShape().getDimList();
            boolean vector = dims.size() >= 2
                    && dims.get(1).getDimValue() > 0
                    && dims.subList(2, dims.size()).stream().allMatch(d -> d.getDimValue() == 1);
            if (vector && floats.contains(type.getElemType())) {
                return outputs.get(0);
            }
        }
        throw new IllegalArgumentException(
                "Expected an encoder with one float output [batch, dimension], found " + describe(outputs));
    }

    private static String describe(List<ValueInfoProto> values) {
        List<String> all = new ArrayList<>();
        for (ValueInfoProto v : values) {
            TypeProto.Tensor type = v.getType().getTensorType();
            all.add(v.getName() + " " + TensorProto.DataType.forNumber(type.getElemType())
                    + type.getShape().getDimList().stream()
                            .map(d -> d.hasDimParam() ? d.getDimParam() : Long.toString(d.getDimValue()))
                            .toList());
        }
        return all.toString();
    }

    private static int dimension(TensorShapeProto shape, int i) {
        return Math.toIntExact(shape.getDim(i).getDimValue());
    }

    /** Adds nodes that turn float features in [0, 1] into uint8 [batch, size, size, 3]; returns the number of features. */
    private static int pixels(List<NodeProto> nodes, GraphProto.Builder graph, ValueInfoProto image) {
        TypeProto.Tensor type = image.getType().getTensorType();
        TensorShapeProto shape = type.getShape();
        int height = dimension(shape, 1);
        int width = dimension(shape, 2);
        if (type.getElemType() != TensorProto.DataType.UINT8_VALUE
                || height < 1
                || width < 1
                || dimension(shape, 3) != 3) {
            throw new IllegalArgumentException(
                    "Expected an encoder of uint8 images [batch, size, size, 3] for the input PIXELS, " + "found "
                            + describe(List.of(image)));
        }
        graph.addInitializer(TensorProto.newBuilder()
                .setName("front/255")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData(255));
        graph.addInitializer(TensorProto.newBuilder()
                .setName("front/0")
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .addFloatData(0));
        graph.addInitializer(longs("front/shape", List.of(-1L, (long) height, (long) width, 3L)));
        nodes.add(node("Mul", "front/scaled", PIXELS, "front/255"));
        nodes.add(node("Round", "front/rounded", "front/scaled"));
        nodes.add(node("Clip", "front/clipped", "front/rounded", "front/0", "front/255"));
        nodes.add(node("Reshape", "front/shaped", "front/clipped", "front/shape"));
        nodes.add(cast("front/shaped", "front/image", TensorProto.DataType.UINT8));
        return height * width * 3;
    }

    private static ValueInfoProto value(String name, int type, int width) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder()
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(width));
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
                .build();
    }

    private static NodeProto node(String op, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setName(output)
                .setOpType(op)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }

    private static NodeProto cast(String from, String to, TensorProto.DataType type) {
        return node("Cast", to, from).toBuilder()
                .addAttribute(AttributeProto.newBuilder()
                        .setName("to")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(type.getNumber()))
                .build();
    }

    private static TensorProto longs(String name, List<Long> values) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(values.size())
                .addAllInt64Data(values)
                .build();
    }

    private static int opset(ModelProto model) {
        return model.getOpsetImportList().stream()
                .filter(o -> isDefault(o.getDomain()))
                .mapToInt(o -> Math.toIntExact(o.getVersion()))
                .max()
                .orElse(0);
    }

    private static boolean isDefault(String domain) {
        return domain.isEmpty() || domain.equals("ai.onnx");
    }

    /** Raises an encoder of opset 11 or 12 to opset 13, and returns a later one unchanged. */
    private static ModelProto raise(ModelProto encoder) {
        int opset = opset(encoder);
        if (opset < OLDEST_OPSET) {
            throw new IllegalArgumentException("Expected an encoder of ONNX opset " + OLDEST_OPSET + " or later, found "
                    + opset + ": export it again at a later opset");
        }
        if (encoder.getGraph().getInitializerList().stream().anyMatch(t -> t.getExternalDataCount() > 0)) {
            throw new IllegalArgumentException(
                    "The encoder keeps its weights in other files (external data): save it as one file first");
        }
        if (opset >= OPSET) {
            return encoder;
        }
        ModelProto.Builder raised = encoder.toBuilder().clearOpsetImport();
        for (OperatorSetIdProto o : encoder.getOpsetImportList()) {
            raised.addOpsetImport(
                    isDefault(o.getDomain()) ? o.toBuilder().setVersion(OPSET).build() : o);
        }
        return raised.setGraph(rewrite(encoder.getGraph(), OnnxStitcher::to13)).build();
    }

    /** Applies the changes of opset 13: attributes that became inputs, and the meaning of axis in Softmax. */
    private static NodeProto to13(NodeProto node, List<TensorProto> initializers) {
        return switch (node.getOpType()) {
            case "Squeeze", "Unsqueeze", "ReduceSum" -> attributeToInput(node, "axes", initializers);
            case "Split" -> attributeToInput(node, "split", initializers);
            case "Dropout" -> node.toBuilder().clearAttribute().build(); // Its ratio matters in training only.
            case "Softmax", "LogSoftmax", "Hardmax" -> {
                if (node.getAttributeList().stream().noneMatch(a -> a.getName().equals("axis") && a.getI() == -1)) {
                    throw new IllegalArgumentException("The encoder's " + node.getOpType() + " " + node.getName()
                            + " has another meaning in ONNX opset " + OPSET
                            + ": export the encoder again at that opset");
                }
                yield node;
            }
            default -> node;
        };
    }

    /** Adapts ReduceMean and ReduceMin, which Tribuo writes, to opset 18, where their axes became an input. */
    private static GraphProto reduceAxes(GraphProto head, int opset) {
        return opset < 18
                ? head
                : rewrite(head, (node, initializers) -> switch (node.getOpType()) {
                    case "ReduceMean", "ReduceMin" -> attributeToInput(node, "axes", initializers);
                    default -> node;
                });
    }

    private interface Rewrite {
        /** Returns the replacement of a node, and adds the initialisers that it needs. */
        NodeProto apply(NodeProto node, List<TensorProto> initializers);
    }

    private static GraphProto rewrite(GraphProto graph, Rewrite rule) {
        List<TensorProto> added = new ArrayList<>();
        GraphProto.Builder result = graph.toBuilder().clearNode();
        for (NodeProto node : graph.getNodeList()) {
            NodeProto own = isDefault(node.getDomain()) ? rule.apply(node, added) : node;
            result.addNode(inSubgraphs(own, g -> rewrite(g, rule)));
        }
        return result.addAllInitializer(added).build();
    }

    private static NodeProto attributeToInput(NodeProto node, String name, List<TensorProto> initializers) {
        List<AttributeProto> kept = node.getAttributeList().stream()
                .filter(a -> !a.getName().equals(name))
                .toList();
        NodeProto.Builder result = node.toBuilder().clearAttribute().addAllAttribute(kept);
        for (AttributeProto a : node.getAttributeList()) {
            if (a.getName().equals(name)) {
                String input = node.getOutput(0) + "/" + name;
                initializers.add(longs(input, a.getIntsList()));
                result.addInput(input);
            }
        }
        return result.build();
    }

    private static NodeProto inSubgraphs(NodeProto node, UnaryOperator<GraphProto> change) {
        NodeProto.Builder result = node.toBuilder();
        for (AttributeProto.Builder a : result.getAttributeBuilderList()) {
            if (a.hasG()) {
                a.setG(change.apply(a.getG()));
            }
            for (int i = 0; i < a.getGraphsCount(); i++) {
                a.setGraphs(i, change.apply(a.getGraphs(i)));
            }
        }
        return result.build();
    }

    /** Renames every value and node. An empty name, which means "none", stays empty. */
    private static GraphProto rename(GraphProto graph, UnaryOperator<String> rule) {
        UnaryOperator<String> name = n -> n.isEmpty() ? n : rule.apply(n);
        GraphProto.Builder result = graph.toBuilder().clearNode();
        for (NodeProto node : graph.getNodeList()) {
            NodeProto.Builder renamed =
                    node.toBuilder().clearInput().clearOutput().setName(name.apply(node.getName()));
            node.getInputList().forEach(i -> renamed.addInput(name.apply(i)));
            node.getOutputList().forEach(o -> renamed.addOutput(name.apply(o)));
            result.addNode(inSubgraphs(renamed.build(), g -> rename(g, rule)));
        }
        result.getInputBuilderList().forEach(v -> v.setName(name.apply(v.getName())));
        result.getOutputBuilderList().forEach(v -> v.setName(name.apply(v.getName())));
        result.getValueInfoBuilderList().forEach(v -> v.setName(name.apply(v.getName())));
        result.getInitializerBuilderList().forEach(t -> t.setName(name.apply(t.getName())));
        result.getSparseInitializerBuilderList()
                .forEach(t ->
                        t.getValuesBuilder().setName(name.apply(t.getValues().getName())));
        for (TensorAnnotation.Builder a : result.getQuantizationAnnotationBuilderList()) {
            a.setTensorName(name.apply(a.getTensorName()));
            a.getQuantParameterTensorNamesBuilderList().forEach(e -> e.setValue(name.apply(e.getValue())));
        }
        return result.build();
    }

    /**
     * Returns the names of the scores from the metadata of a joined model.
     *
     * @param model a model made by {@link #stitch}
     * @return the names of classes, labels or regression dimensions, in the order of the scores
     * @throws IllegalArgumentException if the metadata do not contain them
     */
    public static List<String> classNames(ModelProto model) {
        return model.getMetadataPropsList().stream()
                .filter(e -> e.getKey().equals(CLASS_NAMES))
                .findFirst()
                .map(e -> List.of(new Gson().fromJson(e.getValue(), String[].class)))
                .orElseThrow(
                        () -> new IllegalArgumentException("Expected " + CLASS_NAMES + " in the metadata, found none"));
    }
}
