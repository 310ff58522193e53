// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.internal.TensorTypes;
import io.github.simclr4j.onnx.internal.TensorValues;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.Graphs;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.Sha256;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Broken and hostile files: each is refused with one sentence, before ONNX Runtime sees it. */
public class HostileFileTest {
    private static final byte[] GOOD = Foreign.model("tensorflow-nhwc");

    /** An image encoder with an If inside, whose branches use a value from around them. */
    public static byte[] withSubgraph() {
        return Graphs.model(Graphs.image(
                        Graphs.node("Flatten", List.of("in"), List.of("flat")),
                        Graphs.node("If", List.of("yes"), List.of("out"))
                                .addAttribute(Graphs.graph("then_branch", branch("Relu")))
                                .addAttribute(Graphs.graph("else_branch", branch("Neg"))))
                .addInitializer(TensorProto.newBuilder()
                        .setName("yes")
                        .setDataType(TensorProto.DataType.BOOL_VALUE)
                        .setRawData(ByteString.copyFrom(new byte[] {1}))));
    }

    private static GraphProto branch(String op) {
        return GraphProto.newBuilder()
                .setName(op)
                .addNode(Graphs.node(op, List.of("flat"), List.of(op)))
                .addOutput(Graphs.value(op, Graphs.FLOAT, -1, -1))
                .build();
    }

    private static void refused(byte[] bytes, String why) {
        IOException e = assertThrows(
                InvalidEncoderException.class,
                () -> OnnxEncoder.open(bytes, "x.onnx", 1).close());
        assertTrue(e.getMessage().startsWith("x.onnx") && e.getMessage().contains(why), e.getMessage());
        assertFalse(e.getMessage().contains("ONNX Runtime can't"), e.getMessage());
    }

    private static void changed(String why, Consumer<ModelProto.Builder> change) {
        refused(Graphs.changed(GOOD, change), why);
    }

    @Test
    void aSubgraphWorks() throws IOException {
        try (OnnxEncoder e = OnnxEncoder.open(withSubgraph(), "if", 1)) {
            assertEquals(192, e.embed(Foreign.pictures(8))[1].length);
        }
    }

    @Test
    void cutFilesAreRefused() {
        for (int length : new int[] {0, 1, 10, 500, GOOD.length / 2, GOOD.length - 1}) {
            refused(Arrays.copyOf(GOOD, length), "not an ONNX file");
        }
    }

    @Test
    void versionsAreChecked() {
        changed("IR version 99", b -> b.setIrVersion(99));
        changed("IR version 2", b -> b.setIrVersion(2));
        changed("opset 99", b -> b.getOpsetImportBuilder(0).setVersion(99));
        changed("opset -1", b -> b.getOpsetImportBuilder(0).setVersion(-1));
        changed("imports no opset", ModelProto.Builder::clearOpsetImport);
        changed("imported twice", b -> b.addOpsetImport(b.getOpsetImport(0)));
    }

    @Test
    void namesAndOrderAreChecked() {
        changed(
                "cyclic",
                b -> b.getGraphBuilder()
                        .getNodeBuilder(1)
                        .setInput(0, b.getGraph().getNode(4).getOutput(0)));
        changed(
                "uses nothing, which nothing computes",
                b -> b.getGraphBuilder().getNodeBuilder(2).setInput(0, "nothing"));
        changed("defined twice", b -> b.getGraphBuilder().addNode(b.getGraph().getNode(0)));
        changed(
                "is defined twice",
                b -> b.getGraphBuilder().addInitializer(b.getGraph().getInitializer(0)));
        changed("used twice", b -> b.getGraphBuilder().addInput(b.getGraph().getInput(0)));
        changed(
                "computed by no node",
                b -> b.getGraphBuilder().getOutputBuilder(0).setName("other"));
        changed("not valid text", b -> b.getGraphBuilder().getNodeBuilder(0).setName("a\0b"));
        changed(
                "not valid text",
                b -> b.getGraphBuilder().getNodeBuilder(0).setNameBytes(ByteString.copyFrom(new byte[] {(byte) 0xf0})));
        changed("has no output", b -> b.getGraphBuilder().addNode(Graphs.node("Relu", List.of(), List.of())));
        changed("custom operators", b -> b.getGraphBuilder().getNodeBuilder(0).setDomain("com.vendor"));
    }

