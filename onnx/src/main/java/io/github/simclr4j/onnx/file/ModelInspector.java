// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.internal.GraphChecker;
import io.github.simclr4j.onnx.internal.OneLine;
import io.github.simclr4j.onnx.internal.TensorTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Reports what an ONNX file contains and whether it is valid. The check corresponds to ONNX's own checker with {@code full_check}, for
 * the operators of image encoders. It covers versions, names, order and cycles, the size of each initialiser, each node's inputs and
 * attributes, and the type and shape of each value. The model is not run, and no weights are loaded.
 *
 * @since 0.1.0
 */
public final class ModelInspector {
    private ModelInspector() {}

    /**
     * The description of a file.
     *
     * @param problems reasons why the file is not valid; empty for a valid file
     * @param warnings aspects that could not be checked
     * @param irVersion version of the file format
     * @param opset version of ONNX's default operator set
     * @param producer name and version of the program that wrote the file
     * @param inputs names, types and shapes of the inputs
     * @param outputs names, types and shapes of the outputs
     * @param operators number of nodes by operator
     * @param values number of values in initialisers by type
     * @param precision precision of the arithmetic: float32, float16, int8 or mixed
     * @param bytes size of the file and its external data
     * @param metadata the file's metadata
     * @param random operators that make its outputs random, see {@link RandomOperators}; empty for an encoder in eval mode
     * @param checksum the result of comparing the content with the checksum
     */
    public record Report(
            List<String> problems,
            List<String> warnings,
            long irVersion,
            int opset,
            String producer,
            List<Port> inputs,
            List<Port> outputs,
            Map<String, Integer> operators,
            Map<String, Long> values,
            String precision,
            long bytes,
            Map<String, String> metadata,
            List<String> random,
            ModelChecksum.State checksum) {
        /** Returns the first problems, as many as fit on a line, and the number of others. */
        public String summary() {
            return OneLine.of(problems);
        }
    }

    /**
     * An input or output of a graph.
     *
     * @param name the name
     * @param type the element type, such as uint8
     * @param shape the dimensions: numbers, or names of dimensions that are not fixed
     */
    public record Port(String name, String type, List<Object> shape) {}

    /**
     * Checks a file.
     *
     * @param file the ONNX file
     * @throws InvalidEncoderException if the file is not an ONNX file
     * @throws IOException if the file can't be read
     */
    public static Report check(Path file) throws IOException {
        ModelProto model = ModelFile.parse(file);
        Path folder = file.toAbsolutePath().getParent();
        return check(model, folder, Files.size(file));
    }

    /**
     * Checks a model.
     *
     * @param model the model
     * @param folder the folder that must contain its external data, or null if it must have none
     * @param size size of the model's file in bytes
     */
    public static Report check(ModelProto model, Path folder, long size) {
        List<String> problems = new ArrayList<>();
        Set<String> warnings = new TreeSet<>();
        versions(model, problems, warnings);
        GraphProto graph = model.getGraph();
        GraphChecker checker = GraphChecker.check(
                model,
                folder == null ? null : (tensor, expected) -> Tensors.external(tensor, expected, folder, "the file"));
        problems.addAll(checker.problems());
        warnings.addAll(checker.warnings());
        Set<String> keys = new HashSet<>();
        model.getMetadataPropsList().stream()
                .filter(e -> !keys.add(e.getKey()))
                .forEach(e -> problems.add("metadata " + e.getKey() + " occurs twice"));
        long bytes = size;
        try {
            for (Path data : ModelValidator.check(model, "the file", folder).external()) {
                bytes += Files.size(data);
            }
        } catch (IOException e) {
            // Problems that this class does not detect: a file that can't be opened is never valid.
            problems.add("it can't be opened: " + e.getMessage());
        }
        Map<String, Integer> operators = new TreeMap<>();
        graph.getNodeList().forEach(n -> operators.merge(n.getOpType(), 1, Integer::sum));
        Map<String, Long> counts = new TreeMap<>();
        graph.getInitializerList()
                .forEach(t ->
                        counts.merge(TensorTypes.name(t.getDataType()), Math.max(0, TensorTypes.count(t)), Long::sum));
        ModelChecksum.State checksum = ModelChecksum.state(model);
        if (checksum == ModelChecksum.State.DIFFERS) {
            problems.add("it is damaged: its content does not have the SHA-256 that was written with it");
        }
        return new Report(
                problems.stream().map(OneLine::of).toList(),
                List.copyOf(warnings),
                model.getIrVersion(),
                Opset.of(model.getOpsetImportList()),
                (model.getProducerName() + " " + model.getProducerVersion()).strip(),
                graph.getInputList().stream()
                        .filter(i -> !checker.isConstant(i.getName()))
                        .map(ModelInspector::port)
                        .toList(),
                graph.getOutputList().stream().map(ModelInspector::port).toList(),
                operators,
                counts,
                precision(model),
                bytes,
                EncoderMetadata.of(model),
                RandomOperators.find(model),
                checksum);
    }

    /**
     * Returns the precision of a model's arithmetic.
     *
     * @return float32, float16, int8 or mixed, as in {@link Report#precision}
     */
    public static String precision(ModelProto model) {
        GraphProto graph = model.getGraph();
        if (graph.getNodeList().stream()
                .anyMatch(n -> Set.of("DequantizeLinear", "QLinearConv").contains(n.getOpType()))) {
            return "int8";
        }
        Set<Integer> types = new HashSet<>();
        graph.getInitializerList().forEach(t -> types.add(t.getDataType()));
        boolean half = types.contains(TensorProto.DataType.FLOAT16_VALUE);
        return half && types.contains(TensorProto.DataType.FLOAT_VALUE) ? "mixed" : half ? "float16" : "float32";
    }

    private static Port port(ValueInfoProto v) {
        List<Object> shape = new ArrayList<>();
        for (TensorShapeProto.Dimension d :
                v.getType().getTensorType().getShape().getDimList()) {
            shape.add(
                    d.hasDimValue() ? (Object) d.getDimValue() : d.getDimParam().isEmpty() ? "?" : d.getDimParam());
        }
        return new Port(
                v.getName(), TensorTypes.name(v.getType().getTensorType().getElemType()), shape);
    }

    private static void versions(ModelProto model, List<String> problems, Set<String> warnings) {
        if (model.getIrVersion() < 3) {
            problems.add("IR version " + model.getIrVersion() + ": expected 3 or newer");
        }
        Set<String> domains = new HashSet<>();
        for (OperatorSetIdProto o : model.getOpsetImportList()) {
            if (!domains.add(o.getDomain().equals("ai.onnx") ? "" : o.getDomain())) {
                problems.add("opset of domain '" + o.getDomain() + "' occurs twice");
            }
        }
        if (!domains.contains("")) {
            problems.add("no opset of ONNX's operators is imported");
        } else if (Opset.of(model.getOpsetImportList()) > Opset.NEWEST) {
            warnings.add("opset " + Opset.of(model.getOpsetImportList())
                    + " is newer than the opsets that this version supports");
        } else if (model.getIrVersion() < Opset.irVersion(Opset.of(model.getOpsetImportList())) - 2) {
            warnings.add("IR version " + model.getIrVersion() + " is old for the opset");
        }
        model.getGraph().getNodeList().stream()
                .map(NodeProto::getDomain)
                .filter(d -> !d.isEmpty() && !d.equals("ai.onnx") && !domains.contains(d))
                .distinct()
                .forEach(d -> problems.add("operators of domain " + d + ", whose opset is not imported"));
    }
}
