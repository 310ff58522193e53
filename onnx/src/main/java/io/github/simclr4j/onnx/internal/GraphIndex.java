// SPDX-License-Identifier: Apache-2.0
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

/** An index of the producers and consumers of a graph's values. */
public final class GraphIndex {
    public final Map<String, NodeProto> producers = new HashMap<>();
    public final Map<String, List<NodeProto>> consumers = new HashMap<>();
    public final Map<String, TensorProto> initialisers = new HashMap<>();
    public final Set<String> outputs = new HashSet<>();

    public GraphIndex(GraphProto graph) {
        graph.getInitializerList().forEach(t -> initialisers.put(t.getName(), t));
        for (NodeProto n : graph.getNodeList()) {
            n.getOutputList().forEach(o -> producers.put(o, n));
            n.getInputList()
                    .forEach(i ->
                            consumers.computeIfAbsent(i, k -> new ArrayList<>()).add(n));
        }
        graph.getOutputList().stream().map(ValueInfoProto::getName).forEach(outputs::add);
    }

    /** Returns the only consumer of a value that is not an output of the graph, or null. */
    public NodeProto onlyConsumer(String value) {
        List<NodeProto> all = consumers.getOrDefault(value, List.of());
        return all.size() == 1 && !outputs.contains(value) ? all.get(0) : null;
    }

    /** Returns a node's input if it is a float32 initialiser, or null. */
    public TensorProto floatConstant(NodeProto node, int input) {
        TensorProto t = node.getInputCount() > input ? initialisers.get(node.getInput(input)) : null;
        return t != null && t.getDataType() == TensorProto.DataType.FLOAT_VALUE ? t : null;
    }

    /** Returns an integer attribute, or a default. */
    public static long integer(NodeProto node, String name, long otherwise) {
        return node.getAttributeList().stream()
                .filter(a -> a.getName().equals(name))
                .findFirst()
                .map(a -> a.getI())
                .orElse(otherwise);
    }

    /** Returns a graph without unused initialisers. */
    public static GraphProto withoutUnused(GraphProto graph) {
        GraphIndex index = new GraphIndex(graph);
        GraphProto.Builder b = graph.toBuilder().clearInitializer();
        graph.getInitializerList().stream()
                .filter(t -> index.consumers.containsKey(t.getName()) || index.outputs.contains(t.getName()))
                .forEach(b::addInitializer);
        return b.build();
    }
}