    @Test
    void nodesOutOfOrderAreSortedByOnnxRuntime() throws IOException {
        byte[] swapped = Graphs.changed(GOOD, b -> {
            var first = b.getGraph().getNode(0);
            b.getGraphBuilder().removeNode(0).addNode(first);
        });
        OnnxEncoder.open(swapped, "swapped", 1).close();
    }

    @Test
    void tensorsAreChecked() {
        changed(
                "do not match its shape",
                b -> b.getGraphBuilder().getInitializerBuilder(2).setDims(0, 9));
        changed(
                "has the shape",
                b -> b.getGraphBuilder().getInitializerBuilder(2).setDims(0, -8));
        changed(
                "has the shape",
                b -> b.getGraphBuilder()
                        .getInitializerBuilder(2)
                        .setDims(0, Long.MAX_VALUE)
                        .addDims(8));
        changed(
                "unknown type",
                b -> b.getGraphBuilder().getInitializerBuilder(2).setDataType(77));
        // Two gigabytes that are said but not there.
        changed(
                "do not match its shape",
                b -> b.getGraphBuilder().getInitializerBuilder(2).clearDims().addDims(1 << 29));
        changed(
                "dimension of",
                b -> b.getGraphBuilder()
                        .getInputBuilder(0)
                        .getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder()
                        .getDimBuilder(1)
                        .setDimValue(1L << 40));
        changed(
                "4096",
                b -> b.getGraphBuilder()
                        .getInputBuilder(0)
                        .getTypeBuilder()
                        .getTensorTypeBuilder()
                        .getShapeBuilder()
                        .getDimBuilder(1)
                        .setDimValue(1L << 13));
        changed("strides", b -> attribute(b, 1, "strides", 0));
        changed(
                "group",
                b -> b.getGraphBuilder().getNodeBuilder(4).getAttributeBuilderList().stream()
                        .filter(a -> a.getName().equals("group"))
                        .forEach(a -> a.setI(0)));
        changed("pads", b -> attribute(b, 1, "pads", 1L << 40));
        changed(
                "a value of its type",
                b -> b.getGraphBuilder()
                        .getNodeBuilder(1)
                        .getAttributeBuilder(0)
                        .setF(1));
    }

    /** Found by mutating: an axis like this makes ONNX Runtime 1.28 read outside its memory. */
    @Test
    void axesThatKillTheJvmAreRefused() {
        refused(
                Graphs.changed(
                        Foreign.model("vit-tokens"),
                        b -> b.getGraphBuilder().getNodeBuilderList().stream()
                                .filter(n -> n.getOpType().equals("Gather"))
                                .forEach(n -> n.getAttributeBuilder(0).setI(Long.MIN_VALUE))),
                "axis");
        refused(
                Graphs.model(Graphs.image(Graphs.node("Unsqueeze", List.of("in", "a"), List.of("out")))
                        .addInitializer(Graphs.shape("a", Long.MIN_VALUE))),
                "axis");
    }

    private static void attribute(ModelProto.Builder b, int node, String name, long value) {
        b.getGraphBuilder().getNodeBuilder(node).getAttributeBuilderList().stream()
                .filter(a -> a.getName().equals(name))
                .forEach(a -> a.setInts(0, value));
    }

    @Test
    void absurdOutputsAreRefused() {
        for (String op : List.of("Reshape", "Expand", "Tile")) {
            refused(
                    Graphs.model(Graphs.image(Graphs.node(op, List.of("in", "shape"), List.of("out")))
                            .addInitializer(Graphs.shape("shape", 1 << 20, 1 << 20, 1, 1))),
                    "asks for");
        }
        refused(
                Graphs.model(Graphs.image(
                                Graphs.node("ConstantOfShape", List.of("shape"), List.of("big")),
                                Graphs.node("Add", List.of("in", "big"), List.of("out")))
                        .addInitializer(Graphs.shape("shape", 1, 3, 1 << 20, 1 << 20))),
                "asks for");
    }

