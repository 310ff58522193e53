// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.protobuf.ByteString;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.runtime.Encoders;
import io.github.simclr4j.onnx.runtime.Graphs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelInspectorTest {
    private static ModelProto good() throws IOException {
        return ModelProto.parseFrom(EncoderWriter.toBytes(
                Encoders.TINY,
                new Preprocessing(32),
                Encoders.weights(Encoders.TINY, null),
                Map.of("training.seed", "7")));
    }

    private static void problem(String expected, Consumer<ModelProto.Builder> change) throws IOException {
        ModelProto.Builder b = good().toBuilder();
        change.accept(b);
        List<String> problems = ModelInspector.check(b.build(), null, 0).problems();
        assertTrue(problems.toString().contains(expected), expected + " not in " + problems);
    }

    /** The index of the first node of an operator. */
    private static int at(ModelProto.Builder b, String op) {
        List<NodeProto> nodes = b.getGraph().getNodeList();
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).getOpType().equals(op)) {
                return i;
            }
        }
        throw new AssertionError(op);
    }

    @Test
    void aGoodFileHasNoProblemAndIsDescribed() throws IOException {
        ModelInspector.Report r = ModelInspector.check(good(), null, 12);
        assertEquals(List.of(), r.problems());
        assertEquals(List.of(), r.warnings());
        assertEquals(13, r.opset());
        assertEquals(20, r.operators().get("Conv"));
        assertEquals("float32", r.precision());
        assertEquals(List.of(new ModelInspector.Port("image", "uint8", List.of("batch", 32L, 32L, 3L))), r.inputs());
        assertEquals(List.of(new ModelInspector.Port("embedding", "float32", List.of("batch", 32L))), r.outputs());
        assertEquals("7", r.metadata().get("training.seed"));
    }

    @Test
    void whatIsWrongIsNamed() throws IOException {
        problem("IR version", b -> b.setIrVersion(0));
        problem("no opset", ModelProto.Builder::clearOpsetImport);
        problem("occurs twice", b -> b.addOpsetImport(Opset.proto(14)));
        problem("no name", b -> b.getGraphBuilder().clearName());
        problem(
                "which is not defined",
                b -> b.getGraphBuilder().getNodeBuilder(at(b, "Relu")).setInput(0, "nothing"));
        problem("cyclic", b -> b.getGraphBuilder().getNodeBuilder(at(b, "Relu")).setInput(0, EncoderContract.OUTPUT));
        problem("not defined before", b -> {
            int relu = at(b, "Relu");
            NodeProto n = b.getGraph().getNode(relu);
            b.getGraphBuilder().removeNode(relu).addNode(n);
        });
        problem("a second time", b -> b.getGraphBuilder().addNode(b.getGraph().getNode(0)));
        problem(
                "unknown attribute",
                b -> b.getGraphBuilder().getNodeBuilder(at(b, "Relu")).addAttribute(GraphBuilder.integer("slope", 1)));
        problem(
                "is INT, expected INTS",
                b -> b.getGraphBuilder()
                        .getNodeBuilder(at(b, "Conv"))
                        .setAttribute(0, GraphBuilder.integer("kernel_shape", 3)));
        problem(
                "inputs, found 1",
                b -> b.getGraphBuilder()
                        .getNodeBuilder(at(b, "Add"))
                        .clearInput()
                        .addInput("scale"));
        problem("bytes or", b -> b.getGraphBuilder().getInitializerBuilder(2).setDims(0, 5));
        problem(
                "negative dimension",
                b -> b.getGraphBuilder().getInitializerBuilder(2).setDims(0, -5));
        problem(
                "overflow",
                b -> b.getGraphBuilder()
                        .getInitializerBuilder(2)
                        .setDims(0, Long.MAX_VALUE)
                        .setDims(1, 4));
        problem(
                "do not fit",
                b -> b.getGraphBuilder()
                        .setInitializer(2, TensorValues.floats("conv1.weight", new float[4 * 2 * 9], 4, 2, 3, 3)));
        problem(
                "differ in type",
                b -> b.getGraphBuilder()
                        .getNodeBuilder(at(b, "Cast"))
                        .setAttribute(0, GraphBuilder.integer("to", DataType.DOUBLE_VALUE)));
        problem(
                "is declared as",
                b -> b.getGraphBuilder().setOutput(0, GraphBuilder.value(EncoderContract.OUTPUT, DataType.FLOAT, 33)));
        problem(
                "is declared as",
                b -> b.getGraphBuilder()
                        .setOutput(0, GraphBuilder.value(EncoderContract.OUTPUT, DataType.FLOAT16, 32)));
        problem("output lost", b -> b.getGraphBuilder().getOutputBuilder(0).setName("lost"));
        problem(
                "refers to a file",
                b -> b.getGraphBuilder()
                        .getInitializerBuilder(2)
                        .setDataLocation(ai.onnx.proto.OnnxMl.TensorProto.DataLocation.EXTERNAL));
        problem("metadata", b -> b.addMetadataProps(b.getMetadataProps(0)));
        problem(
                "is not imported",
                b -> b.getGraphBuilder().getNodeBuilder(at(b, "Relu")).setDomain("com.microsoft"));
    }

    /** Damaged shapes end in a line too, not in an exception. */
    @Test
    void whatIsDamagedIsNamed() throws IOException {
        NodeProto.Builder reshape = Graphs.node("Reshape", List.of("in", "s"), List.of("out"));
        TensorProto shape = TensorValues.longs("s", new long[] {0, -1}, 2);
        for (TensorProto bad : List.of(
                shape.toBuilder().setRawData(ByteString.copyFrom(new byte[9])).build(),
                shape.toBuilder().setDims(0, 1 << 29).build(),
                shape.toBuilder().setDataType(DataType.INT32_VALUE).build())) {
            found("found other data", Graphs.image(reshape).addInitializer(bad));
        }
        found("overflow", Graphs.image(reshape).addInitializer(Graphs.shape("s", 1L << 40, 1L << 40)));
        found("a negative dimension", Graphs.image(reshape).addInitializer(Graphs.shape("s", -2, 3)));
        TensorProto vector = TensorValues.floats("v", new float[3], 3);
        found(
                "expected an image, found [3]",
                Graphs.image(Graphs.node("MaxPool", List.of("v"), List.of("out"))
                                .addAttribute(Graphs.ints("kernel_shape", 2)))
                        .addInitializer(vector));
        found(
                "expected channels",
                Graphs.image(Graphs.node("BatchNormalization", List.of("c", "v", "v", "v", "v"), List.of("out")))
                        .addInitializer(vector)
                        .addInitializer(TensorValues.floats("c", new float[1])));
        found(
                "can't be opened",
                Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("out"))
                        .addAttribute(
                                GraphBuilder.integer("axis", 1).toBuilder().setRefAttrName("x"))));
        found(
                "asks for",
                Graphs.image(Graphs.node("ConstantOfShape", List.of("s"), List.of("out")))
                        .addInitializer(Graphs.shape("s", 1 << 20, 1 << 20)));
    }

    private static void found(String expected, GraphProto.Builder graph) throws IOException {
        List<String> problems = ModelInspector.check(ModelProto.parseFrom(Graphs.model(graph)), null, 0)
                .problems();
        assertTrue(problems.toString().contains(expected), expected + " not in " + problems);
    }

    @Test
    void aLocationThatIsNoNameIsNamed(@TempDir Path dir) throws IOException {
        byte[] bytes = Graphs.model(Graphs.image(Graphs.node("Mul", List.of("in", "w"), List.of("out")))
                .addInitializer(TensorProto.newBuilder()
                        .setName("w")
                        .setDataType(Graphs.FLOAT)
                        .addDims(1)
                        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                        .addExternalData(GraphBuilder.entry("location", "a\0b"))));
        ModelInspector.Report r = ModelInspector.check(Files.write(dir.resolve("e.onnx"), bytes));
        assertTrue(
                r.problems().get(0).startsWith("initialiser w: the file is damaged: the external data of w"),
                r.problems().toString());
    }

    @Test
    void manyNodesTheWrongWayRoundTakeNoTime() {
        int n = 50_000;
        GraphProto.Builder g = Graphs.image();
        for (int i = n; i > 0; i--) {
            g.addNode(Graphs.node("Relu", List.of(i == 1 ? "in" : "r" + (i - 1)), List.of(i == n ? "out" : "r" + i)));
        }
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> found("not defined before", g));
    }
}
