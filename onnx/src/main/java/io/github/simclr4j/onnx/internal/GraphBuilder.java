// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Builds an ONNX graph node by node, in topological order. */
public final class GraphBuilder {
    private final GraphProto.Builder graph;
    private final UnaryOperator<TensorProto> store;
    private final Map<String, Integer> counts = new HashMap<>();

    /**
     * Creates an empty graph.
     *
     * @param name name of the graph
     * @param store stores an initialiser's values: the identity, or a function that moves them to external data
     */
    public GraphBuilder(String name, UnaryOperator<TensorProto> store) {
        graph = GraphProto.newBuilder().setName(name);
        this.store = store;
    }

    /** Adds an initialiser and returns its name. */
    public String tensor(TensorProto t) {
        graph.addInitializer(store.apply(t));
        return t.getName();
    }

    /** Adds a node with one output named after the operator, and returns that name. */
    public String node(String op, List<String> in, AttributeProto... attributes) {
        String name = op + "_" + counts.merge(op, 1, Integer::sum);
        return node(op, in, name, attributes);
    }

    /** Adds a node with one output of a given name, and returns that name. */
    public String node(String op, List<String> in, String out, AttributeProto... attributes) {
        graph.addNode(node(op, op + "/" + out, in, out, attributes));
        return out;
    }

    public static NodeProto node(String op, String name, List<String> in, String out, AttributeProto... attributes) {
        return NodeProto.newBuilder()
                .setOpType(op)
                .setName(name)
                .addAllInput(in)
                .addOutput(out)
                .addAllAttribute(List.of(attributes))
                .build();
    }

    public GraphBuilder input(ValueInfoProto value) {
        graph.addInput(value);
        return this;
    }

    public GraphBuilder output(ValueInfoProto value) {
        graph.addOutput(value);
        return this;
    }

    public GraphProto build() {
        return graph.build();
    }

    /** Returns the declaration of a tensor with a name, a type and the shape [batch, dims]. */
    public static ValueInfoProto value(String name, TensorProto.DataType type, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder()
                .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("batch"));
        for (long d : dims) {
            shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(d));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.getNumber())
                                .setShape(shape)))
                .build();
    }

    public static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.INT)
                .setI(value)
                .build();
    }

    public static AttributeProto ints(String name, long... values) {
        AttributeProto.Builder b = AttributeProto.newBuilder().setName(name).setType(AttributeType.INTS);
        for (long v : values) {
            b.addInts(v);
        }
        return b.build();
    }

    /** Returns an entry of metadata, or of a reference to external data. */
    public static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }
}
