package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who makes and who takes each value of a graph. */
public final class GraphIndex {
    public final Map<String, NodeProto> producers = new HashMap<>();
    public final Map<String, List<NodeProto>> consumers = new HashMap<>();
    public final Map<String, TensorProto> initialisers = new HashMap<>();
    public final Set<String> outputs = new HashSet<>();

    public GraphIndex(GraphProto graph) {
        graph.getInitializerList().forEach(t -> initialisers.put(t.getName(), t));
        for (NodeProto n : graph.getNodeList()) {
            n.getOutputList().forEach(o -> producers.put(o, n));
            n.getInputList().forEach(i -> consumers.computeIfAbsent(i, k -> new ArrayList<>()).add(n));
        }
        graph.getOutputList().stream().map(ValueInfoProto::getName).forEach(outputs::add);
    }

    /** The node that alone takes a value which is no output of the graph, or null. */
    public NodeProto onlyConsumer(String value) {
        List<NodeProto> all = consumers.getOrDefault(value, List.of());
        return all.size() == 1 && !outputs.contains(value) ? all.get(0) : null;
    }

    /** The initialiser that a node's input is, if it is a float32 one. */
    public TensorProto floatConstant(NodeProto node, int input) {
        TensorProto t = node.getInputCount() > input ? initialisers.get(node.getInput(input)) : null;
        return t != null && t.getDataType() == TensorProto.DataType.FLOAT_VALUE ? t : null;
    }

    /** An integer attribute, or a default. */
    public static long integer(NodeProto node, String name, long otherwise) {
        return node.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst()
                .map(a -> a.getI()).orElse(otherwise);
    }

    /** A graph without the initialisers that no node takes and no output is. */
    public static GraphProto withoutUnused(GraphProto graph) {
        GraphIndex index = new GraphIndex(graph);
        GraphProto.Builder b = graph.toBuilder().clearInitializer();
        graph.getInitializerList().stream()
                .filter(t -> index.consumers.containsKey(t.getName()) || index.outputs.contains(t.getName()))
                .forEach(b::addInitializer);
        return b.build();
    }
}
