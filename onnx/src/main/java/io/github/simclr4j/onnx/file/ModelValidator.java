// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.github.simclr4j.onnx.internal.TensorValues;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks that a model is safe to pass to native code. It checks the requirements of the ONNX specification for names, order and tensors,
 * and everything that would make ONNX Runtime read another file, allocate unlimited memory or divide by zero. ONNX Runtime may still
 * reject a model that passes, with an exception.
 */
final class ModelValidator {
    /** The newest IR version that ONNX Runtime 1.28 reads. It rejects newer ones itself, but with a longer message. */
    static final int MAX_IR = 13;
    /** Operator domains that ONNX Runtime's own builds support. */
    private static final Set<String> DOMAINS = Set.of("", "ai.onnx", "ai.onnx.ml", "com.microsoft");
    /** Variadic operators: ONNX Runtime crashes if one of their inputs is empty. */
    private static final Set<String> VARIADIC = Set.of("Max", "Min", "Sum", "Mean", "Concat");
    /** Maximum nesting of subgraphs. Protobuf itself stops at 100 nested messages, and a subgraph is three. */
    private static final int MAX_NESTING = 8;

    private final String name;
    private final ModelErrors errors;
    private final TensorValidator tensors;
    private final SizeLimits limits;
    private final LoopLimits loops;
    private final FunctionInliner inliner;
    private Map<String, FunctionProto> functions = Map.of();
    private Set<String> domains = DOMAINS;
    private final Set<FunctionProto> called = Collections.newSetFromMap(new IdentityHashMap<>());

    private ModelValidator(String name, Path folder) {
        this.name = name;
        errors = new ModelErrors(name);
        tensors = new TensorValidator(errors, name, folder);
        limits = new SizeLimits(errors, name, folder);
        loops = new LoopLimits(errors, name, folder);
        inliner = new FunctionInliner(errors);
    }

    /**
     * Parses and checks a model.
     *
     * @param bytes the bytes of the file
     * @param name the model's name in messages
     * @param folder the folder that must contain its external data, or null if it must have none
     * @throws InvalidEncoderException if the model is damaged or unsafe
     */
    static ModelFile.Checked check(byte[] bytes, String name, Path folder) throws InvalidEncoderException {
        ModelProto model;
        try {
            // Tensors alias the array instead of copying it.
            CodedInputStream in = CodedInputStream.newInstance(bytes);
            in.enableAliasing(true);
            model = ModelProto.parseFrom(in);
            in.checkLastTagWas(0);
        } catch (IOException e) {
            throw new InvalidEncoderException(name + " is not an ONNX file, or a damaged one: " + e.getMessage(), e);
        }
        if (model.getIrVersion() == 0 || model.getGraph().getNodeCount() == 0) {
            throw new InvalidEncoderException(name + " is not an ONNX file: it contains no graph");
        }
        return check(model, name, folder);
    }

    /** Checks a parsed model. */
    static ModelFile.Checked check(ModelProto model, String name, Path folder) throws InvalidEncoderException {
        ModelValidator check = new ModelValidator(name, folder);
        check.model(model);
        return new ModelFile.Checked(model, check.tensors.external());
    }

    private void model(ModelProto model) throws InvalidEncoderException {
        if (model.getIrVersion() < 3 || model.getIrVersion() > MAX_IR) {
            throw new InvalidEncoderException(name + " has the ONNX IR version " + model.getIrVersion()
                    + ", expected 3 to " + MAX_IR + ": export it again with an older one");
        }
        if (!opsets(model.getOpsetImportList()).contains("")) {
            throw errors.bad("it imports no opset of the default domain");
        }
        errors.text(model.getProducerNameBytes(), "producer name");
        errors.text(model.getDomainBytes(), "domain");
        Set<String> keys = new HashSet<>();
        for (OnnxMl.StringStringEntryProto e : model.getMetadataPropsList()) {
            errors.text(e.getKeyBytes(), "metadata key");
            errors.text(e.getValueBytes(), "metadata value");
            if (!keys.add(e.getKey())) {
                throw errors.bad("the metadata key " + e.getKey() + " occurs twice");
            }
        }
        functions(model);
        graph(model.getGraph(), new HashSet<>(), new HashMap<>(), 0);
        for (FunctionProto f : functions.values()) {
            if (!called.contains(f)) {
                call(f, NodeProto.getDefaultInstance(), Map.of(), 0);
            }
        }
    }

