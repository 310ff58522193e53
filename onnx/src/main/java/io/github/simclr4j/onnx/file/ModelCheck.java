package io.github.simclr4j.onnx.file;

import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.github.simclr4j.onnx.internal.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Checks a model before native code sees it: what the ONNX specification demands of names, order and tensors, and what
 * would make ONNX Runtime read another file, allocate without bound or divide by zero. What it lets pass may still be
 * refused by ONNX Runtime, with an exception.
 */
public final class ModelCheck {
    /** The newest that ONNX Runtime 1.28 reads; it refuses newer ones itself, with a longer message. */
    static final int MAX_IR = 13;
    /** Operator domains of ONNX Runtime's own builds. */
    private static final Set<String> DOMAINS = Set.of("", "ai.onnx", "ai.onnx.ml", "com.microsoft");
    private static final long MAX_DIMENSION = 1 << 24;
    private static final long MAX_ELEMENTS = 1L << 28;
    private static final long MAX_ROUNDS = 4096;
    /** protobuf itself stops at 100 nested messages, a subgraph is three. */
    private static final int MAX_NESTING = 8;
    /** Attributes that are divisors, steps or extents: 0 or less makes no sense in any operator. */
    private static final Set<String> POSITIVE = Set.of("strides", "dilations", "kernel_shape", "group", "blocksize", "num_heads",
            "kv_num_heads", "q_num_heads", "num_groups", "groups", "hidden_size", "num_outputs", "block_size", "size",
            "window_size");
    private static final long MAX_EXTENT = 1 << 16;
    /** Nodes and kilobytes that functions may become: ONNX Runtime copies one into each call, and calls in calls multiply. */
    private static final long MAX_INLINED = 200_000;
    /** Attributes that number dimensions. ONNX Runtime 1.28 reads outside its memory where a Gather's axis is the least int64. */
    private static final Set<String> AXES = Set.of("axis", "axes", "perm", "batch_dims", "split_axis", "concat_axis",
            "batch_axis", "time_axis", "scan_input_axes", "scan_output_axes");
    /** Attributes whose values may be "to the end", the greatest int64. */
    private static final Set<String> UNBOUNDED = Set.of("starts", "ends", "value_int", "value_ints");
    /** Position of the input that numbers dimensions, by operator; reductions have it too. */
    private static final Map<String, Integer> AXES_INPUT = Map.of("Squeeze", 1, "Unsqueeze", 1, "Slice", 3, "Pad", 3, "CumSum", 1,
            "Resize", 4, "CenterCropPad", 2);
    /** Position of the input that says how large the output is, by operator. */
    private static final Map<String, Integer> SHAPE_INPUT = Map.of("ConstantOfShape", 0, "Reshape", 1, "Expand", 1, "Tile", 1,
            "Pad", 1, "CenterCropPad", 1, "OneHot", 1, "Upsample", 1);

    private final String name;
    private final Path folder;
    private final Set<Path> external = new TreeSet<>();
    private Map<String, FunctionProto> functions = Map.of();
    private Set<String> domains = DOMAINS;
    private final Set<FunctionProto> called = Collections.newSetFromMap(new IdentityHashMap<>());
    private long inlined;

    private ModelCheck(String name, Path folder) {
        this.name = name;
        this.folder = folder;
    }

    /**
     * What passed.
     *
     * @param model the model
     * @param external the files beside it that its tensors are in, real paths
     */
    public record Checked(ModelProto model, Set<Path> external) {}

    /**
     * Parses and checks.
     *
     * @param bytes the file
     * @param name what errors call it
     * @param folder where its external data may be, null for nowhere
     * @throws InvalidEncoderException with one sentence on what is wrong
     */
    public static Checked check(byte[] bytes, String name, Path folder) throws InvalidEncoderException {
        ModelProto model;
        try {
            // Tensors stay where they are, in the array.
            CodedInputStream in = CodedInputStream.newInstance(bytes);
            in.enableAliasing(true);
            model = ModelProto.parseFrom(in);
            in.checkLastTagWas(0);
        } catch (IOException e) {
            throw new InvalidEncoderException(name + " is not an ONNX file, or a damaged one: " + e.getMessage(), e);
        }
        if (model.getIrVersion() == 0 || model.getGraph().getNodeCount() == 0) {
            throw new InvalidEncoderException(name + " is not an ONNX file: it holds no graph");
        }
        return check(model, name, folder);
    }

