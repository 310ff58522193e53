package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.github.simclr4j.onnx.internal.Shapes;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.internal.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Checks an ONNX file as ONNX's own checker does with {@code full_check} (onnx/docs/PythonAPIOverview.md), for the operators
 * of image encoders: versions, names, order and cycles, the size of each initialiser, each node's inputs and attributes, and
 * the type and shape of each value. Nothing is run and no weight is loaded.
 */
public final class ModelInspector {
    private final ModelProto model;
    private final Path folder;
    private final List<String> problems = new ArrayList<>();
    private final Set<String> warnings = new TreeSet<>();
    private final Map<String, Shapes.Value> values = new HashMap<>();
    private final Set<String> defined = new HashSet<>();
    private final Map<String, TensorProto> constants = new HashMap<>();

    /**
     * What a file is.
     *
     * @param problems what is wrong with it; empty for a sound file
     * @param warnings what could not be checked
     * @param irVersion version of the file format
     * @param opset version of ONNX's operators
     * @param producer what wrote it, and the version of that
     * @param inputs names, types and shapes
     * @param outputs names, types and shapes
     * @param operators how many nodes there are of each operator
     * @param values how many values its initialisers hold, by type
     * @param precision what its arithmetic is in: float32, float16, int8 or mixed
     * @param bytes of the file and the data beside it
     * @param metadata what it says of itself
     */
    public record Report(List<String> problems, List<String> warnings, long irVersion, int opset, String producer,
            List<Port> inputs, List<Port> outputs, Map<String, Integer> operators, Map<String, Long> values, String precision,
            long bytes, Map<String, String> metadata) {}

    /**
     * An input or output.
     *
     * @param name its name
     * @param type its type, such as uint8
     * @param shape its dimensions: numbers, or names of those that are not fixed
     */
    public record Port(String name, String type, List<Object> shape) {}

    private ModelInspector(ModelProto model, Path folder) {
        this.model = model;
        this.folder = folder;
    }

    /**
     * Checks a file.
     *
     * @throws InvalidEncoderException if it is no ONNX file at all
     * @throws IOException if it can't be read
     */
    public static Report check(Path file) throws IOException {
        ModelProto model = ModelFile.parse(file);
        Path folder = file.toAbsolutePath().getParent();
        return check(model, folder, Files.size(file));
    }

    /**
     * Checks a model.
     *
     * @param folder where data beside the file is, or null if there must be none
     * @param size of the file itself
     */
    public static Report check(ModelProto model, Path folder, long size) {
        ModelInspector check = new ModelInspector(model, folder);
        check.all();
        long bytes = size;
        try {
            for (Path data : ModelCheck.check(model, "the file", folder).external()) {
                bytes += Files.size(data);
            }
        } catch (IOException e) {
            // What this class does not look at, or sees otherwise: nothing is sound that can't be opened.
            check.problems.add("it can't be opened: " + e.getMessage());
        }
        GraphProto graph = model.getGraph();
        Map<String, Integer> operators = new TreeMap<>();
        graph.getNodeList().forEach(n -> operators.merge(n.getOpType(), 1, Integer::sum));
        Map<String, Long> counts = new TreeMap<>();
        graph.getInitializerList().forEach(t -> counts.merge(type(t.getDataType()), Math.max(0, ModelCheck.count(t)), Long::sum));
        return new Report(List.copyOf(check.problems), List.copyOf(check.warnings), model.getIrVersion(),
                Opset.of(model.getOpsetImportList()), (model.getProducerName() + " " + model.getProducerVersion()).strip(),
                graph.getInputList().stream()
                        .filter(i -> !check.constants.containsKey(i.getName())).map(ModelInspector::port).toList(),
                graph.getOutputList().stream().map(ModelInspector::port).toList(),
               operators, counts, precision(model), bytes, ModelFile.metadata(model));
    }

