package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Checks a graph as ONNX's own checker does with {@code full_check} (onnx/docs/PythonAPIOverview.md), for the operators of
 * image encoders: names, order and cycles, the size of each initialiser, each node's inputs and attributes, and the type and
 * shape of each value.
 */
public final class GraphChecker {
    private final External external;
    private final List<String> problems = new ArrayList<>();
    private final Set<String> warnings = new TreeSet<>();
    private final Map<String, TensorShape> values = new HashMap<>();
    private final Set<String> defined = new HashSet<>();
    private final Map<String, TensorProto> constants = new HashMap<>();

    /** Checks an initialiser whose values are in a file beside the model. */
    @FunctionalInterface
    public interface External {
        /**
         * Checks where the values are.
         *
         * @param tensor the initialiser
         * @param bytes how many it must have
         * @throws IOException if they are not there; the message becomes a problem
         */
        void check(TensorProto tensor, long bytes) throws IOException;
    }

    private GraphChecker(External external) {
        this.external = external;
    }

    /**
     * Checks a graph.
     *
     * @param external checks initialisers outside of the model; null if there must be none
     */
    public static GraphChecker check(GraphProto graph, External external) {
        GraphChecker checker = new GraphChecker(external);
        checker.all(graph);
        return checker;
    }

    /** Returns what is wrong; empty for a sound graph. */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /** Returns what could not be checked, sorted. */
    public Set<String> warnings() {
        return Collections.unmodifiableSet(warnings);
    }

    /** Whether a value is constant: an initialiser, or what a Constant node gives. */
    public boolean isConstant(String value) {
        return constants.containsKey(value);
    }

    /** Returns the types and shapes of a graph's values, as far as they can be inferred; none if the graph is not sound. */
    public static Map<String, TensorShape> shapes(GraphProto graph) {
        GraphChecker checker = check(graph, null);
        return checker.problems.isEmpty() ? checker.values : Map.of();
    }

    /**
     * Returns the type and shape of a value inside a graph, as it is declared when it becomes an output.
     *
     * @throws IllegalArgumentException if they can't be told
     */
    public static ValueInfoProto declaration(GraphProto graph, String name) {
        TensorShape v = check(graph, null).values.get(name);
        if (v == null || v.type() == 0 || v.dims() == null) {
            throw new IllegalArgumentException("The type and shape of " + name
                    + " can't be told, so it can't be an output of the new file: name one of the outputs");
        }
        ValueInfoProto.Builder b = ValueInfoProto.newBuilder().setName(name);
        TypeProto.Tensor.Builder tensor = b.getTypeBuilder().getTensorTypeBuilder().setElemType(v.type());
        for (long d : v.dims()) {
            TensorShapeProto.Dimension.Builder dim = tensor.getShapeBuilder().addDimBuilder();
            if (d != TensorShape.UNKNOWN) {
                dim.setDimValue(d);
            }
        }
        return b.build();
    }

    private void all(GraphProto graph) {
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
            values.put(t.getName(), new TensorShape(t.getDataType(), TensorValues.dims(t)));
            if (t.hasSegment() || width == 0) {
                warnings.add(name + " of type " + TensorTypes.name(t.getDataType()) + " is not checked");
            } else if (TensorTypes.isExternal(t)) {
                if (external == null) {
                    problems.add(name + " refers to a file");
                } else {
                    external.check(t, Math.multiplyExact(count, (long) width));
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
        List<TensorShape> in = new ArrayList<>();
        n.getInputList().forEach(i -> in.add(i.isEmpty() ? null : values.get(i)));
        TensorShape out = null;
        if (!OperatorSchemas.knows(n)) {
            warnings.add("operator " + n.getOpType() + " is not checked");
        } else {
            try {
                OperatorSchemas.check(n);
                out = ShapeInference.infer(n, in, constants);
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
        TensorProto constant = TensorValues.constant(n);
        if (constant != null && n.getOutputCount() == 1) {
            constants.put(n.getOutput(0), constant);
        }
    }

    private static TensorShape declared(ValueInfoProto v) {
        if (!v.getType().getTensorType().hasShape()) {
            return new TensorShape(v.getType().getTensorType().getElemType(), null);
        }
        return new TensorShape(v.getType().getTensorType().getElemType(),
                v.getType().getTensorType().getShape().getDimList().stream()
                        .mapToLong(d -> d.hasDimValue() ? d.getDimValue() : TensorShape.UNKNOWN).toArray());
    }

    private void output(ValueInfoProto out) {
        if (!defined.contains(out.getName())) {
            problems.add("output " + out.getName() + " is not defined");
            return;
        }
        TensorShape said = declared(out);
        TensorShape found = values.get(out.getName());
        if (found == null) {
            warnings.add("the shape of output " + out.getName() + " could not be inferred");
            return;
        }
        boolean fits = said.type() == found.type();
        if (said.dims() != null && found.dims() != null) {
            fits &= said.dims().length == found.dims().length;
            for (int i = 0; fits && i < said.dims().length; i++) {
                fits = said.dims()[i] == found.dims()[i] || said.dims()[i] == TensorShape.UNKNOWN
                        || found.dims()[i] == TensorShape.UNKNOWN;
            }
        }
        if (!fits) {
            problems.add("output " + out.getName() + " is declared as " + said + ", the graph gives " + found);
        }
    }
}