    /** Checks what is parsed already. */
    public static Checked check(ModelProto model, String name, Path folder) throws InvalidEncoderException {
        ModelCheck check = new ModelCheck(name, folder);
        check.model(model);
        return new Checked(model, check.external);
    }

    private InvalidEncoderException bad(String what) {
        // A name in the message comes from the file: keep it short and on one line.
        String line = what.replaceAll("\\p{Cntrl}", "?");
        return new InvalidEncoderException(name + " is damaged or unsafe: "
                + (line.length() > 400 ? line.substring(0, 400) + "..." : line));
    }

    private void model(ModelProto model) throws InvalidEncoderException {
        if (model.getIrVersion() < 3 || model.getIrVersion() > MAX_IR) {
            throw new InvalidEncoderException(name + " has the ONNX IR version " + model.getIrVersion()
                    + ", expected 3 to " + MAX_IR + ": export it again with an older one");
        }
        if (!opsets(model.getOpsetImportList()).contains("")) {
            throw bad("it imports no opset of the default domain");
        }
        text(model.getProducerNameBytes(), "producer name");
        text(model.getDomainBytes(), "domain");
        Set<String> keys = new HashSet<>();
        for (OnnxMl.StringStringEntryProto e : model.getMetadataPropsList()) {
            text(e.getKeyBytes(), "metadata key");
            text(e.getValueBytes(), "metadata value");
            if (!keys.add(e.getKey())) {
                throw bad("the metadata key " + e.getKey() + " is there twice");
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

    /** Checks imports, and returns the domains. */
    private Set<String> opsets(List<OnnxMl.OperatorSetIdProto> imports) throws InvalidEncoderException {
        Set<String> imported = new HashSet<>();
        for (OnnxMl.OperatorSetIdProto o : imports) {
            text(o.getDomainBytes(), "opset domain");
            String domain = domain(o.getDomain());
            if (!imported.add(domain)) {
                throw bad("the opset of domain '" + domain + "' is imported twice");
            }
            if (domain.isEmpty() && (o.getVersion() < 1 || o.getVersion() > Opset.NEWEST)) {
                throw new InvalidEncoderException(name + " has opset " + o.getVersion() + ", expected 1 to " + Opset.NEWEST
                        + ": export it again with an older one");
            }
            if (o.getVersion() < 1 || o.getVersion() > 10_000) {
                throw bad("opset " + o.getVersion() + " of domain '" + domain + "'");
            }
        }
        return imported;
    }

    /** The default domain has two names. */
    private static String domain(String d) {
        return d.equals("ai.onnx") ? "" : d;
    }

    private static String callee(NodeProto node) {
        return domain(node.getDomain()) + ":" + node.getOpType();
    }

    private void functions(ModelProto model) throws InvalidEncoderException {
        functions = new HashMap<>();
        domains = new HashSet<>(DOMAINS);
        for (FunctionProto f : model.getFunctionsList()) {
            text(f.getNameBytes(), "function name");
            text(f.getDomainBytes(), "function domain");
            opsets(f.getOpsetImportList());
            for (ValueInfoProto v : f.getValueInfoList()) {
                value(v);
            }
            domains.add(f.getDomain());
            if (functions.put(domain(f.getDomain()) + ":" + f.getName(), f) != null) {
                throw bad("the function " + f.getName() + " is there twice");
            }
        }
        // ONNX Runtime inlines functions: one that calls itself would never end.
        Set<String> done = new HashSet<>();
        for (String f : functions.keySet()) {
            calls(f, functions, new HashSet<>(), done);
        }
    }

    /** Checks a function as it is where it is called: with the attributes and the constants that the call gives it. */
    private void call(FunctionProto f, NodeProto call, Map<String, TensorProto> constants, int depth)
            throws InvalidEncoderException {
        Map<String, AttributeProto> given = new HashMap<>();
        for (AttributeProto a : f.getAttributeProtoList()) {
            if (a.hasG() || a.getGraphsCount() > 0) {
                throw bad("the function " + f.getName() + " has a graph as the default of " + a.getName());
            }
            given.put(a.getName(), a);
        }
        attributes(call.toBuilder().setOpType(f.getName()).clearAttribute().addAllAttribute(f.getAttributeProtoList()).build(),
                Set.of(), Map.of(), depth);
        call.getAttributeList().forEach(a -> given.put(a.getName(), a));
        Set<String> defined = new HashSet<>();
        Map<String, TensorProto> known = new HashMap<>();
        for (int i = 0; i < f.getInputCount(); i++) {
            String in = text(f.getInputBytes(i), "function input");
            define(in, defined);
            TensorProto constant = i < call.getInputCount() ? constants.get(call.getInput(i)) : null;
            if (constant != null) {
                known.put(in, constant);
            }
        }
        // The first copy is as large as what is in the file.
        copied(f.getNodeList(), called.add(f) ? 0 : f.getSerializedSize());
        nodes(bind(f.getNodeList(), given), defined, known, depth);
        for (String out : f.getOutputList()) {
            if (!defined.contains(out)) {
                throw bad("the function " + f.getName() + " returns " + out + ", which nothing computes");
            }
        }
    }

    private void copied(List<NodeProto> nodes, long bytes) throws InvalidEncoderException {
        inlined += nodes.size() + bytes / 1024;
        if (inlined > MAX_INLINED) {
            throw bad("its functions, each put where it is called, have more than " + MAX_INLINED + " nodes and kilobytes");
        }
        for (NodeProto node : nodes) {
            for (AttributeProto a : node.getAttributeList()) {
                copied(a.getG().getNodeList(), 0);
                for (GraphProto g : a.getGraphsList()) {
                    copied(g.getNodeList(), 0);
                }
            }
        }
    }

    /** A function's nodes, with the attributes of the call in place of the references to them. */
    private List<NodeProto> bind(List<NodeProto> nodes, Map<String, AttributeProto> given) throws InvalidEncoderException {
        List<NodeProto> bound = new ArrayList<>();
        for (NodeProto node : nodes) {
            NodeProto.Builder b = node.toBuilder().clearAttribute();
            for (AttributeProto a : node.getAttributeList()) {
                if (a.getRefAttrName().isEmpty()) {
                    b.addAttribute(bind(a, given));
                    continue;
                }
                text(a.getRefAttrNameBytes(), "attribute name");
                if (filled(a) > 0) {
                    throw bad("the attribute " + a.getName() + " of " + label(node) + " has a value and refers to another");
                }
                AttributeProto value = given.get(a.getRefAttrName());
                if (value != null) {
                    copied(List.of(NodeProto.newBuilder().addAttribute(value).build()), value.getSerializedSize());
                    b.addAttribute(value.toBuilder().setName(a.getName()));
                }
            }
            bound.add(b.build());
        }
        return bound;
    }

    private AttributeProto bind(AttributeProto a, Map<String, AttributeProto> given) throws InvalidEncoderException {
        if (!a.hasG() && a.getGraphsCount() == 0) {
            return a;
        }
        AttributeProto.Builder b = a.toBuilder().clearGraphs();
        if (a.hasG()) {
            b.setG(bind(a.getG(), given));
        }
        for (GraphProto g : a.getGraphsList()) {
            b.addGraphs(bind(g, given));
        }
        return b.build();
    }

    private GraphProto bind(GraphProto g, Map<String, AttributeProto> given) throws InvalidEncoderException {
        return g.toBuilder().clearNode().addAllNode(bind(g.getNodeList(), given)).build();
    }

    private void calls(String f, Map<String, FunctionProto> all, Set<String> open, Set<String> done)
            throws InvalidEncoderException {
        if (done.contains(f)) {
            return;
        }
        if (!open.add(f) || open.size() > 50) {
            throw bad("the function " + f + " calls itself, or calls nest too deeply");
        }
        Deque<NodeProto> nodes = new ArrayDeque<>(all.get(f).getNodeList());
        while (!nodes.isEmpty()) {
            NodeProto node = nodes.pop();
            if (all.containsKey(callee(node))) {
                calls(callee(node), all, open, done);
            }
            for (AttributeProto a : node.getAttributeList()) {
                nodes.addAll(a.getG().getNodeList());
                a.getGraphsList().forEach(g -> nodes.addAll(g.getNodeList()));
            }
        }
        open.remove(f);
        done.add(f);
    }

    /** Checks a graph in what is defined and known around it, which is the same again afterwards. */
    private void graph(GraphProto graph, Set<String> defined, Map<String, TensorProto> known, int depth)
            throws InvalidEncoderException {
        if (depth > MAX_NESTING) {
            throw bad("subgraphs nest more than " + MAX_NESTING + " deep");
        }
        text(graph.getNameBytes(), "graph name");
        Set<String> inputs = new HashSet<>();
        for (ValueInfoProto v : graph.getInputList()) {
            value(v);
            define(v.getName(), inputs);
        }
        Map<String, TensorProto> constants = new HashMap<>();
        for (TensorProto t : graph.getInitializerList()) {
            tensor(t, "initialiser");
            if (constants.put(t.getName(), t) != null) {
                throw bad("the initialiser " + t.getName() + " is there twice");
            }
        }
        if (graph.getSparseInitializerCount() > 0) {
            throw bad("sparse initialisers are not supported: export it with dense ones");
        }
        for (ValueInfoProto v : graph.getValueInfoList()) {
            value(v);
        }
        Set<String> own = new HashSet<>(inputs);
        own.addAll(constants.keySet());
        for (String n : own) {
            if (n.isEmpty() || !defined.add(n)) {
                throw bad("the name '" + n + "' is " + (n.isEmpty() ? "empty" : "given twice"));
            }
        }
        known.putAll(constants);
        nodes(graph.getNodeList(), defined, known, depth);
        Set<String> outputs = new HashSet<>();
        for (ValueInfoProto v : graph.getOutputList()) {
            value(v);
            define(v.getName(), outputs);
            if (!defined.contains(v.getName())) {
                throw bad("the output " + v.getName() + " is computed by no node");
            }
        }
        if (outputs.isEmpty()) {
            throw bad("a graph has no output");
        }
        graph.getNodeList().forEach(n -> own.addAll(n.getOutputList()));
        own.forEach(defined::remove);
        own.forEach(known::remove);
    }

    /** Adds the nodes' outputs to {@code defined}, and what is constant among them to {@code constants}. */
    private void nodes(List<NodeProto> nodes, Set<String> defined, Map<String, TensorProto> constants, int depth)
            throws InvalidEncoderException {
        Set<String> computed = new HashSet<>();
        for (NodeProto node : nodes) {
            text(node.getNameBytes(), "node name");
            text(node.getOpTypeBytes(), "operator");
            text(node.getDomainBytes(), "operator domain");
            if (node.getOpType().isEmpty()) {
                throw bad("a node has no operator");
            }
            if (node.getOutputCount() == 0) {
                throw bad("the node " + label(node) + " has no output");
            }
            if (!domains.contains(node.getDomain())) {
                throw new InvalidEncoderException(name + " needs the operator " + node.getOpType() + " of the domain "
                        + node.getDomain() + ", which is not part of ONNX Runtime: export it without custom operators");
            }
            for (ByteString out : node.getOutputList().asByteStringList()) {
                String n = text(out, "output name");
                if (!n.isEmpty() && (!computed.add(n) || defined.contains(n))) {
                    throw bad("the value " + n + " is given twice");
                }
            }
            TensorProto constant = Tensors.constant(node);
            if (constant != null) {
                tensor(constant, "value of " + label(node));
                node.getOutputList().forEach(o -> constants.put(o, constant));
            }
        }
        // The specification wants every node behind those that it uses; ONNX Runtime sorts them. What can't be sorted is a cycle.
        Map<String, List<Integer>> waiting = new HashMap<>();
        int[] open = new int[nodes.size()];
        Deque<Integer> ready = new ArrayDeque<>();
        for (int i = 0; i < open.length; i++) {
            Set<String> uses = new HashSet<>();
            for (ByteString in : nodes.get(i).getInputList().asByteStringList()) {
                uses.add(text(in, "input name"));
            }
            free(nodes.get(i), uses, depth);
            for (String n : uses) {
                if (computed.contains(n)) {
                    waiting.computeIfAbsent(n, k -> new ArrayList<>()).add(i);
                    open[i]++;
                } else if (!n.isEmpty() && !defined.contains(n)) {
                    throw bad("the node " + label(nodes.get(i)) + " uses " + n + ", which nothing computes");
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
            if (node.getOpType().equals("Identity") && node.getInputCount() > 0 && constants.containsKey(node.getInput(0))) {
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
                    throw bad("the graph is cyclic: the node " + label(nodes.get(i)) + " waits for its own result");
                }
            }
        }
        defined.addAll(computed);
        for (NodeProto node : nodes) {
            attributes(node, defined, constants, depth);
            extents(node, constants);
            if (functions.containsKey(callee(node))) {
                call(functions.get(callee(node)), node, constants, depth);
            }
        }
    }

    private static String label(NodeProto node) {
        return node.getOpType() + (node.getName().isEmpty() ? "" : " " + node.getName());
    }

    /** Adds what a node's subgraphs take from around them; whether it is defined there, {@link #graph} says. */
    private void free(NodeProto node, Set<String> uses, int depth) throws InvalidEncoderException {
        if (depth > MAX_NESTING) {
            throw bad("subgraphs nest more than " + MAX_NESTING + " deep");
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
            String n = text(a.getNameBytes(), "attribute name");
            String where = "the attribute " + n + " of " + label(node);
            if (n.isEmpty() || !names.add(n)) {
                throw bad(where + " is empty or there twice");
            }
            if (!a.getRefAttrName().isEmpty()) {
                throw bad(where + " refers to one of a function, and is in none");
            }
            boolean right = switch (a.getType()) {
                case FLOAT -> a.hasF();
                case INT -> a.hasI();
                case STRING -> a.hasS();
                case TENSOR -> a.hasT();
                case GRAPH -> a.hasG();
                case FLOATS, INTS, STRINGS, TENSORS, GRAPHS -> true;
                default -> false;
            };
            int filled = filled(a);
            if (!right || filled > 1 || filled == 1 && !list(a)) {
                throw bad(where + " does not hold what its type, " + a.getType() + ", says");
            }
            for (TensorProto t : a.getTensorsList()) {
                tensor(t, "tensor of " + where);
            }
            if (a.hasT()) {
                tensor(a.getT(), "tensor of " + where);
            }
            for (GraphProto g : a.getGraphsList()) {
                graph(g, defined, constants, depth + 1);
            }
            if (a.hasG()) {
                graph(a.getG(), defined, constants, depth + 1);
            }
            numbers(a, where);
        }
    }

    /** In how many fields an attribute has a value. */
    private static int filled(AttributeProto a) {
        return (int) a.getAllFields().keySet().stream().filter(f -> switch (f.getNumber()) {
            case AttributeProto.NAME_FIELD_NUMBER, AttributeProto.REF_ATTR_NAME_FIELD_NUMBER,
                    AttributeProto.DOC_STRING_FIELD_NUMBER, AttributeProto.TYPE_FIELD_NUMBER -> false;
            default -> true;
        }).count();
    }

    /** Whether a filled list is the one that the type names. */
    private static boolean list(AttributeProto a) {
        AttributeType t = a.getType();
        return (a.getFloatsCount() == 0 || t == AttributeType.FLOATS) && (a.getIntsCount() == 0 || t == AttributeType.INTS)
                && (a.getStringsCount() == 0 || t == AttributeType.STRINGS)
                && (a.getTensorsCount() == 0 || t == AttributeType.TENSORS)
                && (a.getGraphsCount() == 0 || t == AttributeType.GRAPHS);
    }

    private void numbers(AttributeProto a, String where) throws InvalidEncoderException {
        List<Long> values = new ArrayList<>(a.getIntsList());
        if (a.getType() == AttributeType.INT) {
            values.add(a.getI());
        }
        boolean positive = POSITIVE.contains(a.getName());
        boolean shape = a.getName().equals("shape") || a.getName().equals("output_shape");
        for (long v : values) {
            if (positive && (v < 1 || v > MAX_EXTENT)) {
                throw bad(where + " is " + v + ", expected 1 to " + MAX_EXTENT);
            }
            if (!UNBOUNDED.contains(a.getName()) && Math.abs(v) > (AXES.contains(a.getName()) ? 64 : Integer.MAX_VALUE)
                    || v == Long.MIN_VALUE) {
                throw bad(where + " is " + v);
            }
            if ((a.getName().equals("pads") || a.getName().equals("output_padding")) && Math.abs(v) > MAX_EXTENT) {
                throw bad(where + " is " + v + ", expected at most " + MAX_EXTENT);
            }
        }
        if (shape || a.getName().equals("kernel_shape")) {
            elements(values, where);
        }
    }

    /** What a constant input says of the size of a node's output. */
    private void extents(NodeProto node, Map<String, TensorProto> constants) throws InvalidEncoderException {
        List<Integer> positions = new ArrayList<>();
        if (SHAPE_INPUT.containsKey(node.getOpType())) {
            positions.add(SHAPE_INPUT.get(node.getOpType()));
        } else if (node.getOpType().equals("Resize")) {
            positions.addAll(List.of(1, 2, 3));
        } else if (node.getOpType().equals("Range")) {
            positions.addAll(List.of(0, 1));
        }
        if (node.getOpType().equals("Loop")) {
            TensorProto rounds = node.getInputCount() > 0 ? constants.get(node.getInput(0)) : null;
            if (rounds == null || count(rounds) != 1 || rounds.getDataType() != TensorProto.DataType.INT64_VALUE
                    || Tensors.whole(rounds, folder, name)[0] > MAX_ROUNDS) {
                throw bad("it loops more than " + MAX_ROUNDS + " times, or the graph does not say how often");
            }
        }
        Integer axes = node.getOpType().startsWith("Reduce") ? Integer.valueOf(1) : AXES_INPUT.get(node.getOpType());
        if (axes != null && axes < node.getInputCount()) {
            TensorProto t = constants.get(node.getInput(axes));
            if (t != null && count(t) <= 64 && whole(t)) {
                for (long v : Tensors.whole(t, folder, name)) {
                    if (v > 64 || v < -64) {
                        throw bad("an axis of " + label(node) + " is " + v);
                    }
                }
            }
        }
        for (int p : positions) {
            TensorProto t = p < node.getInputCount() ? constants.get(node.getInput(p)) : null;
            if (t == null || count(t) > 64) {
                continue;
            }
            String where = "input " + p + " of " + label(node);
            if (t.getDataType() == TensorProto.DataType.FLOAT_VALUE) {
                for (float f : Tensors.floats(t, folder, name)) {
                    if (!(Math.abs(f) <= MAX_EXTENT)) {
                        throw bad(where + " is " + f);
                    }
                }
            } else if (whole(t)) {
                List<Long> values = Arrays.stream(Tensors.whole(t, folder, name)).boxed().toList();
                if (node.getOpType().equals("Pad")) {
                    for (long v : values) {
                        if (Math.abs(v) > MAX_EXTENT) {
                            throw bad(where + " is " + v);
                        }
                    }
                } else {
                    elements(values, where);
                }
            }
        }
    }

    private static boolean whole(TensorProto t) {
        return t.getDataType() == TensorProto.DataType.INT64_VALUE || t.getDataType() == TensorProto.DataType.INT32_VALUE;
    }

    private void elements(List<Long> shape, String where) throws InvalidEncoderException {
        double product = 1;
        for (long v : shape) {
            product *= Math.max(1, Math.abs((double) v));
        }
        if (product > MAX_ELEMENTS) {
            throw bad(where + " asks for " + shape + ", more than " + MAX_ELEMENTS + " values");
        }
    }

    private void define(String n, Set<String> names) throws InvalidEncoderException {
        if (n.isEmpty() || !names.add(n)) {
            throw bad("the name '" + n + "' is " + (n.isEmpty() ? "empty" : "given twice"));
        }
    }

    private String text(ByteString bytes, String what) throws InvalidEncoderException {
        // Names pass through JNI, which reads them as C strings.
        if (!bytes.isValidUtf8() || bytes.size() > 1 << 20) {
            throw bad("a " + what + " is no text");
        }
        String s = bytes.toStringUtf8();
        if (s.indexOf('\0') >= 0) {
            throw bad("a " + what + " is no text");
        }
        return s;
    }

    private void value(ValueInfoProto v) throws InvalidEncoderException {
        text(v.getNameBytes(), "value name");
        if (!v.getType().hasTensorType()) {
            return;
        }
        double elements = 1;
        for (OnnxMl.TensorShapeProto.Dimension d : v.getType().getTensorType().getShape().getDimList()) {
            text(d.getDimParamBytes(), "dimension");
            if (d.hasDimValue() && (d.getDimValue() < 0 || d.getDimValue() > MAX_DIMENSION)) {
                throw bad("the value " + v.getName() + " has a dimension of " + d.getDimValue());
            }
            elements *= Math.max(1, d.getDimValue());
        }
        if (elements > 4 * MAX_ELEMENTS) {
            throw bad("the value " + v.getName() + " has more than " + 4 * MAX_ELEMENTS + " elements");
        }
        if (v.getType().getTensorType().getShape().getDimCount() > 64) {
            throw bad("the value " + v.getName() + " has more than 64 dimensions");
        }
    }

    /** Number of values; -1 for a negative dimension, or for so many that their bits can't be counted. */
    public static long count(TensorProto t) {
        long n = 1;
        for (long d : t.getDimsList()) {
            if (d < 0 || d > 0 && n > Long.MAX_VALUE / 256 / d) {
                return -1;
            }
            n *= d;
        }
        return n;
    }

    private void tensor(TensorProto t, String what) throws InvalidEncoderException {
        text(t.getNameBytes(), "tensor name");
        String where = "the " + what + " " + t.getName();
        long n = count(t);
        int bits = Tensors.bits(t.getDataType());
        if (n < 0 || t.getDimsCount() > 64) {
            throw bad(where + " has the shape " + t.getDimsList());
        }
        if (bits < 0 || t.hasSegment()) {
            throw bad(where + " has the unknown type " + t.getDataType());
        }
        long size = (n * bits + 7) / 8;
        if (t.getDataLocation() == TensorProto.DataLocation.EXTERNAL || t.getExternalDataCount() > 0) {
            if (t.getDataLocation() != TensorProto.DataLocation.EXTERNAL || t.hasRawData() || bits == 0) {
                throw bad(where + " is both in the file and outside");
            }
            external.add(Tensors.external(t, size, folder, name).file());
            return;
        }
        if (!Tensors.whole(t, n, size)) {
            throw bad(where + " has the shape " + t.getDimsList() + " and type " + t.getDataType() + ", and other data");
        }
    }
}