    /** A Constant says what it is in one of five attributes, and a graph's constants are seen in the graphs inside it. */
    @Test
    void absurdConstantsAreSeenWhereverTheyAre(@TempDir Path dir) throws IOException {
        NodeProto.Builder grow = Graphs.node("ConstantOfShape", List.of("s"), List.of("big"));
        NodeProto.Builder add = Graphs.node("Add", List.of("in", "big"), List.of("out"));
        NodeProto.Builder ints = Graphs.node("Constant", List.of(), List.of("s"))
                .addAttribute(Graphs.ints("value_ints", 1 << 16, 1 << 16));
        NodeProto.Builder one = Graphs.node("Constant", List.of(), List.of("s"))
                .addAttribute(GraphBuilder.integer("value_int", 1L << 40));
        NodeProto.Builder floats = Graphs.node("Constant", List.of(), List.of("s"))
                .addAttribute(AttributeProto.newBuilder()
                        .setName("value_floats")
                        .setType(AttributeType.FLOATS)
                        .addAllFloats(List.of(1f, 1f, 1e6f, 1e6f)));
        refused(Graphs.model(Graphs.image(ints, grow, add)), "asks for");
        refused(Graphs.model(Graphs.image(grow, add, ints)), "asks for");
        refused(
                Graphs.model(Graphs.image(one, Graphs.node("Range", List.of("s", "s", "s"), List.of("big")), add)),
                "asks for");
        refused(
                Graphs.model(Graphs.image(floats, Graphs.node("Resize", List.of("in", "", "s"), List.of("out")))),
                "1000000.0");
        refused(
                Graphs.model(Graphs.image(
                        ints.clone().setOutput(0, "t"),
                        Graphs.node("Identity", List.of("t"), List.of("s")),
                        grow,
                        add)),
                "asks for");
        GraphProto inner = GraphProto.newBuilder()
                .setName("inner")
                .addNode(grow)
                .addOutput(Graphs.value("big", Graphs.FLOAT, -1, -1))
                .build();
        refused(
                Graphs.changed(withSubgraph(), b -> {
                    b.getGraphBuilder().addInitializer(Graphs.shape("s", 1 << 16, 1 << 16));
                    b.getGraphBuilder().getNodeBuilder(1).getAttributeBuilder(0).setG(inner);
                }),
                "asks for");
        byte[] shape = new byte[16];
        shape[4] = 1;
        shape[12] = 1;
        Files.write(dir.resolve("s.bin"), shape);
        byte[] outside = Graphs.model(Graphs.image(grow, add)
                .addInitializer(TensorProto.newBuilder()
                        .setName("s")
                        .addDims(2)
                        .setDataType(TensorProto.DataType.INT64_VALUE)
                        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                        .addExternalData(GraphBuilder.entry("location", "s.bin"))));
        IOException e = assertThrows(
                InvalidEncoderException.class, () -> OnnxEncoder.open(Files.write(dir.resolve("e.onnx"), outside)));
        assertTrue(e.getMessage().contains("asks for"), e.getMessage());
    }

    @Test
    void anEndlessLoopIsRefused() {
        GraphProto body = GraphProto.newBuilder()
                .setName("body")
                .addInput(Graphs.value("i", TensorProto.DataType.INT64_VALUE))
                .addInput(Graphs.value("go", TensorProto.DataType.BOOL_VALUE))
                .addInput(Graphs.value("x", Graphs.FLOAT, -1, -1))
                .addNode(Graphs.node("Identity", List.of("go"), List.of("on")))
                .addNode(Graphs.node("Relu", List.of("x"), List.of("y")))
                .addOutput(Graphs.value("on", TensorProto.DataType.BOOL_VALUE))
                .addOutput(Graphs.value("y", Graphs.FLOAT, -1, -1))
                .build();
        refused(
                Graphs.model(Graphs.image(
                                Graphs.node("Flatten", List.of("in"), List.of("flat")),
                                Graphs.node("Loop", List.of("rounds", "", "flat"), List.of("out"))
                                        .addAttribute(Graphs.graph("body", body)))
                        .addInitializer(Graphs.shape("rounds", 1L << 40))),
                "loops");
    }

