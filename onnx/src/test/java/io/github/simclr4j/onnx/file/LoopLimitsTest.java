// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How often a model may repeat its nodes. */
class LoopLimitsTest {
    private static final TensorProto YES = TensorProto.newBuilder()
            .setName("yes")
            .setDataType(TensorProto.DataType.BOOL_VALUE)
            .addInt32Data(1)
            .build();

    /** A Loop of some rounds over a node that takes {@code xN} and gives {@code yN}. */
    private static NodeProto.Builder loop(int level, long rounds, NodeProto.Builder inner) {
        GraphProto body = GraphProto.newBuilder()
                .setName("body" + level)
                .addInput(Graphs.value("i" + level, TensorProto.DataType.INT64_VALUE))
                .addInput(Graphs.value("go" + level, TensorProto.DataType.BOOL_VALUE))
                .addInput(Graphs.value("x" + level, Graphs.FLOAT, -1, -1))
                .addInitializer(Graphs.shape("rounds" + (level + 1), 8))
                .addNode(Graphs.node("Identity", List.of("go" + level), List.of("on" + level)))
                .addNode(inner)
                .addOutput(Graphs.value("on" + level, TensorProto.DataType.BOOL_VALUE))
                .addOutput(Graphs.value("y" + level, Graphs.FLOAT, -1, -1))
                .build();
        return Graphs.node(
                        "Loop",
                        List.of("rounds" + level + "of" + rounds, "", level == 0 ? "flat" : "x" + (level - 1)),
                        List.of(level == 0 ? "out" : "y" + (level - 1)))
                .addAttribute(Graphs.graph("body", body));
    }

    private static GraphProto.Builder around(NodeProto.Builder outer, TensorProto... constants) {
        GraphProto.Builder g = Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("flat")), outer)
                .addInitializer(YES);
        for (TensorProto t : constants) {
            g.addInitializer(t);
        }
        return g;
    }

    private static TensorProto rounds(int level, long n) {
        return TensorProto.newBuilder()
                .setName("rounds" + level + "of" + n)
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addInt64Data(n)
                .build();
    }

    private static void refused(byte[] model) {
        IOException e = assertThrows(InvalidEncoderException.class, () -> ModelValidator.check(model, "x.onnx", null));
        assertTrue(e.getMessage().contains("loop"), e.getMessage());
    }

    private static byte[] nested(long outer, long inner) {
        NodeProto.Builder leaf = Graphs.node("Relu", List.of("x1"), List.of("y1"));
        return Graphs.model(around(loop(0, outer, loop(1, inner, leaf)), rounds(0, outer), rounds(1, inner)));
    }

    @Test
    void fourLoopsInsideEachOtherAreRefused() throws IOException {
        byte[] bytes = getClass()
                .getResourceAsStream("/io/github/simclr4j/onnx/cases/nested_loop_4.onnx")
                .readAllBytes();
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(bytes, "nested.onnx", 1));
        assertTrue(e.getMessage().contains("nested loops"), e.getMessage());
    }

    @Test
    void roundsInsideRoundsMultiply() {
        assertDoesNotThrow(() -> ModelValidator.check(nested(64, 64), "x.onnx", null));
        refused(nested(64, 65));
        refused(nested(4096, 2));
    }

    @Test
    void branchesAndFunctionsDoNotHideALoop() {
        NodeProto.Builder inner = loop(1, 100, Graphs.node("Relu", List.of("x1"), List.of("y1")));
        GraphProto branch = GraphProto.newBuilder()
                .setName("b")
                .addNode(inner)
                .addOutput(Graphs.value("y0", Graphs.FLOAT, -1, -1))
                .build();
        GraphProto other = GraphProto.newBuilder()
                .setName("o")
                .addNode(Graphs.node("Relu", List.of("x0"), List.of("z0")))
                .addOutput(Graphs.value("z0", Graphs.FLOAT, -1, -1))
                .build();
        NodeProto.Builder choice = Graphs.node("If", List.of("yes"), List.of("y0"))
                .addAttribute(Graphs.graph("then_branch", other))
                .addAttribute(Graphs.graph(
                        "else_branch",
                        branch.toBuilder()
                                .setOutput(0, Graphs.value("w0", Graphs.FLOAT, -1, -1))
                                .setNode(0, inner.clone().setOutput(0, "w0"))
                                .build()));
        refused(Graphs.model(around(loop(0, 100, choice), rounds(0, 100), rounds(1, 100))));
        FunctionProto f = FunctionProto.newBuilder()
                .setDomain("own")
                .setName("F")
                .addInput("x0")
                .addInput("rounds1of100")
                .addOutput("y0")
                .addOpsetImport(Opset.proto(13))
                .addNode(inner)
                .build();
        NodeProto.Builder call =
                Graphs.node("F", List.of("x0", "n"), List.of("y0")).setDomain("own");
        byte[] bytes = Graphs.model(around(
                loop(0, 100, call),
                rounds(0, 100),
                rounds(1, 100).toBuilder().setName("n").build()));
        refused(Graphs.changed(
                bytes,
                b -> b.addFunctions(f).addOpsetImport(Opset.proto(1).toBuilder().setDomain("own"))));
    }

    @Test
    void aScanInsideALoopIsRefusedUnlessItsLengthIsKnown() {
        GraphProto body = GraphProto.newBuilder()
                .setName("scan")
                .addInput(Graphs.value("e", Graphs.FLOAT, -1))
                .addNode(Graphs.node("Relu", List.of("e"), List.of("r")))
                .addOutput(Graphs.value("r", Graphs.FLOAT, -1))
                .build();
        NodeProto.Builder scan = Graphs.node("Scan", List.of("x0"), List.of("y0"))
                .addAttribute(Graphs.graph("body", body))
                .addAttribute(GraphBuilder.integer("num_scan_inputs", 1));
        refused(Graphs.model(around(loop(0, 10, scan), rounds(0, 10))));
        byte[] alone = Graphs.model(around(scan.clone().setInput(0, "flat").setOutput(0, "out")));
        assertDoesNotThrow(() -> ModelValidator.check(alone, "x.onnx", null));
    }

    @Test
    void loopsOneBehindTheOtherAddUp() throws IOException {
        GraphProto.Builder g = around(Graphs.node("Relu", List.of("flat"), List.of("out")), rounds(0, 4096));
        for (int k = 0; k < 20; k++) {
            g.addNode(loop(0, 4096, Graphs.node("Relu", List.of("x0"), List.of("y0")))
                    .setOutput(0, "loop" + k));
        }
        refused(Graphs.model(g));
        ModelProto few = ModelProto.parseFrom(Graphs.model(g.clone()
                .removeNode(21)
                .removeNode(20)
                .removeNode(19)
                .removeNode(18)
                .removeNode(17)
                .removeNode(16)));
        assertDoesNotThrow(() -> ModelValidator.check(few, "x.onnx", null));
    }
}