    /**
     * The type and shape of a value inside a model, as it is declared when it becomes an output.
     *
     * @throws IllegalArgumentException if they can't be told
     */
    public static ValueInfoProto value(ModelProto model, String name) {
        ModelInspector check = new ModelInspector(model, null);
        check.all();
        Shapes.Value v = check.values.get(name);
        if (v == null || v.type() == 0 || v.dims() == null) {
            throw new IllegalArgumentException("The type and shape of " + name
                    + " can't be told, so it can't be an output of the new file: name one of the outputs");
        }
        ValueInfoProto.Builder b = ValueInfoProto.newBuilder().setName(name);
        TypeProto.Tensor.Builder tensor = b.getTypeBuilder().getTensorTypeBuilder().setElemType(v.type());
        for (long d : v.dims()) {
            TensorShapeProto.Dimension.Builder dim = tensor.getShapeBuilder().addDimBuilder();
            if (d != Shapes.UNKNOWN) {
                dim.setDimValue(d);
            }
        }
        return b.build();
    }

    /** The types and shapes of a model's values, as far as they can be told; none if the model is not sound. */
    public static Map<String, Shapes.Value> values(ModelProto model) {
        ModelInspector check = new ModelInspector(model, null);
        check.all();
        return check.problems.isEmpty() ? check.values : Map.of();
    }

    /** What a model computes in, as {@link Report#precision} has it. */
    public static String precision(ModelProto model) {
        GraphProto graph = model.getGraph();
        if (graph.getNodeList().stream().anyMatch(n -> Set.of("DequantizeLinear", "QLinearConv").contains(n.getOpType()))) {
            return "int8";
        }
        Set<Integer> types = new HashSet<>();
        graph.getInitializerList().forEach(t -> types.add(t.getDataType()));
        boolean half = types.contains(TensorProto.DataType.FLOAT16_VALUE);
        return half && types.contains(TensorProto.DataType.FLOAT_VALUE) ? "mixed" : half ? "float16" : "float32";
    }

    private static String type(int number) {
        TensorProto.DataType t = TensorProto.DataType.forNumber(number);
        return t == null ? "type " + number : t == TensorProto.DataType.FLOAT ? "float32" : t.name().toLowerCase(Locale.ROOT);
    }

    private static Port port(ValueInfoProto v) {
        List<Object> shape = new ArrayList<>();
        for (TensorShapeProto.Dimension d : v.getType().getTensorType().getShape().getDimList()) {
            shape.add(d.hasDimValue() ? (Object) d.getDimValue() : d.getDimParam().isEmpty() ? "?" : d.getDimParam());
        }
        return new Port(v.getName(), type(v.getType().getTensorType().getElemType()), shape);
    }

    private void all() {
        versions();
        GraphProto graph = model.getGraph();
        if (graph.getName().isEmpty()) {
            problems.add("the graph has no name");
        }
        graph.getInitializerList().forEach(this::initialiser);
        for (ValueInfoProto in : graph.getInputList()) {
            if (in.getName().isEmpty() || !in.getType().hasTensorType()
                    || TensorProto.DataType.forNumber(in.getType().getTensorType().getElemType()) == null
                    || in.getType().getTensorType().getElemType() == 0) {
                problems.add("input '" + in.getName() + "' has no name or no tensor type");
            }
            // Before IR 4 initialisers had to be inputs, too.
            if (!defined.add(in.getName()) && !constants.containsKey(in.getName())) {
                problems.add("input " + in.getName() + " is defined twice");
            }
            values.putIfAbsent(in.getName(), declared(in));
        }
        if (graph.getSparseInitializerCount() > 0) {
            warnings.add("sparse initialisers are not checked");
        }
        order(graph);
        for (NodeProto n : graph.getNodeList()) {
            node(n);
        }
        if (graph.getOutputCount() == 0) {
            problems.add("the graph has no output");
        }
        graph.getOutputList().forEach(this::output);
        Set<String> keys = new HashSet<>();
        model.getMetadataPropsList().stream().filter(e -> !keys.add(e.getKey()))
                .forEach(e -> problems.add("metadata " + e.getKey() + " stands twice"));
    }