    @Test
    void manySubgraphsTakeNoTime() {
        GraphProto.Builder g = Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("flat")));
        for (int i = 0; i < 20_000; i++) {
            g.addNode(Graphs.node("If", List.of("yes"), List.of(i == 0 ? "out" : "out" + i))
                    .addAttribute(Graphs.graph("then_branch", branch("Relu")))
                    .addAttribute(Graphs.graph("else_branch", branch("Neg"))));
        }
        g.addInitializer(TensorProto.newBuilder()
                .setName("yes")
                .setDataType(TensorProto.DataType.BOOL_VALUE)
                .addInt32Data(1));
        byte[] bytes = Graphs.model(g);
        assertTimeoutPreemptively(java.time.Duration.ofSeconds(20), () -> ModelValidator.check(bytes, "x.onnx", null));
    }

    @Test
    void deepNestingIsRefused() throws IOException {
        GraphProto g = branch("Relu");
        for (int i = 0; i < 12; i++) {
            g = GraphProto.newBuilder()
                    .setName("g")
                    .addNode(Graphs.node("If", List.of("yes"), List.of("o" + i))
                            .addAttribute(Graphs.graph("then_branch", g)))
                    .addOutput(Graphs.value("o" + i, Graphs.FLOAT, -1, -1))
                    .build();
        }
        GraphProto deep = g;
        byte[] bytes = Graphs.changed(
                withSubgraph(),
                b -> b.getGraphBuilder()
                        .getNodeBuilder(1)
                        .getAttributeBuilder(0)
                        .setG(deep));
        refused(bytes, "deep");
        // Messages in messages, a hundred thousand of them, written from the inside.
        byte[] inner = new byte[0];
        for (int i = 0; i < 3000; i++) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            CodedOutputStream coded = CodedOutputStream.newInstance(out);
            coded.writeByteArray(i % 3 == 0 ? 7 : i % 3 == 1 ? 5 : 1, inner);
            coded.flush();
            inner = out.toByteArray();
        }
        refused(inner, "not an ONNX file");
    }

    private static FunctionProto.Builder function(String name, NodeProto.Builder... nodes) {
        FunctionProto.Builder f = FunctionProto.newBuilder()
                .setName(name)
                .setDomain("mine")
                .addInput("x")
                .addOutput("y")
                .addOpsetImport(Opset.proto(1).toBuilder().setDomain("mine"))
                .addOpsetImport(Opset.proto(13));
        for (NodeProto.Builder n : nodes) {
            f.addNode(n);
        }
        return f;
    }

    private static NodeProto.Builder call(String function, String in, String out) {
        return Graphs.node(function, List.of(in), List.of(out)).setDomain("mine");
    }

    private static byte[] withFunctions(NodeProto.Builder node, FunctionProto.Builder... functions) {
        return Graphs.changed(
                Graphs.model(Graphs.image(node, Graphs.node("Flatten", List.of("f"), List.of("out")))), b -> {
                    b.addOpsetImport(Opset.proto(1).toBuilder().setDomain("mine"));
                    List.of(functions).forEach(b::addFunctions);
                });
    }

    /** An image encoder with a function in a function, which hands an attribute on under another name. */
    public static byte[] withFunctions() {
        return withFunctions(
                call("Outer", "in", "f").addAttribute(Graphs.ints("step", 2, 2)),
                function("Pool", pool(reference("strides", "s"))).addAttribute("s"),
                function("Outer", call("Pool", "x", "y").addAttribute(reference("s", "step")))
                        .addAttribute("step"));
    }

    private static AttributeProto reference(String name, String to) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setRefAttrName(to)
                .setType(AttributeType.INTS)
                .build();
    }

    private static NodeProto.Builder pool(AttributeProto strides) {
        return Graphs.node("MaxPool", List.of("x"), List.of("y"))
                .addAttribute(Graphs.ints("kernel_shape", 2, 2))
                .addAttribute(strides);
    }

    @Test
    void functionsWork() throws IOException {
        try (OnnxEncoder e = OnnxEncoder.open(withFunctions(), "functions", 1)) {
            assertEquals(3 * 4 * 4, e.embed(Foreign.pictures(8))[1].length);
        }
    }

    @Test
    void functionsThatCallThemselvesAreRefused() {
        refused(withFunctions(call("F", "in", "f"), function("F", call("F", "x", "y"))), "calls itself");
        // "ai.onnx" is another name of the default domain.
        refused(
                withFunctions(
                        Graphs.node("F", List.of("in"), List.of("f")),
                        function("F", Graphs.node("F", List.of("x"), List.of("y")))
                                .setDomain("ai.onnx")),
                "calls itself");
    }

    /** Thirty functions that each call the one before twice: ONNX Runtime 1.28 takes all memory and kills the process. */
    @Test
    void functionsThatMultiplyAreRefused() {
        FunctionProto.Builder[] all = new FunctionProto.Builder[30];
        all[0] = function("F0", Graphs.node("Relu", List.of("x"), List.of("y")));
        for (int i = 1; i < all.length; i++) {
            all[i] = function("F" + i, call("F" + (i - 1), "x", "m"), call("F" + (i - 1), "m", "y"));
        }
        refused(withFunctions(call("F29", "in", "f"), all), "nodes");
        // A megabyte in each of a thousand copies.
        FunctionProto.Builder[] large = Arrays.copyOf(all, 11);
        large[0] = function(
                "F0",
                Graphs.node("Constant", List.of(), List.of("c"))
                        .addAttribute(AttributeProto.newBuilder()
                                .setName("value")
                                .setType(AttributeType.TENSOR)
                                .setT(TensorValues.floats("c", new float[1 << 18], 1 << 18))),
                Graphs.node("Relu", List.of("x"), List.of("y")));
        refused(withFunctions(call("F10", "in", "f"), large), "kilobytes");
    }

    /** What a reference stands for is checked under the name that it is used as. */
    @Test
    void attributesByReferenceAreChecked() {
        FunctionProto.Builder pool = function("Pool", pool(reference("strides", "s")));
        FunctionProto.Builder outer = function("Outer", call("Pool", "x", "y").addAttribute(reference("s", "step")));
        refused(withFunctions(call("Pool", "in", "f").addAttribute(Graphs.ints("s", 0, 0)), pool), "strides");
        refused(
                withFunctions(call("Outer", "in", "f").addAttribute(Graphs.ints("step", 0, 0)), pool, outer),
                "strides");
        refused(
                withFunctions(
                        call("Pool", "in", "f"),
                        function("Pool", pool(reference("strides", "s"))).addAttributeProto(Graphs.ints("s", 0, 0))),
                "strides");
        refused(
                withFunctions(
                        call("Pool", "in", "f"),
                        function(
                                "Pool",
                                pool(reference("strides", "s").toBuilder()
                                        .addInts(1)
                                        .addInts(1)
                                        .build()))),
                "a reference to another");
        refused(
                withFunctions(
                        call("Pool", "in", "f"),
                        function("Pool", pool(Graphs.ints("strides", 1, 1)))
                                .addAttributeProto(Graphs.graph("g", branch("Relu")))),
                "a graph as the default");
        // In the main graph there is nothing to refer to.
        refused(
                Graphs.changed(
                        Foreign.model("vit-tokens"),
                        b -> b.getGraphBuilder().getNodeBuilderList().stream()
                                .filter(n -> n.getOpType().equals("Gather"))
                                .forEach(n -> n.getAttributeBuilder(0)
                                        .setI(Long.MIN_VALUE)
                                        .setRefAttrName("x"))),
                "refers to");
        refused(
                Graphs.model(Graphs.image(
                        Graphs.node("Constant", List.of(), List.of("c"))
                                .addAttribute(AttributeProto.newBuilder()
                                        .setName("value")
                                        .setType(AttributeType.TENSOR)
                                        .setRefAttrName("x")
                                        .setT(TensorProto.newBuilder()
                                                .setDataType(Graphs.FLOAT)
                                                .addDims(1)
                                                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                                                .addExternalData(GraphBuilder.entry("location", "../secret.bin")))),
                        Graphs.node("Mul", List.of("in", "c"), List.of("out")))),
                "external data");
    }

    @Test
    void whatAFunctionIsGivenIsChecked() {
        refused(
                Graphs.changed(
                        withFunctions(
                                Graphs.node("Grow", List.of("in", "big"), List.of("f"))
                                        .setDomain("mine"),
                                function("Grow", Graphs.node("Expand", List.of("x", "s"), List.of("y")))
                                        .addInput("s")),
                        b -> b.getGraphBuilder().addInitializer(Graphs.shape("big", 1 << 20, 3, 1 << 20, 8))),
                "asks for");
        refused(
                Graphs.changed(
                        withFunctions(
                                call("F", "in", "f"), function("F", Graphs.node("Relu", List.of("x"), List.of("y")))),
                        b -> b.getFunctionsBuilder(0).getOpsetImportBuilder(1).setVersion(99)),
                "opset 99");
    }

    @Test
    void graphsThatAreNoImageEncodersAreRefused() {
        refused(
                Graphs.model(GraphProto.newBuilder()
                        .addInput(Graphs.value("in", Graphs.FLOAT, -1, 4))
                        .addNode(Graphs.node("Relu", List.of("in"), List.of("out")))
                        .addOutput(Graphs.value("out", Graphs.FLOAT, -1, 4))),
                "image encoder");
        refused(
                Graphs.model(Graphs.image(Graphs.node("ReduceMean", List.of("in"), List.of("out"))
                        .addAttribute(ai.onnx.proto.OnnxMl.AttributeProto.newBuilder()
                                .setName("keepdims")
                                .setI(0)
                                .setType(ai.onnx.proto.OnnxMl.AttributeProto.AttributeType.INT)))),
                "image encoder");
        refused(
                Graphs.model(Graphs.image(Graphs.node("Shape", List.of("in"), List.of("out")))
                        .setOutput(0, Graphs.value("out", TensorProto.DataType.INT64_VALUE, 4))),
                "image encoder");
        refused(
                Graphs.model(Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("out")))
                        .addInput(Graphs.value("text", TensorProto.DataType.INT64_VALUE, -1, 77))),
                "more than an image");
        refused(
                Graphs.model(Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("out")))
                        .addInput(Graphs.value("in2", Graphs.FLOAT, -1, 3, 8, 8))),
                "several inputs");
    }

    /** A graph [N, 3, 8, 8] times a weight that is outside. */
    private static byte[] external(String location, String offset, String length) {
        TensorProto.Builder w = TensorProto.newBuilder()
                .setName("w")
                .setDataType(Graphs.FLOAT)
                .addDims(3)
                .addDims(8)
                .addDims(8)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL);
        String[][] entries = {{"location", location}, {"offset", offset}, {"length", length}};
        for (String[] e : entries) {
            w.addExternalData(StringStringEntryProto.newBuilder().setKey(e[0]).setValue(e[1]));
        }
        return Graphs.model(Graphs.image(
                        Graphs.node("Mul", List.of("in", "w"), List.of("m")),
                        Graphs.node("Flatten", List.of("m"), List.of("out")))
                .addInitializer(w));
    }

    @Test
    void externalDataInTheFolderIsReadAndHashed(@TempDir Path dir) throws IOException {
        Files.createDirectories(dir.resolve("data"));
        byte[] data = new byte[16 + 768];
        for (int i = 0; i < 192; i++) {
            java.nio.ByteBuffer.wrap(data)
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .putFloat(16 + 4 * i, i);
        }
        Path weights = Files.write(dir.resolve("data/w.bin"), data);
        Path file = Files.write(dir.resolve("e.onnx"), external("data/w.bin", "16", "768"));
        EncoderSettings raw = EncoderSettings.of(java.util.Map.of("scale", "1"), "argument");
        String hash;
        try (OnnxEncoder e = OnnxEncoder.open(file, raw, RuntimeSettings.DEFAULT)) {
            RgbImage p = Foreign.picture(8, 8, 0);
            float[] v = e.embed(List.of(p))[0];
            for (int i = 0; i < 192; i++) {
                assertEquals(i * (p.rgb()[i % 64 * 3 + i / 64] & 255), v[i]);
            }
            hash = e.sha256();
        }
        assertEquals(hash, OnnxEncoder.sha256(file));
        data[20]++;
        Files.write(weights, data);
        assertNotEquals(hash, OnnxEncoder.sha256(file));
        try (OnnxEncoder e = OnnxEncoder.open(file, raw, RuntimeSettings.DEFAULT)) {
            assertEquals(e.sha256(), OnnxEncoder.sha256(file));
            assertNotEquals(hash, e.sha256(), "the data belongs to the encoder");
        }
        refused(external("data/w.bin", "16", "768"), "open it as a file");
        for (String[] bad : new String[][] {
            {"data/w.bin", "17", "768"},
            {"data/w.bin", "16", "700"},
            {"data/w.bin", "-1", "768"},
            {"data/none.bin", "0", "768"},
            {"data", "0", "768"},
            {"data/w.bin", "x", "768"},
            {"", "0", "768"}
        }) {
            Files.write(file, external(bad[0], bad[1], bad[2]));
            assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(file), Arrays.toString(bad));
            assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.sha256(file), Arrays.toString(bad));
        }
        // A file of its own is the same to all three.
        Files.write(file, GOOD);
        try (OnnxEncoder e = OnnxEncoder.open(file)) {
            assertEquals(e.sha256(), OnnxEncoder.sha256(file));
            assertEquals(Sha256.hex(GOOD), OnnxEncoder.sha256(file));
        }
    }

    /** 2^58 values of 64 bits are 2^64 bits, which a long takes for none. */
    @Test
    void aShapeWhoseBitsOverflowIsRefused() {
        refused(
                Graphs.model(Graphs.image(Graphs.node("Flatten", List.of("in"), List.of("out")))
                        .addInitializer(TensorProto.newBuilder()
                                .setName("w")
                                .setDataType(TensorProto.DataType.DOUBLE_VALUE)
                                .addDims(1L << 58)
                                .setRawData(ByteString.EMPTY))),
                "has the shape [288230376151711744]");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void externalDataOutsideTheFolderIsRefused(@TempDir Path dir) throws IOException {
        Path inner = Files.createDirectories(dir.resolve("inner"));
        Path secret = Files.write(dir.resolve("secret.bin"), new byte[768]);
        Files.createSymbolicLink(inner.resolve("link.bin"), secret);
        Files.createSymbolicLink(inner.resolve("up"), dir);
        Files.createDirectory(inner.resolve("folder"));
        Files.write(inner.resolve("w.bin"), new byte[768]);
        Path file = inner.resolve("e.onnx");
        for (String location : List.of(
                "../secret.bin",
                secret.toString(),
                "link.bin",
                "up/secret.bin",
                "a/../../secret.bin",
                "..\\secret.bin",
                "C:/secret.bin",
                "./../secret.bin",
                "folder/../w.bin")) {
            Files.write(file, external(location, "0", "768"));
            IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(file), location);
            assertTrue(
                    e.getMessage().contains("outside its folder")
                            || e.getMessage().contains("can't be read"),
                    e.getMessage());
            // The inspector has the same rule.
            String problem = ModelInspector.check(file).problems().get(0);
            assertTrue(problem.startsWith("initialiser w: the file has external data outside its folder"), problem);
        }
        // A link to a file in the same folder is fine.
        Files.createSymbolicLink(inner.resolve("same.bin"), Path.of("w.bin"));
        Files.write(file, external("same.bin", "0", "768"));
        OnnxEncoder.open(file).close();
    }

    @Test
    void aFileOfMoreThanTwoGigabytesIsRefusedUnread(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("big.onnx");
        try (RandomAccessFile f = new RandomAccessFile(file.toFile(), "rw")) {
            // A sparse file: it takes no room.
            f.setLength(Integer.MAX_VALUE + 1000L);
        }
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(file));
        assertTrue(e.getMessage().contains("2 GB"), e.getMessage());
    }

    @Test
    void halfPrecisionIsIeee() {
        // Every half that is a number comes back; the values between go to the nearest, ties to the even one.
        for (int h = 0; h < 65_536; h++) {
            float f = TensorTypes.toFloat32((short) h);
            if (!Float.isNaN(f)) {
                assertEquals((short) h, TensorTypes.toFloat16(f), Integer.toHexString(h));
            }
        }
        assertArrayEquals(new float[] {1, 65504, 0x1p-24f, -2}, new float[] {
            TensorTypes.toFloat32((short) 0x3c00),
            TensorTypes.toFloat32((short) 0x7bff),
            TensorTypes.toFloat32((short) 1),
            TensorTypes.toFloat32((short) 0xc000)
        });
        assertEquals(TensorTypes.toFloat16(1f), TensorTypes.toFloat16(1 + 0x1p-11f));
        assertEquals(TensorTypes.toFloat16(1 + 0x1p-9f), TensorTypes.toFloat16(1 + 3 * 0x1p-11f));
        assertEquals(0x7c00, TensorTypes.toFloat16(1e9f));
    }
}