    /** Checks the imported opsets, and returns their domains. */
    private Set<String> opsets(List<OnnxMl.OperatorSetIdProto> imports) throws InvalidEncoderException {
        Set<String> imported = new HashSet<>();
        for (OnnxMl.OperatorSetIdProto o : imports) {
            errors.text(o.getDomainBytes(), "opset domain");
            String domain = FunctionInliner.domain(o.getDomain());
            if (!imported.add(domain)) {
                throw errors.bad("the opset of domain '" + domain + "' is imported twice");
            }
            if (domain.isEmpty() && (o.getVersion() < 1 || o.getVersion() > Opset.NEWEST)) {
                throw new InvalidEncoderException(name + " has opset " + o.getVersion() + ", expected 1 to "
                        + Opset.NEWEST + ": export it again with an older one");
            }
            if (o.getVersion() < 1 || o.getVersion() > 10_000) {
                throw errors.bad("opset " + o.getVersion() + " of domain '" + domain + "'");
            }
        }
        return imported;
    }

    private void functions(ModelProto model) throws InvalidEncoderException {
        functions = new HashMap<>();
        domains = new HashSet<>(DOMAINS);
        for (FunctionProto f : model.getFunctionsList()) {
            errors.text(f.getNameBytes(), "function name");
            errors.text(f.getDomainBytes(), "function domain");
            opsets(f.getOpsetImportList());
            for (ValueInfoProto v : f.getValueInfoList()) {
                tensors.value(v);
            }
            domains.add(f.getDomain());
            if (functions.put(FunctionInliner.domain(f.getDomain()) + ":" + f.getName(), f) != null) {
                throw errors.bad("the function " + f.getName() + " is defined twice");
            }
        }
        // ONNX Runtime inlines functions, which would never end for a recursive one.
        Set<String> done = new HashSet<>();
        for (String f : functions.keySet()) {
            inliner.calls(f, functions, new HashSet<>(), done);
        }
    }

    /** Checks a function call: the function's nodes with the attributes and constants of the call. */
    private void call(FunctionProto f, NodeProto call, Map<String, TensorProto> constants, int depth)
            throws InvalidEncoderException {
        Map<String, AttributeProto> given = new HashMap<>();
        for (AttributeProto a : f.getAttributeProtoList()) {
            if (a.hasG() || a.getGraphsCount() > 0) {
                throw errors.bad("the function " + f.getName() + " has a graph as the default of " + a.getName());
            }
            given.put(a.getName(), a);
        }
        attributes(
                call.toBuilder()
                        .setOpType(f.getName())
                        .clearAttribute()
                        .addAllAttribute(f.getAttributeProtoList())
                        .build(),
                Set.of(),
                Map.of(),
                depth);
        call.getAttributeList().forEach(a -> given.put(a.getName(), a));
        Set<String> defined = new HashSet<>();
        Map<String, TensorProto> known = new HashMap<>();
        for (int i = 0; i < f.getInputCount(); i++) {
            String in = errors.text(f.getInputBytes(i), "function input");
            errors.define(in, defined);
            TensorProto constant = i < call.getInputCount() ? constants.get(call.getInput(i)) : null;
            if (constant != null) {
                known.put(in, constant);
            }
        }
        // The first copy replaces the definition in the file.
        inliner.copied(f.getNodeList(), called.add(f) ? 0 : f.getSerializedSize());
        nodes(inliner.bind(f.getNodeList(), given), defined, known, depth);
        for (String out : f.getOutputList()) {
            if (!defined.contains(out)) {
                throw errors.bad("the function " + f.getName() + " returns " + out + ", which nothing computes");
            }
        }
    }

