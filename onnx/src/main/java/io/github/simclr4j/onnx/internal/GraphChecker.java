// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Checks a model's graph like ONNX's own checker with {@code full_check}: names and order, the size of each initialiser, each node's
 * inputs, outputs and attributes by the schema of its operator in the imported opset, and the type and shape of each value, if
 * {@link ShapeInference} supports the operator. Subgraphs are checked in the same way, the bodies of functions without types.
 */
public final class GraphChecker {
    private final Scope scope;
    /** The checker of the outer graph, or null for the main graph. */
    private final GraphChecker outer;

    private final Map<String, TensorShape> values = new HashMap<>();
    private final Set<String> inferred = new HashSet<>();
    private final Set<String> defined = new HashSet<>();
    private final Map<String, TensorProto> constants = new HashMap<>();
    private final List<String> results = new ArrayList<>();

    /** State shared by the graphs of a model. */
    private record Scope(
            Map<String, Integer> opsets,
            long ir,
            Set<String> functions,
            External external,
            List<String> problems,
            Set<String> warnings) {
        Scope with(Map<String, Integer> other) {
            return new Scope(other, ir, functions, external, problems, warnings);
        }
    }

    /** Checks the external data of an initialiser. */
    @FunctionalInterface
    public interface External {
        /**
         * Checks that the data exist.
         *
         * @param tensor the initialiser
         * @param bytes the expected number of bytes
         * @throws IOException if the data do not exist; the message becomes a problem
         */
        void check(TensorProto tensor, long bytes) throws IOException;
    }

    private GraphChecker(Scope scope, GraphChecker outer) {
        this.scope = scope;
        this.outer = outer;
    }

    /**
     * Checks a model's graph and functions.
     *
     * @param external checks external data, or null if external data are not allowed
     */
    public static GraphChecker check(ModelProto model, External external) {
        Set<String> functions = new HashSet<>();
        model.getFunctionsList().forEach(f -> functions.add(f.getDomain() + ":" + f.getName()));
        Scope scope = new Scope(
                opsets(model.getOpsetImportList()),
                model.getIrVersion(),
                functions,
                external,
                new ArrayList<>(),
                new TreeSet<>());
        GraphChecker checker = new GraphChecker(scope, null);
        checker.all(model.getGraph());
        for (FunctionProto f : model.getFunctionsList()) {
            new GraphChecker(scope.with(opsets(f.getOpsetImportList())), null).function(f);
        }
        return checker;
    }

    private static Map<String, Integer> opsets(List<OperatorSetIdProto> imports) {
        Map<String, Integer> opsets = new HashMap<>();
        imports.forEach(o -> opsets.put(o.getDomain().equals("ai.onnx") ? "" : o.getDomain(), (int)
                Math.max(0, Math.min(Integer.MAX_VALUE, o.getVersion()))));
        return opsets;
    }

    /** Returns the problems; empty for a valid graph. */
    public List<String> problems() {
        return List.copyOf(scope.problems());
    }

    /** Returns the aspects that could not be checked, sorted. */
    public Set<String> warnings() {
        return Collections.unmodifiableSet(scope.warnings());
    }

    /** Returns whether a value is constant: an initialiser or the output of a Constant node. */
    public boolean isConstant(String value) {
        return constants.containsKey(value);
    }

    /**
     * Returns the types and shapes of a graph's values that can be inferred from its inputs, ignoring other declarations in the file.
     * Returns none if the graph is not valid.
     */
    public static Map<String, TensorShape> shapes(ModelProto model) {
        ModelProto.Builder bare = model.toBuilder();
        bare.getGraphBuilder().clearValueInfo();
        GraphChecker checker = check(bare.build(), null);
        return checker.scope.problems().isEmpty() ? checker.values : Map.of();
    }

    /**
     * Returns the declaration of a value inside a graph, so that it can become an output.
     *
     * @throws IllegalArgumentException if its type and shape can't be inferred
     */
    public static ValueInfoProto declaration(ModelProto model, String name) {
        TensorShape v = check(model, null).values.get(name);
        if (v == null || v.type() == 0 || v.dims() == null) {
            throw new IllegalArgumentException("The type and shape of " + name
                    + " can't be inferred, so it can't be an output of the new file: choose one of the outputs");
        }
        ValueInfoProto.Builder b = ValueInfoProto.newBuilder().setName(name);
        TypeProto.Tensor.Builder tensor =
                b.getTypeBuilder().getTensorTypeBuilder().setElemType(v.type());
        tensor.setShape(TensorShapeProto.getDefaultInstance());
        for (long d : v.dims()) {
            TensorShapeProto.Dimension.Builder dim = tensor.getShapeBuilder().addDimBuilder();
            if (d != TensorShape.UNKNOWN) {
                dim.setDimValue(d);
            }
        }
        return b.build();
    }

