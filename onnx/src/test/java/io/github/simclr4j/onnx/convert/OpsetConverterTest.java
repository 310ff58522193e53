// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.runtime.Graphs;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** An operator that moves to another opset computes there what it did. */
class OpsetConverterTest {
    private static final float[] X = new float[2 * 3 * 8 * 8];

    static {
        Random r = new Random(1);
        for (int i = 0; i < X.length; i++) {
            X[i] = 2 * r.nextFloat() - 1;
        }
    }

    private static AttributeProto text(String name, String value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeType.STRING)
                .setS(ByteString.copyFromUtf8(value))
                .build();
    }

    /** A graph [N, 3, 8, 8] of some nodes; "pads", "half" and so on are constants for them. */
    private static ModelProto model(int opset, NodeProto.Builder... nodes) {
        GraphProto.Builder g = Graphs.image(nodes)
                .setOutput(0, Graphs.value("out", Graphs.FLOAT))
                .addInitializer(Graphs.shape("pads", 0, 0, 1, 2, 0, 0, 2, 1))
                .addInitializer(Graphs.shape("two", 2))
                .addInitializer(Graphs.shape("parts", 1, 2))
                .addInitializer(Graphs.shape("tiles", 1, 1, 2, 1))
                .addInitializer(Graphs.shape("axes", 2, 3))
                .addInitializer(TensorValues.floats("half", new float[] {0.5f}))
                .addInitializer(TensorValues.floats("w", java.util.Arrays.copyOf(X, 3 * 2 * 9), 3, 2, 3, 3))
                .addInitializer(TensorValues.floats("three", new float[] {0.5f, 1, 2}, 3));
        g.getOutputBuilder(0).getTypeBuilder().getTensorTypeBuilder().clearShape();
        try {
            return ModelProto.parseFrom(Graphs.model(g)).toBuilder()
                    .clearOpsetImport()
                    .addOpsetImport(Opset.proto(opset))
                    .setIrVersion(Opset.irVersion(opset))
                    .build();
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private static float[] run(ModelProto model) {
        OrtEnvironment env = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = env.createSession(model.toByteArray(), options);
                OnnxTensor in = OnnxTensor.createTensor(env, FloatBuffer.wrap(X), new long[] {2, 3, 8, 8});
                OrtSession.Result out = session.run(Map.of("in", in))) {
            FloatBuffer b = ((OnnxTensor) out.get(0)).getFloatBuffer();
            float[] v = new float[b.remaining()];
            b.get(v);
            return v;
        } catch (OrtException e) {
            throw new AssertionError(model.getGraph().getNodeList() + ": " + e.getMessage(), e);
        }
    }

    private static NodeProto.Builder node(String op, String... in) {
        return Graphs.node(op, List.of(in), List.of("out"));
    }

    private static NodeProto.Builder to(NodeProto.Builder node, String... out) {
        return node.clearOutput().addAllOutput(List.of(out));
    }

    /** What gives truth or whole numbers, as float. */
    private static ModelProto cast(NodeProto.Builder node) {
        return model(13, to(node, "v"), node("Cast", "v").addAttribute(GraphBuilder.integer("to", Graphs.FLOAT)));
    }

    @Test
    void operatorsComputeTheSame() {
        AttributeProto ceil = GraphBuilder.integer("ceil_mode", 1);
        AttributeProto kernel = Graphs.ints("kernel_shape", 3, 3);
        AttributeProto strides = Graphs.ints("strides", 2, 2);
        AttributeProto pads = Graphs.ints("pads", 1, 1, 1, 1);
        AttributeProto axis = GraphBuilder.integer("axis", 1);
        for (ModelProto m : List.of(
                model(13, node("ReduceSum", "in", "axes")),
                model(13, node("Pad", "in", "pads", "half")),
                model(13, node("Pad", "in", "pads").addAttribute(text("mode", "reflect"))),
                model(
                        13,
                        node("MaxPool", "in")
                                .addAttribute(kernel)
                                .addAttribute(strides)
                                .addAttribute(ceil)),
                model(
                        13,
                        node("MaxPool", "in")
                                .addAttribute(kernel)
                                .addAttribute(strides)
                                .addAttribute(pads)
                                .addAttribute(ceil)),
                model(13, node("AveragePool", "in").addAttribute(kernel).addAttribute(strides)),
                model(
                        13,
                        node("AveragePool", "in")
                                .addAttribute(kernel)
                                .addAttribute(strides)
                                .addAttribute(pads)
                                .addAttribute(GraphBuilder.integer("count_include_pad", 1))),
                model(
                        13,
                        node("AveragePool", "in")
                                .addAttribute(kernel)
                                .addAttribute(strides)
                                .addAttribute(pads)
                                .addAttribute(ceil)),
                model(13, to(node("Split", "in", "parts").addAttribute(axis), "a", "b"), node("Mul", "a", "b")),
                model(
                        13,
                        to(node("Split", "in").addAttribute(GraphBuilder.integer("axis", 2)), "a", "b"),
                        node("Mul", "a", "b")),
                model(13, node("ConvTranspose", "in", "w").addAttribute(strides)),
                model(13, node("LpNormalization", "in").addAttribute(axis)),
                model(13, node("Max", "in", "half")),
                model(13, node("Min", "in", "half")),
                model(13, node("Mean", "in", "half")),
                model(13, node("Sum", "in", "half")),
                model(13, node("Mod", "in", "half").addAttribute(GraphBuilder.integer("fmod", 1))),
                model(13, node("Tile", "in", "tiles")),
                model(13, node("Round", "in")),
                model(13, node("Selu", "in")),
                model(13, node("Celu", "in")),
                model(13, node("Softsign", "in")),
                model(13, node("Sign", "in")),
                model(13, node("Ceil", "in")),
                model(13, node("Floor", "in")),
                model(13, node("CumSum", "in", "two")),
                model(13, node("LRN", "in").addAttribute(GraphBuilder.integer("size", 3))),
                model(13, to(node("Abs", "in"), "a"), node("Log", "a")),
                model(13, node("Einsum", "in", "in").addAttribute(text("equation", "bchw,bcxw->bhx"))),
                model(13, to(node("TopK", "in", "two"), "out", "rest")),
                model(14, node("Trilu", "in")),
                model(14, node("HardSwish", "in")),
                cast(node("ArgMax", "in").addAttribute(axis)),
                cast(node("ArgMin", "in").addAttribute(axis)),
                cast(node("Equal", "in", "half")),
                cast(node("Greater", "in", "half")),
                cast(node("Less", "in", "half")),
                cast(node("GreaterOrEqual", "in", "half")),
                cast(node("LessOrEqual", "in", "half")),
                cast(node("Size", "in")),
                model(13, to(node("Shape", "in"), "s"), to(node("ConstantOfShape", "s"), "a"), node("Add", "in", "a")),
                model(
                        13,
                        to(node("Equal", "in", "in"), "a"),
                        to(node("Not", "a"), "b"),
                        to(node("And", "a", "b"), "c"),
                        to(node("Or", "c", "a"), "d"),
                        node("Where", "d", "in", "half")))) {
            float[] expected = run(m);
            for (int opset : new int[] {15, 18, 19, 21, 22, 24, 26}) {
                ModelProto up = OpsetConverter.to(m, opset);
                assertArrayEquals(
                        expected, run(up), 1e-6f, m.getGraph().getNode(0).getOpType() + " at opset " + opset);
                if (!m.getGraph().getNode(0).getOpType().equals("Split")
                        && m.getOpsetImport(0).getVersion() == 13) {
                    assertArrayEquals(expected, run(OpsetConverter.to(up, 13)), 1e-6f);
                }
            }
        }
    }

    @Test
    void whatAnOlderOpsetLacksIsRefused() {
        refused(
                "Split.num_outputs",
                13,
                model(18, to(node("Split", "in").addAttribute(GraphBuilder.integer("num_outputs", 2)), "out", "b")));
        refused("Pad", 17, model(18, node("Pad", "in", "two", "half", "axes")));
        refused("Pad", 18, model(19, node("Pad", "in", "pads").addAttribute(text("mode", "wrap"))));
        refused("no operator Swish", 23, model(24, node("Swish", "in")));
        refused("no operator RMSNormalization", 22, model(23, node("RMSNormalization", "in", "three")));
        refused(
                "BatchNormalization",
                14,
                model(13, to(node("BatchNormalization", "in", "three", "three", "three", "three"), "out", "mean")));
        // ONNX Runtime 1.28 divides by more than the padding below 19.
        refused(
                "AveragePool",
                19,
                model(
                        18,
                        node("AveragePool", "in")
                                .addAttribute(Graphs.ints("kernel_shape", 3, 3))
                                .addAttribute(GraphBuilder.integer("ceil_mode", 1))
                                .addAttribute(GraphBuilder.integer("count_include_pad", 1))));
        for (String op : List.of("Resize", "GroupNormalization", "If", "GridSample", "Attention")) {
            refused("Can't convert the operator  " + op, 18, model(21, node(op, "in")));
        }
        refused(
                "not an int64 constant",
                13,
                Graphs.builder(model(18, node("ReduceMean", "in", "half")).toByteArray())
                        .build());
        // No input at all is no operator's fault here: ONNX Runtime says what it lacks.
        assertEquals(
                0,
                OpsetConverter.to(model(18, node("ReduceMean")), 13)
                        .getGraph()
                        .getNode(0)
                        .getInputCount());
    }

    private static void refused(String why, int opset, ModelProto model) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> OpsetConverter.to(model, opset));
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }
}