    /** Checks a graph with the values that are defined and known around it, which are unchanged afterwards. */
    private void graph(GraphProto graph, Set<String> defined, Map<String, TensorProto> known, int depth)
            throws InvalidEncoderException {
        if (depth > MAX_NESTING) {
            throw errors.bad("subgraphs nest more than " + MAX_NESTING + " deep");
        }
        errors.text(graph.getNameBytes(), "graph name");
        Set<String> inputs = new HashSet<>();
        for (ValueInfoProto v : graph.getInputList()) {
            tensors.value(v);
            errors.define(v.getName(), inputs);
        }
        Map<String, TensorProto> constants = new HashMap<>();
        for (TensorProto t : graph.getInitializerList()) {
            tensors.tensor(t, "initialiser");
            if (constants.put(t.getName(), t) != null) {
                throw errors.bad("the initialiser " + t.getName() + " is defined twice");
            }
        }
        if (graph.getSparseInitializerCount() > 0) {
            throw errors.bad("sparse initialisers are not supported: export it with dense initialisers");
        }
        for (ValueInfoProto v : graph.getValueInfoList()) {
            tensors.value(v);
        }
        Set<String> own = new HashSet<>(inputs);
        own.addAll(constants.keySet());
        for (String n : own) {
            if (n.isEmpty() || !defined.add(n)) {
                throw errors.bad("the name '" + n + "' is " + (n.isEmpty() ? "empty" : "used twice"));
            }
        }
        known.putAll(constants);
        nodes(graph.getNodeList(), defined, known, depth);
        Set<String> outputs = new HashSet<>();
        for (ValueInfoProto v : graph.getOutputList()) {
            tensors.value(v);
            errors.define(v.getName(), outputs);
            if (!defined.contains(v.getName())) {
                throw errors.bad("the output " + v.getName() + " is computed by no node");
            }
        }
        if (outputs.isEmpty()) {
            throw errors.bad("a graph has no output");
        }
        graph.getNodeList().forEach(n -> own.addAll(n.getOutputList()));
        own.forEach(defined::remove);
        own.forEach(known::remove);
    }

    /** Checks nodes, and adds their outputs to {@code defined} and their constant outputs to {@code constants}. */
    private void nodes(List<NodeProto> nodes, Set<String> defined, Map<String, TensorProto> constants, int depth)
            throws InvalidEncoderException {
        Set<String> computed = new HashSet<>();
        for (NodeProto node : nodes) {
            errors.text(node.getNameBytes(), "node name");
            errors.text(node.getOpTypeBytes(), "operator");
            errors.text(node.getDomainBytes(), "operator domain");
            if (node.getOpType().isEmpty()) {
                throw errors.bad("a node has no operator");
            }
            if (VARIADIC.contains(node.getOpType()) && node.getInputList().contains("")) {
                throw errors.bad("an input of " + ModelErrors.label(node) + " is missing");
            }
            if (node.getOutputCount() == 0) {
                throw errors.bad("the node " + ModelErrors.label(node) + " has no output");
            }
            if (!domains.contains(node.getDomain())) {
                throw new InvalidEncoderException(name + " needs the operator " + node.getOpType() + " of the domain "
                        + node.getDomain() + ", which is not part of ONNX Runtime: export it without custom operators");
            }
            for (ByteString out : node.getOutputList().asByteStringList()) {
                String n = errors.text(out, "output name");
                if (!n.isEmpty() && (!computed.add(n) || defined.contains(n))) {
                    throw errors.bad("the value " + n + " is defined twice");
                }
            }
            TensorProto constant = TensorValues.constant(node);
            if (constant != null) {
                tensors.tensor(constant, "value of " + ModelErrors.label(node));
                node.getOutputList().forEach(o -> constants.put(o, constant));
            }
        }
        // The specification requires topological order, but ONNX Runtime sorts the nodes itself. Nodes that can't be
        // sorted form a cycle.
        Map<String, List<Integer>> waiting = new HashMap<>();
        int[] open = new int[nodes.size()];
        Deque<Integer> ready = new ArrayDeque<>();
        for (int i = 0; i < open.length; i++) {
            Set<String> uses = new HashSet<>();
            for (ByteString in : nodes.get(i).getInputList().asByteStringList()) {
                uses.add(errors.text(in, "input name"));
            }
            free(nodes.get(i), uses, depth);
            for (String n : uses) {
                if (computed.contains(n)) {
                    waiting.computeIfAbsent(n, k -> new ArrayList<>()).add(i);
                    open[i]++;
                } else if (!n.isEmpty() && !defined.contains(n)) {
                    throw errors.bad(
                            "the node " + ModelErrors.label(nodes.get(i)) + " uses " + n + ", which nothing computes");
                }
            }
            if (open[i] == 0) {
                ready.add(i);
            }
        }
        int sorted = 0;
        while (!ready.isEmpty()) {
            sorted++;
            NodeProto node = nodes.get(ready.poll());
            if (node.getOpType().equals("Identity")
                    && node.getInputCount() > 0
                    && constants.containsKey(node.getInput(0))) {
                constants.put(node.getOutput(0), constants.get(node.getInput(0)));
            }
            for (String out : node.getOutputList()) {
                for (int next : waiting.getOrDefault(out, List.of())) {
                    if (--open[next] == 0) {
                        ready.add(next);
                    }
                }
            }
        }
        if (sorted < open.length) {
            for (int i = 0; i < open.length; i++) {
                if (open[i] > 0) {
                    throw errors.bad("the graph is cyclic: the node " + ModelErrors.label(nodes.get(i))
                            + " waits for its own result");
                }
            }
        }
        defined.addAll(computed);
        for (NodeProto node : nodes) {
            long outer = loops.enter(node, constants);
            attributes(node, defined, constants, depth);
            loops.leave(outer);
            limits.extents(node, constants);
            if (functions.containsKey(FunctionInliner.callee(node))) {
                call(functions.get(FunctionInliner.callee(node)), node, constants, depth);
            }
        }
    }