    private void problem(String what) {
        scope.problems().add(what);
    }

    private void all(GraphProto graph) {
        if (graph.getName().isEmpty()) {
            problem("the graph has no name");
        }
        graph.getValueInfoList().forEach(v -> declare(v.getName(), TensorShape.declared(v)));
        for (ValueInfoProto in : graph.getInputList()) {
            port(in, "input");
            if (!defined.add(in.getName())) {
                problem("input " + in.getName() + " is defined twice");
            }
            declare(in.getName(), TensorShape.declared(in));
        }
        graph.getOutputList().forEach(o -> declare(o.getName(), TensorShape.declared(o)));
        graph.getInitializerList().forEach(this::initialiser);
        if (graph.getSparseInitializerCount() > 0) {
            scope.warnings().add("sparse initialisers are not checked");
        }
        graph.getSparseInitializerList().forEach(t -> defined.add(t.getValues().getName()));
        graph.getNodeList().forEach(this::node);
        if (graph.getOutputCount() == 0 && outer == null) {
            problem("the graph has no output");
        }
        graph.getOutputList().forEach(this::output);
        graph.getOutputList().forEach(o -> results.add(o.getName()));
    }

    private void function(FunctionProto f) {
        for (String in : f.getInputList()) {
            if (!defined.add(in)) {
                problem("the function " + f.getName() + " has the input " + in + " twice");
            }
        }
        f.getNodeList().forEach(this::node);
    }

    private void declare(String name, TensorShape shape) {
        if (shape != null) {
            values.putIfAbsent(name, shape);
        }
    }

    private void port(ValueInfoProto v, String what) {
        if (v.getName().isEmpty()) {
            problem("an " + what + " has no name");
        }
        if (outer != null) {
            return;
        }
        TypeProto.Tensor t = v.getType().getTensorType();
        if (v.getType().getValueCase() == TypeProto.ValueCase.VALUE_NOT_SET
                || v.getType().hasTensorType()
                        && (t.getElemType() == 0 || TensorTypes.bits(t.getElemType()) < 0 || !t.hasShape())) {
            problem(what + " " + v.getName() + " has no type or shape");
        }
    }

    private boolean isDefined(String name) {
        return defined.contains(name) || outer != null && outer.isDefined(name);
    }

    private TensorShape value(String name) {
        TensorShape own = values.get(name);
        return own != null || outer == null || defined.contains(name) ? own : outer.value(name);
    }

    private TensorProto constant(String name) {
        return outer == null || defined.contains(name) ? constants.get(name) : outer.constant(name);
    }

    private void initialiser(TensorProto t) {
        String name = "initialiser " + t.getName();
        if (t.getName().isEmpty()) {
            problem("an initialiser has no name");
        }
        if (constants.put(t.getName(), t) != null) {
            problem(name + " is defined twice");
        }
        // Before IR version 4 initialisers also had to be inputs.
        if (defined.add(t.getName()) && scope.ir() <= 3) {
            problem(name + " is not an input, which is required up to IR version 3");
        }
        try {
            long count = TensorValues.count(t.getDimsList());
            int bits = TensorTypes.bits(t.getDataType());
            merge(name, t.getName(), new TensorShape(t.getDataType(), TensorValues.dims(t)));
            if (t.hasSegment() || bits <= 0) {
                scope.warnings().add(name + " of type " + TensorTypes.name(t.getDataType()) + " is not checked");
            } else if (!TensorTypes.isExternal(t)) {
                long bytes = (Math.multiplyExact(count, (long) bits) + 7) / 8;
                if (!TensorTypes.isComplete(t, count, bytes)) {
                    problem(name + " " + t.getDimsList() + " needs " + bytes + " bytes or " + count
                            + " values in the field for its type, found other data");
                }
            } else if (scope.external() == null) {
                problem(name + " refers to a file");
            } else {
                scope.external().check(t, (Math.multiplyExact(count, (long) bits) + 7) / 8);
            }
        } catch (ArithmeticException | IOException e) {
            problem(name + ": " + e.getMessage());
        }
    }

    private static String describe(NodeProto n) {
        return n.getOpType() + " " + (n.getName().isEmpty() ? n.getOutputList().toString() : n.getName());
    }

