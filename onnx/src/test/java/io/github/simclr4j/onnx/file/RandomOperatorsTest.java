// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Models whose features differ from run to run. */
class RandomOperatorsTest {
    private static ModelProto model(int opset, GraphProto.Builder graph) {
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .addOpsetImport(Opset.proto(opset))
                .setGraph(graph.setName("g"))
                .build();
    }

    private static List<String> found(int opset, NodeProto.Builder node, TensorProto... constants) {
        GraphProto.Builder g = Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("flat")), node.setName("n"));
        for (TensorProto t : constants) {
            g.addInitializer(t);
        }
        return RandomOperators.find(model(opset, g));
    }

    private static TensorProto flag(boolean value) {
        return TensorProto.newBuilder()
                .setName("train")
                .setDataType(TensorProto.DataType.BOOL_VALUE)
                .addInt32Data(value ? 1 : 0)
                .build();
    }

    private static NodeProto.Builder dropout(String... inputs) {
        return Graphs.node("Dropout", List.of(inputs), List.of("out"));
    }

    @Test
    void aTrainingModeExportIsNamedByInspectAndRefused() throws IOException {
        byte[] bytes = getClass()
                .getResourceAsStream("/io/github/simclr4j/onnx/cases/training-mode.onnx")
                .readAllBytes();
        ModelInspector.Report report = ModelInspector.check(ModelProto.parseFrom(bytes), null, bytes.length);
        assertEquals(List.of(), report.problems());
        assertEquals(2, report.random().size(), report.random().toString());
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(bytes, "e.onnx", 1));
        assertTrue(e.getMessage().contains("eval mode") && e.getMessage().contains("Dropout"), e.getMessage());
    }

    @Test
    void whatDrawsNumbersIsFound() {
        for (String op : List.of("RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial")) {
            assertEquals(List.of(op + " n"), found(17, Graphs.node(op, List.of("flat"), List.of("out"))));
        }
        for (String op : List.of("RandomNormal", "RandomUniform")) {
            assertEquals(
                    List.of(op + " n"),
                    found(17, Graphs.node(op, List.of(), List.of("out")).addAttribute(Graphs.ints("shape", 2, 3))));
        }
        assertEquals(1, found(13, dropout("flat", "", "train"), flag(true)).size());
        assertEquals(1, found(13, dropout("flat", "", "flat")).size(), "training mode that the graph computes");
        assertEquals(1, found(6, dropout("flat")).size(), "up to opset 6 dropout trains unless it is a test");
        NodeProto.Builder norm =
                Graphs.node("BatchNormalization", List.of("flat", "s", "s", "s", "s"), List.of("out", "m", "v"));
        assertEquals(
                1,
                found(15, norm.addAttribute(GraphBuilder.integer("training_mode", 1)))
                        .size());
    }

    @Test
    void whatIsHarmlessIsNot() {
        assertEquals(List.of(), found(13, dropout("flat")));
        assertEquals(List.of(), found(13, dropout("flat", "", "train"), flag(false)));
        assertEquals(
                List.of(),
                found(13, dropout("flat", "ratio", "train"), flag(true), TensorValues.floats("ratio", new float[1])));
        assertEquals(List.of(), found(10, dropout("flat")));
        assertEquals(List.of(), found(6, dropout("flat").addAttribute(GraphBuilder.integer("is_test", 1))));
        NodeProto.Builder dead = Graphs.node("RandomNormalLike", List.of("flat"), List.of("unused"));
        assertEquals(
                List.of(),
                RandomOperators.find(model(
                        17,
                        Graphs.image(
                                Graphs.node("Flatten", List.of("in"), List.of("flat")),
                                dead,
                                Graphs.node("Relu", List.of("flat"), List.of("out"))))));
    }

    @Test
    void branchesAndFunctionsAreLookedInto() {
        GraphProto branch = GraphProto.newBuilder()
                .setName("b")
                .addNode(Graphs.node("Bernoulli", List.of("flat"), List.of("o")))
                .addOutput(Graphs.value("o", Graphs.FLOAT, -1, -1))
                .build();
        assertEquals(
                1,
                found(
                                17,
                                Graphs.node("If", List.of("train"), List.of("out"))
                                        .addAttribute(Graphs.graph("then_branch", branch)),
                                flag(true))
                        .size());
        FunctionProto f = FunctionProto.newBuilder()
                .setDomain("own")
                .setName("Drop")
                .addInput("x")
                .addInput("t")
                .addOutput("y")
                .addNode(dropout("x", "", "t").clearOutput().addOutput("y"))
                .build();
        for (boolean trains : new boolean[] {true, false}) {
            ModelProto m = model(
                    17,
                    Graphs.image(
                                    Graphs.node("Flatten", List.of("in"), List.of("flat")),
                                    Graphs.node("Drop", List.of("flat", "train"), List.of("out"))
                                            .setDomain("own"))
                            .addInitializer(flag(trains)));
            assertEquals(
                    trains ? 1 : 0,
                    RandomOperators.find(m.toBuilder().addFunctions(f).build()).size());
        }
    }
}