    /** Adds the outer values that a node's subgraphs use; {@link #graph} checks that they are defined. */
    private void free(NodeProto node, Set<String> uses, int depth) throws InvalidEncoderException {
        if (depth > MAX_NESTING) {
            throw errors.bad("subgraphs nest more than " + MAX_NESTING + " deep");
        }
        for (AttributeProto a : node.getAttributeList()) {
            List<GraphProto> graphs = new ArrayList<>(a.getGraphsList());
            if (a.hasG()) {
                graphs.add(a.getG());
            }
            for (GraphProto g : graphs) {
                Set<String> inner = new HashSet<>();
                Set<String> own = new HashSet<>();
                g.getInputList().forEach(v -> own.add(v.getName()));
                g.getInitializerList().forEach(t -> own.add(t.getName()));
                for (NodeProto n : g.getNodeList()) {
                    own.addAll(n.getOutputList());
                    inner.addAll(n.getInputList());
                    free(n, inner, depth + 1);
                }
                g.getOutputList().forEach(v -> inner.add(v.getName()));
                inner.removeAll(own);
                uses.addAll(inner);
            }
        }
    }

    private void attributes(NodeProto node, Set<String> defined, Map<String, TensorProto> constants, int depth)
            throws InvalidEncoderException {
        Set<String> names = new HashSet<>();
        for (AttributeProto a : node.getAttributeList()) {
            String n = errors.text(a.getNameBytes(), "attribute name");
            String where = "the attribute " + n + " of " + ModelErrors.label(node);
            if (n.isEmpty() || !names.add(n)) {
                throw errors.bad(where + " is empty or occurs twice");
            }
            if (!a.getRefAttrName().isEmpty()) {
                throw errors.bad(where + " refers to an attribute of a function, but is not in a function");
            }
            if (!AttributeFields.right(a)) {
                throw errors.bad(where + " does not have a value of its type, " + a.getType());
            }
            for (TensorProto t : a.getTensorsList()) {
                tensors.tensor(t, "tensor of " + where);
            }
            if (a.hasT()) {
                tensors.tensor(a.getT(), "tensor of " + where);
            }
            for (GraphProto g : a.getGraphsList()) {
                graph(g, defined, constants, depth + 1);
            }
            if (a.hasG()) {
                graph(a.getG(), defined, constants, depth + 1);
            }
            limits.numbers(a, where);
        }
    }
}