    private void versions() {
        if (model.getIrVersion() < 3) {
            problems.add("IR version " + model.getIrVersion() + ": expected 3 or newer");
        }
        Set<String> domains = new HashSet<>();
        for (OperatorSetIdProto o : model.getOpsetImportList()) {
            if (!domains.add(o.getDomain().equals("ai.onnx") ? "" : o.getDomain())) {
                problems.add("opset of domain '" + o.getDomain() + "' stands twice");
            }
        }
        if (!domains.contains("")) {
            problems.add("no opset of ONNX's operators is imported");
        } else if (Opset.of(model.getOpsetImportList()) > Opset.NEWEST) {
            warnings.add("opset " + Opset.of(model.getOpsetImportList()) + " is newer than what this version knows");
        } else if (model.getIrVersion() < Opset.irVersion(Opset.of(model.getOpsetImportList())) - 2) {
            warnings.add("IR version " + model.getIrVersion() + " is old for the opset");
        }
        model.getGraph().getNodeList().stream().map(NodeProto::getDomain)
                .filter(d -> !d.isEmpty() && !d.equals("ai.onnx") && !domains.contains(d)).distinct()
                .forEach(d -> problems.add("operators of domain " + d + ", whose opset is not imported"));
        if (model.getFunctionsCount() > 0) {
            warnings.add("functions are not checked");
        }
    }

    private void initialiser(TensorProto t) {
        String name = "initialiser " + t.getName();
        if (t.getName().isEmpty()) {
            problems.add("an initialiser has no name");
        }
        if (!defined.add(t.getName())) {
            problems.add(name + " is defined twice");
        }
        constants.put(t.getName(), t);
        try {
            long count = TensorValues.count(t.getDimsList());
            int width = TensorValues.width(t.getDataType());
            values.put(t.getName(), new Shapes.Value(t.getDataType(), TensorValues.dims(t)));
            if (t.hasSegment() || width == 0) {
                warnings.add(name + " of type " + type(t.getDataType()) + " is not checked");
            } else if (ExternalData.isExternal(t)) {
                if (folder == null) {
                    problems.add(name + " refers to a file");
                } else {
                    Tensors.external(t, Math.multiplyExact(count, (long) width), folder, "the file");
                }
            } else {
                size(t, name, count, width);
            }
        } catch (ArithmeticException | IOException e) {
            problems.add(name + ": " + e.getMessage());
        }
    }

    private void size(TensorProto t, String name, long count, int width) {
        int[] fields = {t.getFloatDataCount(), t.getInt32DataCount(), t.getInt64DataCount(), t.getDoubleDataCount(),
            t.getUint64DataCount(), t.getStringDataCount()};
        long used = Arrays.stream(fields).filter(f -> f > 0).count() + (t.hasRawData() && t.getRawData().size() > 0 ? 1 : 0);
        if (used > 1) {
            problems.add(name + " has its values in more than one field");
        } else if (t.getRawData().size() > 0 || count == 0 || used == 0) {
            if (t.getRawData().size() != Math.multiplyExact(count, (long) width)) {
                problems.add(name + " " + t.getDimsList() + " needs " + count * width + " bytes, found "
                        + t.getRawData().size());
            }
        } else {
            long found = Arrays.stream(fields).max().orElse(0);
            if (found != count) {
                problems.add(name + " " + t.getDimsList() + " needs " + count + " values, found " + found);
            }
        }
    }

