// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.convert.CalibrationMethod;
import io.github.simclr4j.onnx.convert.CalibrationSettings;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.convert.Precision;
import io.github.simclr4j.onnx.file.HostileFileTest;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.internal.GraphBuilder;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.WeightReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Mutates good files, and opens, inspects and converts them and reads their weights. Each mutation ends in a result or in
 * one clear exception, never in a crash: a child process does the work, so that a crash is seen. Mutation n is the same in
 * every run; a longer run by hand:
 *
 * <pre>java -cp ... io.github.simclr4j.onnx.runtime.FuzzTest\$Child FROM TO</pre>
 */
@Tag("slow")
class FuzzTest {
    private static final int MUTATIONS = 3000;
    private static final int HANGS_AFTER_SECONDS = 90;

    @Test
    void noMutationCrashes() throws Exception {
        Process p = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        "0",
                        Integer.toString(MUTATIONS))
                .redirectErrorStream(true)
                .start();
        AtomicLong seen = new AtomicLong(System.nanoTime());
        Thread watch = new Thread(() -> {
            while (p.isAlive()) {
                if (System.nanoTime() - seen.get() > HANGS_AFTER_SECONDS * 1_000_000_000L) {
                    p.destroyForcibly();
                }
                try {
                    Thread.sleep(500);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        watch.setDaemon(true);
        watch.start();
        String last = "";
        List<String> wrong = new ArrayList<>();
        try (BufferedReader out = new BufferedReader(new InputStreamReader(p.getInputStream()))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                seen.set(System.nanoTime());
                last = line;
                if (line.startsWith("WRONG")) {
                    wrong.add(line);
                }
            }
        }
        assertEquals(0, p.waitFor(), "crashed or hung after: " + last);
        assertEquals(List.of(), wrong);
        assertTrue(last.startsWith("done " + MUTATIONS + " "), last);
        System.out.println(last);
    }

    /** Runs mutations. */
    static final class Child {
        private static final List<byte[]> BASES = new ArrayList<>();
        private static final long[] ODD = {
            0,
            -1,
            1,
            2,
            3,
            7,
            255,
            65_535,
            1 << 20,
            Integer.MAX_VALUE,
            1L << 32,
            Long.MAX_VALUE,
            Long.MIN_VALUE,
            -2,
            -1000
        };

        private static final String[] NAMES = {
            "x",
            "y",
            "in",
            "out",
            "s",
            "strides",
            "axis",
            "step",
            "value_ints",
            "Pool",
            "mine",
            "ai.onnx",
            "",
            "a\0b",
            "../x"
        };
        /** Small ones, which are drawn more often. */
        private static int small;

        /** Something that is done with a file. */
        private interface Use {
            void run() throws IOException;
        }

        public static void main(String[] args) throws IOException {
            long from = Long.parseLong(args[0]);
            long to = Long.parseLong(args[1]);
            ResNet tiny = new ResNet(18, 1.0 / 64, ResNet.Stem.CIFAR);
            // Without its checksum, which finds nearly every mutation: what is behind it is tried here.
            BASES.add(ModelChecksum.without(ModelProto.parseFrom(EncoderWriter.toBytes(
                            tiny, new Preprocessing(8), Weights.random(tiny), Map.of("training.seed", "1"))))
                    .toByteArray());
            BASES.add(HostileFileTest.withSubgraph());
            BASES.add(HostileFileTest.withFunctions());
            BASES.add(Graphs.flatten(3, 8, 8, Graphs.HALF));
            BASES.add(WinogradTest.small(128, 2, 2, 17).toByteArray());
            BASES.add(Foreign.model("tensorflow-nhwc"));
            small = BASES.size();
            for (String name :
                    List.of("resnet18-bytes", "resnet18-batchnorm", "vit-tokens", "mobilenet-v2", "convnext", "swin")) {
                BASES.add(Foreign.model(name));
            }
            Path dir = Files.createTempDirectory("fuzz");
            Path data = Files.write(dir.resolve("x.bin"), new byte[4096]);
            Path file = dir.resolve("mutation.onnx");
            Path out = dir.resolve("out.onnx");
            int opened = 0;
            int weights = 0;
            int converted = 0;
            long slowest = 0;
            for (long n = from; n < to; n++) {
                System.out.println(n);
                System.out.flush();
                long start = System.nanoTime();
                Files.write(file, mutate(n));
                opened += attempt(n, "open", () -> open(file));
                attempt(n, "inspect", () -> ModelInspector.check(file));
                weights += attempt(n, "weights", () -> WeightReader.read(file));
                attempt(n, "some weights", () -> WeightReader.read(file, tiny));
                if (n % 3 == 0) {
                    Conversion c = n % 30 == 0
                            ? new Conversion(
                                    Precision.INT8,
                                    0,
                                    true,
                                    new CalibrationSettings(
                                            List.of(Foreign.picture(8, 8, 1)), CalibrationMethod.MIN_MAX))
                            : new Conversion(
                                    n % 2 == 0 ? Precision.FLOAT16 : Precision.FLOAT32,
                                    13 + (int) (n / 3 % 14),
                                    true,
                                    null);
                    converted += attempt(n, "convert", () -> convert(c, file, out));
                }
                slowest = Math.max(slowest, System.nanoTime() - start);
            }
            for (Path p : List.of(data, file, out, dir)) {
                Files.deleteIfExists(p);
            }
            System.out.println("done " + (to - from) + " mutations: " + opened + " work, " + weights + " give weights, "
                    + converted + " are converted, the slowest took " + slowest / 1_000_000 + " ms");
        }

        private static void open(Path file) throws IOException {
            try (OnnxEncoder e =
                    OnnxEncoder.open(file, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(1))) {
                float[][] v = e.embed(
                        List.of(Foreign.picture(20, 30, 1), Foreign.picture(9, 9, 2), Foreign.picture(8, 8, 3)));
                assertTrue(v.length == 3 && v[0].length == e.dimension(), "no embeddings");
            } catch (InvalidEncoderException e) {
                assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
                throw e;
            } catch (IllegalStateException e) {
                assertTrue(
                        e instanceof InvalidFeaturesException || e.getMessage().startsWith("ONNX Runtime failed"),
                        e.getMessage());
            }
        }

        private static void convert(Conversion c, Path file, Path out) throws IOException {
            try {
                c.apply(file, out);
            } catch (IllegalStateException e) {
                // A sound graph may still not run.
                assertTrue(e.getMessage().contains("ONNX Runtime failed on the calibration images"), e.getMessage());
                throw new IOException(e);
            }
        }

        /** 1 if it worked, 0 if it was refused as it should. */
        private static int attempt(long n, String what, Use use) {
            try {
                use.run();
                return 1;
            } catch (IOException | RuntimeException | Error e) {
                boolean clear = (e instanceof IOException || e.getClass() == IllegalArgumentException.class)
                        && e.getMessage() != null
                        && !e.getMessage().isBlank();
                if (!clear) {
                    System.out.println("WRONG " + n + ", " + what + ": " + e + " at "
                            + Arrays.toString(Arrays.copyOf(e.getStackTrace(), Math.min(4, e.getStackTrace().length))));
                }
                return 0;
            }
        }

        private static byte[] mutate(long n) {
            Random random = new Random(n * 0x9E3779B97F4A7C15L + 12345);
            byte[] bytes = BASES.get(random.nextInt(random.nextInt(8) == 0 ? BASES.size() : small))
                    .clone();
            int kind = random.nextInt(10);
            if (kind == 0) {
                return Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            if (kind < 3) {
                for (int i = 1 + random.nextInt(8); i > 0; i--) {
                    bytes[place(bytes, random)] ^= (byte) (1 << random.nextInt(8));
                }
                return bytes;
            }
            if (kind == 3) {
                byte[] other = BASES.get(random.nextInt(BASES.size()));
                int length = 1 + random.nextInt(200);
                int a = place(other, random);
                int b = place(bytes, random);
                length = Math.min(length, Math.min(other.length - a, bytes.length - b));
                System.arraycopy(other, a, bytes, b, length);
                return bytes;
            }
            try {
                ModelProto.Builder model = ModelProto.parseFrom(bytes).toBuilder();
                for (int i = 1 + random.nextInt(3); i > 0; i--) {
                    if (random.nextInt(3) == 0) {
                        add(model, random);
                    } else {
                        edit(model, random);
                    }
                }
                return model.build().toByteArray();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        /** Half of the places are in the nodes or in the names at the end rather than in the weights. */
        private static int place(byte[] bytes, Random random) {
            int part = Math.min(bytes.length, 4000);
            return switch (random.nextInt(4)) {
                case 0 -> random.nextInt(part);
                case 1 -> bytes.length - 1 - random.nextInt(Math.min(bytes.length, 1500));
                default -> random.nextInt(bytes.length);
            };
        }

        private static long odd(Random random) {
            return ODD[random.nextInt(ODD.length)];
        }

        private static void edit(ModelProto.Builder model, Random random) {
            GraphProto.Builder g = model.getGraphBuilder();
            if (g.getNodeCount() == 0 || g.getInputCount() == 0 || g.getOutputCount() == 0) {
                return;
            }
            int i = random.nextInt(g.getNodeCount());
            NodeProto.Builder node = g.getNodeBuilder(i);
            NodeProto another = g.getNode(random.nextInt(g.getNodeCount()));
            switch (random.nextInt(16)) {
                case 0 -> node.setOpType(another.getOpType());
                case 1 -> g.removeNode(i);
                case 2 -> g.addNode(random.nextInt(g.getNodeCount()), another);
                case 3 -> {
                    if (node.getInputCount() > 0 && another.getOutputCount() > 0) {
                        node.setInput(random.nextInt(node.getInputCount()), another.getOutput(0));
                    }
                }
                case 4 -> {
                    if (node.getInputCount() > 0 && another.getInputCount() > 0) {
                        node.setInput(
                                random.nextInt(node.getInputCount()),
                                another.getInput(random.nextInt(another.getInputCount())));
                    }
                }
                case 5, 6 -> {
                    if (node.getAttributeCount() > 0) {
                        attribute(node.getAttributeBuilder(random.nextInt(node.getAttributeCount())), random);
                    }
                }
                case 7 -> {
                    if (another.getAttributeCount() > 0) {
                        node.addAttribute(another.getAttribute(random.nextInt(another.getAttributeCount())));
                    }
                }
                case 8 -> {
                    if (node.getAttributeCount() > 0) {
                        node.removeAttribute(random.nextInt(node.getAttributeCount()));
                    }
                }
                case 9, 10 -> {
                    if (g.getInitializerCount() > 0) {
                        tensor(g.getInitializerBuilder(random.nextInt(g.getInitializerCount())), random);
                    }
                }
                case 11 -> any(random.nextBoolean() ? g.getInputBuilder(0) : g.getOutputBuilder(0), random, 6);
                case 12 -> {
                    if (node.getInputCount() > 0) {
                        List<String> in = new ArrayList<>(node.getInputList());
                        in.remove(random.nextInt(in.size()));
                        node.clearInput().addAllInput(in);
                    }
                }
                case 13 -> {
                    if (g.getInitializerCount() > 1) {
                        int a = random.nextInt(g.getInitializerCount());
                        String name = g.getInitializer(a).getName();
                        g.setInitializer(
                                a,
                                g.getInitializer(random.nextInt(g.getInitializerCount())).toBuilder()
                                        .setName(name));
                    }
                }
                case 14 -> {
                    if (another.getOutputCount() > 0) {
                        g.getOutputBuilder(0).setName(another.getOutput(0));
                    }
                }
                default -> any(model, random, 8);
            }
        }

        /** Sets what is not set. */
        private static void add(ModelProto.Builder model, Random random) {
            GraphProto.Builder g = model.getGraphBuilder();
            if (g.getNodeCount() == 0 || g.getInputCount() == 0) {
                return;
            }
            NodeProto.Builder node = g.getNodeBuilder(random.nextInt(g.getNodeCount()));
            TensorProto.Builder t = g.getInitializerCount() == 0
                    ? TensorProto.newBuilder()
                            .setName(name(random))
                            .setDataType(1)
                            .addDims(1)
                            .addFloatData(1)
                    : g.getInitializerBuilder(random.nextInt(g.getInitializerCount()));
            switch (random.nextInt(9)) {
                case 0 -> {
                    AttributeProto.Builder a = node.getAttributeCount() == 0
                            ? node.addAttributeBuilder()
                            : node.getAttributeBuilder(random.nextInt(node.getAttributeCount()));
                    a.setRefAttrName(name(random));
                    if (random.nextBoolean()) {
                        a.setName(name(random));
                    }
                }
                case 1 -> {
                    if (random.nextInt(3) > 0) {
                        t.clearRawData().clearFloatData();
                    }
                    t.setDataLocation(TensorProto.DataLocation.EXTERNAL)
                            .addExternalData(
                                    GraphBuilder.entry("location", random.nextInt(3) > 0 ? "x.bin" : name(random)));
                    if (random.nextBoolean()) {
                        t.addExternalData(
                                GraphBuilder.entry(random.nextBoolean() ? "offset" : "length", "" + odd(random)));
                    }
                }
                case 2 -> function(model, node, random);
                case 3 -> {
                    // A tensor becomes a node, which says something else.
                    NodeProto.Builder c =
                            NodeProto.newBuilder().setOpType("Constant").addOutput(t.getName());
                    AttributeProto.Builder a = c.addAttributeBuilder();
                    switch (random.nextInt(5)) {
                        case 0 ->
                            a.setName("value_ints")
                                    .setType(AttributeProto.AttributeType.INTS)
                                    .addInts(odd(random))
                                    .addInts(odd(random));
                        case 1 ->
                            a.setName("value_int")
                                    .setType(AttributeProto.AttributeType.INT)
                                    .setI(odd(random));
                        case 2 ->
                            a.setName("value_floats")
                                    .setType(AttributeProto.AttributeType.FLOATS)
                                    .addFloats(odd(random));
                        case 3 ->
                            a.setName("value_float")
                                    .setType(AttributeProto.AttributeType.FLOAT)
                                    .setF(odd(random));
                        default ->
                            a.setName("value")
                                    .setType(AttributeProto.AttributeType.TENSOR)
                                    .setT(t);
                    }
                    for (int i = g.getInitializerCount() - 1; i >= 0; i--) {
                        if (g.getInitializer(i).getName().equals(t.getName())) {
                            g.removeInitializer(i);
                        }
                    }
                    g.addNode(random.nextInt(g.getNodeCount()), c);
                }
                case 4 -> g.addSparseInitializerBuilder().setValues(t).addDims(odd(random));
                case 5 -> {
                    // A constant, by way of a node that hands it on.
                    if (node.getInputCount() > 0) {
                        int at = random.nextInt(node.getInputCount());
                        String through = "through" + random.nextInt();
                        g.addNodeBuilder()
                                .setOpType(random.nextBoolean() ? "Identity" : "Cast")
                                .addInput(node.getInput(at))
                                .addOutput(through);
                        node.setInput(at, through);
                    }
                }
                case 6 -> unset(node, random, 3);
                case 7 -> unset(random.nextBoolean() ? g.addValueInfoBuilder() : g.getInputBuilder(0), random, 6);
                default -> unset(model, random, 10);
            }
        }

        private static String name(Random random) {
            return NAMES[random.nextInt(NAMES.length)];
        }

        /** Moves a node into a function, some of its attributes by reference under another name. */
        private static void function(ModelProto.Builder model, NodeProto.Builder node, Random random) {
            String name = "F" + model.getFunctionsCount();
            NodeProto.Builder inner = node.clone().clearInput().clearOutput().clearAttribute();
            NodeProto.Builder call =
                    node.clone().setOpType(name).setDomain("mine").clearAttribute();
            FunctionProto.Builder f = FunctionProto.newBuilder()
                    .setName(name)
                    .setDomain("mine")
                    .addAllOpsetImport(model.getOpsetImportList());
            for (int i = 0; i < node.getInputCount(); i++) {
                inner.addInput("x" + i);
                f.addInput("x" + i);
            }
            for (int i = 0; i < node.getOutputCount(); i++) {
                inner.addOutput("y" + i);
                f.addOutput("y" + i);
            }
            for (AttributeProto a : node.getAttributeList()) {
                if (random.nextBoolean()) {
                    inner.addAttribute(a);
                    continue;
                }
                inner.addAttributeBuilder()
                        .setName(a.getName())
                        .setType(a.getType())
                        .setRefAttrName(a.getName() + "1");
                AttributeProto.Builder given = a.toBuilder().setName(a.getName() + "1");
                if (random.nextBoolean()) {
                    attribute(given, random);
                }
                if (random.nextBoolean()) {
                    f.addAttribute(given.getName());
                    call.addAttribute(given);
                } else {
                    f.addAttributeProto(given);
                }
            }
            if (model.getOpsetImportList().stream().noneMatch(o -> o.getDomain().equals("mine"))) {
                model.addOpsetImportBuilder().setDomain("mine").setVersion(1);
                f.addOpsetImport(model.getOpsetImport(model.getOpsetImportCount() - 1));
            }
            if (random.nextInt(4) == 0) {
                unset(f, random, 4);
            }
            model.addFunctions(f.addNode(inner));
            node.clear().mergeFrom(call.build());
        }

        /** Walks down, through messages that are there or not, to some field and sets it. */
        private static void unset(Message.Builder m, Random random, int depth) {
            List<FieldDescriptor> fields = m.getDescriptorForType().getFields();
            FieldDescriptor f = fields.get(random.nextInt(fields.size()));
            if (f.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
                if (!f.isRepeated()) {
                    if (depth > 0) {
                        unset(m.getFieldBuilder(f), random, depth - 1);
                    }
                } else {
                    int count = m.getRepeatedFieldCount(f);
                    if (count == 0 || random.nextInt(4) == 0) {
                        m.addRepeatedField(f, m.newBuilderForField(f).build());
                        count++;
                    }
                    if (depth > 0) {
                        unset(
                                m.getRepeatedFieldBuilder(f, count - 1 - random.nextInt(Math.min(count, 3))),
                                random,
                                depth - 1);
                    }
                }
                return;
            }
            Object value = switch (f.getJavaType()) {
                case STRING -> name(random);
                case ENUM ->
                    f.getEnumType()
                            .getValues()
                            .get(random.nextInt(f.getEnumType().getValues().size()));
                case BOOLEAN -> true;
                default -> plain(f, random);
            };
            if (f.isRepeated()) {
                m.addRepeatedField(f, value);
            } else {
                m.setField(f, value);
            }
        }

        private static void attribute(AttributeProto.Builder a, Random random) {
            if (a.hasI()) {
                a.setI(odd(random));
            } else if (a.getIntsCount() > 0) {
                a.setInts(random.nextInt(a.getIntsCount()), odd(random));
            } else if (a.hasF()) {
                a.setF(new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY, 1e38f}[random.nextInt(5)]);
            } else if (a.hasT()) {
                tensor(a.getTBuilder(), random);
            } else if (a.hasG()) {
                any(a.getGBuilder(), random, 5);
            } else {
                any(a, random, 3);
            }
        }

        private static void tensor(TensorProto.Builder t, Random random) {
            int size = t.getRawData().size();
            switch (random.nextInt(4)) {
                case 0 -> t.addDims(odd(random));
                case 1 -> {
                    if (t.getDimsCount() > 0) {
                        t.setDims(random.nextInt(t.getDimsCount()), odd(random));
                    }
                }
                case 2 -> t.setDataType(random.nextInt(28));
                default -> {
                    if (t.getDataType() == TensorProto.DataType.INT64_VALUE && size >= 8) {
                        byte[] raw = t.getRawData().toByteArray();
                        ByteBuffer.wrap(raw)
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .putLong(8 * random.nextInt(size / 8), odd(random));
                        t.setRawData(ByteString.copyFrom(raw));
                    } else if (t.getDimsCount() > 1) {
                        // The same number of values in another shape.
                        List<Long> dims = new ArrayList<>(t.getDimsList());
                        java.util.Collections.shuffle(dims, random);
                        t.clearDims().addAllDims(dims);
                    }
                }
            }
        }

        /** An odd value for a field of numbers or bytes, null for another. */
        private static Object plain(FieldDescriptor f, Random random) {
            return switch (f.getJavaType()) {
                case INT -> (int) odd(random);
                case LONG -> odd(random);
                case FLOAT -> (float) odd(random);
                case DOUBLE -> (double) odd(random);
                case BYTE_STRING -> ByteString.copyFrom(new byte[random.nextInt(64)]);
                default -> null;
            };
        }

        /** Walks down to some field and changes it. */
        private static void any(Message.Builder m, Random random, int depth) {
            List<FieldDescriptor> fields = new ArrayList<>(m.getAllFields().keySet());
            if (fields.isEmpty()) {
                return;
            }
            FieldDescriptor f = fields.get(random.nextInt(fields.size()));
            int at = f.isRepeated() ? random.nextInt(m.getRepeatedFieldCount(f)) : -1;
            if (f.getJavaType() == FieldDescriptor.JavaType.MESSAGE && depth > 0) {
                any(at < 0 ? m.getFieldBuilder(f) : m.getRepeatedFieldBuilder(f, at), random, depth - 1);
                return;
            }
            Object value = switch (f.getJavaType()) {
                case STRING -> new String[] {"", "x", "\u0000", "\uD83D\uDE00", "../x", "Relu"}[random.nextInt(6)];
                default -> plain(f, random);
            };
            if (value == null) {
                m.clearField(f);
            } else if (at < 0) {
                m.setField(f, value);
            } else {
                m.setRepeatedField(f, at, value);
            }
        }
    }
}