    private void node(NodeProto n) {
        String name = describe(n);
        for (String in : n.getInputList()) {
            if (!in.isEmpty() && !isDefined(in)) {
                problem(name + " uses " + in + ", which is not defined before it");
            }
        }
        List<GraphChecker> bodies = new ArrayList<>();
        for (AttributeProto a : n.getAttributeList()) {
            List<GraphProto> graphs = new ArrayList<>(a.getGraphsList());
            if (a.hasG()) {
                graphs.add(a.getG());
            }
            for (GraphProto g : graphs) {
                GraphChecker body = new GraphChecker(scope, this);
                body.all(g);
                bodies.add(body);
            }
        }
        TensorShape[] out = null;
        try {
            out = checked(n);
            if (n.getOpType().equals("If") && out != null) {
                branches(bodies, out);
            }
        } catch (IllegalArgumentException | ArithmeticException e) {
            problem(name + ": " + e.getMessage());
        }
        for (int i = 0; i < n.getOutputCount(); i++) {
            String o = n.getOutput(i);
            if (!o.isEmpty() && isDefined(o)) {
                problem(name + " defines " + o + " a second time");
            }
            if (!o.isEmpty()) {
                defined.add(o);
                if (out != null && out[i] != null) {
                    merge(name, o, out[i]);
                    inferred.add(o);
                }
            }
        }
        TensorProto constant = TensorValues.constant(n);
        if (constant != null && n.getOutputCount() == 1) {
            constants.put(n.getOutput(0), constant);
        }
    }

    /** Infers the outputs of an If from its branches, as far as they agree. */
    private void branches(List<GraphChecker> bodies, TensorShape[] out) {
        for (GraphChecker body : bodies) {
            OperatorSchema.require(
                    body.results.size() == out.length,
                    "expected " + out.length + " outputs of a branch, found " + body.results.size());
        }
        for (int i = 0; i < out.length && bodies.size() == 2; i++) {
            TensorShape a = bodies.get(0).value(bodies.get(0).results.get(i));
            TensorShape b = bodies.get(1).value(bodies.get(1).results.get(i));
            if (a == null || b == null) {
                continue;
            }
            OperatorSchema.require(
                    a.type() == 0 || b.type() == 0 || a.type() == b.type(), "the branches return " + a + " and " + b);
            long[] d = a.common(b);
            out[i] = new TensorShape(a.type(), d);
        }
    }

    /** Checks a node by its operator's schema, and returns the inferred types and shapes of its outputs, or null if none are known. */
    private TensorShape[] checked(NodeProto n) {
        String domain = n.getDomain().equals("ai.onnx") ? "" : n.getDomain();
        if (scope.functions().contains(n.getDomain() + ":" + n.getOpType())) {
            return null;
        }
        Integer opset = scope.opsets().get(domain);
        if (!OperatorSchemas.knows(domain) || opset == null) {
            scope.warnings().add("operator " + n.getOpType() + " is not checked");
            return null;
        }
        OperatorSchema schema = OperatorSchemas.find(domain, n.getOpType(), opset);
        OperatorSchema.require(schema != null, "there is no such operator in opset " + opset);
        OperatorSchema.require(!schema.deprecated(), "the operator has been removed in opset " + schema.since());
        schema.check(n);
        List<TensorShape> in = new ArrayList<>();
        n.getInputList().forEach(i -> in.add(i.isEmpty() ? null : value(i)));
        if (n.getAttributeList().stream().anyMatch(a -> !a.getRefAttrName().isEmpty())) {
            // Attributes of a function's caller are unknown here.
            return null;
        }
        Map<String, TensorProto> known = new HashMap<>();
        n.getInputList().stream().filter(i -> constant(i) != null).forEach(i -> known.put(i, constant(i)));
        TensorShape[] out = domain.isEmpty()
                ? ShapeInference.infer(new OperatorCall(n, schema.since(), in, known))
                : new TensorShape[n.getOutputCount()];
        schema.types(in, out);
        return out;
    }

    /** Records the inferred type and shape of a value, and compares them with its declaration. */
    private void merge(String where, String name, TensorShape found) {
        TensorShape said = values.get(name);
        if (said == null) {
            values.put(name, found);
            return;
        }
        TensorShape both = said.with(found);
        if (both == null) {
            problem(where + ": " + name + " is declared as " + said + ", but the graph computes " + found);
        } else {
            values.put(name, both);
        }
    }

    private void output(ValueInfoProto out) {
        port(out, "output");
        if (!defined.contains(out.getName())) {
            problem("output " + out.getName() + " is not defined");
        } else if (outer == null && !inferred.contains(out.getName()) && !constants.containsKey(out.getName())) {
            scope.warnings().add("the shape of output " + out.getName() + " could not be inferred");
        }
    }
}