    /** Tells a cycle from nodes that merely stand in the wrong order. */
    private void order(GraphProto graph) {
        List<NodeProto> nodes = graph.getNodeList();
        Map<String, Integer> made = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (String out : nodes.get(i).getOutputList()) {
                if (!out.isEmpty() && !defined.contains(out)) {
                    made.putIfAbsent(out, i);
                }
            }
        }
        // What nothing makes is reported at the node: here only what waits for another node counts.
        List<List<Integer>> waiting = new ArrayList<>();
        int[] open = new int[nodes.size()];
        nodes.forEach(n -> waiting.add(new ArrayList<>()));
        Deque<Integer> ready = new ArrayDeque<>();
        for (int i = 0; i < open.length; i++) {
            for (String in : nodes.get(i).getInputList()) {
                if (made.containsKey(in)) {
                    waiting.get(made.get(in)).add(i);
                    open[i]++;
                }
            }
            if (open[i] == 0) {
                ready.add(i);
            }
        }
        while (!ready.isEmpty()) {
            for (int next : waiting.get(ready.poll())) {
                if (--open[next] == 0) {
                    ready.add(next);
                }
            }
        }
        for (int i = 0; i < open.length; i++) {
            if (open[i] > 0) {
                problems.add("a cycle runs through " + describe(nodes.get(i)));
                return;
            }
        }
    }

    private static String describe(NodeProto n) {
        return n.getOpType() + " " + (n.getName().isEmpty() ? n.getOutputList().toString() : n.getName());
    }

    private void node(NodeProto n) {
        String name = describe(n);
        if (n.getOpType().isEmpty()) {
            problems.add("a node has no operator");
        }
        for (String in : n.getInputList()) {
            if (!in.isEmpty() && !defined.contains(in)) {
                problems.add(name + " takes " + in + ", which is not defined before it");
            }
        }
        if (n.getAttributeList().stream().anyMatch(a -> a.hasG() || a.getGraphsCount() > 0)) {
            warnings.add("graphs inside " + n.getOpType() + " are not checked");
        }
        if (n.getAttributeList().stream().anyMatch(a -> !a.getRefAttrName().isEmpty())) {
            problems.add(name + " refers to an attribute outside a function");
        }
        List<Shapes.Value> in = new ArrayList<>();
        n.getInputList().forEach(i -> in.add(i.isEmpty() ? null : values.get(i)));
        Shapes.Value out = null;
        if (!Shapes.knows(n)) {
            warnings.add("operator " + n.getOpType() + " is not checked");
        } else {
            try {
                Shapes.checkSchema(n);
                out = Shapes.infer(n, in, constants);
            } catch (IllegalArgumentException | ArithmeticException e) {
                problems.add(name + ": " + e.getMessage());
            }
        }
        for (String o : n.getOutputList()) {
            if (!o.isEmpty() && !defined.add(o)) {
                problems.add(name + " defines " + o + " a second time");
            }
        }
        if (out != null && n.getOutputCount() > 0) {
            values.put(n.getOutput(0), out);
        }
        TensorProto constant = Tensors.constant(n);
        if (constant != null && n.getOutputCount() == 1) {
            constants.put(n.getOutput(0), constant);
        }
    }

    private static Shapes.Value declared(ValueInfoProto v) {
        if (!v.getType().getTensorType().hasShape()) {
            return new Shapes.Value(v.getType().getTensorType().getElemType(), null);
        }
        return new Shapes.Value(v.getType().getTensorType().getElemType(),
                v.getType().getTensorType().getShape().getDimList().stream()
                        .mapToLong(d -> d.hasDimValue() ? d.getDimValue() : Shapes.UNKNOWN).toArray());
    }

    private void output(ValueInfoProto out) {
        if (!defined.contains(out.getName())) {
            problems.add("output " + out.getName() + " is not defined");
            return;
        }
        Shapes.Value said = declared(out);
        Shapes.Value found = values.get(out.getName());
        if (found == null) {
            warnings.add("the shape of output " + out.getName() + " could not be inferred");
            return;
        }
        boolean fits = said.type() == found.type();
        if (said.dims() != null && found.dims() != null) {
            fits &= said.dims().length == found.dims().length;
            for (int i = 0; fits && i < said.dims().length; i++) {
                fits = said.dims()[i] == found.dims()[i] || said.dims()[i] == Shapes.UNKNOWN
                        || found.dims()[i] == Shapes.UNKNOWN;
            }
        }
        if (!fits) {
            problems.add("output " + out.getName() + " is declared as " + said + ", the graph gives " + found);
        }
    }
}
