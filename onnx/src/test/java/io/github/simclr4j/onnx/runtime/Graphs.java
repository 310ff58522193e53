// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.file.ModelChecksum;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Builds small graphs, and changes good ones. */
public final class Graphs {
    public static final int FLOAT = TensorProto.DataType.FLOAT_VALUE;
    static final int HALF = TensorProto.DataType.FLOAT16_VALUE;

    private Graphs() {}

    public static ModelProto.Builder builder(byte[] bytes) {
        try {
            return ModelChecksum.without(ModelProto.parseFrom(bytes)).toBuilder();
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    public static byte[] changed(byte[] bytes, Consumer<ModelProto.Builder> change) {
        ModelProto.Builder b = builder(bytes);
        change.accept(b);
        return b.build().toByteArray();
    }

    public static byte[] withMetadata(byte[] bytes, Map<String, String> metadata) {
        return changed(
                bytes,
                b -> metadata.forEach((k, v) -> b.addMetadataProps(
                        StringStringEntryProto.newBuilder().setKey(k).setValue(v))));
    }

    static byte[] withBatch(byte[] bytes, int batch) {
        return changed(bytes, b -> {
            GraphProto.Builder g = b.getGraphBuilder();
            for (ValueInfoProto.Builder v : List.of(g.getInputBuilder(0), g.getOutputBuilder(0))) {
                v.getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder()
                        .getDimBuilder(0)
                        .setDimValue(batch);
            }
        });
    }

    /** A value; a dimension of -1 is free. */
    public static ValueInfoProto value(String name, int type, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long d : dims) {
            TensorShapeProto.Dimension.Builder dim = shape.addDimBuilder();
            if (d >= 0) {
                dim.setDimValue(d);
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(
                                TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
                .build();
    }

    public static NodeProto.Builder node(String op, List<String> in, List<String> out) {
        return NodeProto.newBuilder().setOpType(op).addAllInput(in).addAllOutput(out);
    }

    public static AttributeProto ints(String name, long... values) {
        AttributeProto.Builder a = AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
        for (long v : values) {
            a.addInts(v);
        }
        return a.build();
    }

    public static AttributeProto graph(String name, GraphProto g) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.GRAPH)
                .setG(g)
                .build();
    }

    public static TensorProto shape(String name, long... values) {
        TensorProto.Builder t = TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(values.length);
        for (long v : values) {
            t.addInt64Data(v);
        }
        return t.build();
    }

    public static byte[] model(GraphProto.Builder graph) {
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(13))
                .setGraph(graph.setName("test"))
                .build()
                .toByteArray();
    }

    /** A graph of some nodes from an image [N, 3, 8, 8] to {@code out}. */
    public static GraphProto.Builder image(NodeProto.Builder... nodes) {
        GraphProto.Builder g = GraphProto.newBuilder()
                .addInput(value("in", FLOAT, -1, 3, 8, 8))
                .addOutput(value("out", FLOAT, -1, -1));
        for (NodeProto.Builder n : nodes) {
            g.addNode(n);
        }
        return g;
    }

    /** Hands its input on, as [N, everything]. */
    static byte[] flatten(int channels, int height, int width, int type) {
        GraphProto.Builder g = GraphProto.newBuilder()
                .addInput(value("in", type, -1, channels, height, width))
                .addNode(node("Flatten", List.of("in"), List.of("out")))
                .addOutput(value("out", type, -1, (long) channels * height * width));
        return model(g);
    }
}
