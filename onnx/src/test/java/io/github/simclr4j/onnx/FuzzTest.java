package io.github.simclr4j.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Mutates good files. Each mutation ends in a working encoder or in one clear exception, never in a crash: a child process
 * does the work, so that a crash is seen. Mutation n is the same in every run; a longer run by hand:
 *
 * <pre>java -cp ... io.github.simclr4j.onnx.FuzzTest\$Child FROM TO SECONDS</pre>
 */
class FuzzTest {
    private static final int SECONDS = 20;
    /** However slow the machine is. */
    private static final int AT_LEAST = 300;
    private static final int HANGS_AFTER_SECONDS = 90;

    @Test
    void noMutationCrashes() throws Exception {
        Process p = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g", "-cp", System.getProperty("java.class.path"), Child.class.getName(),
                "0", "6000", Integer.toString(SECONDS)).redirectErrorStream(true).start();
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
        assertTrue(last.startsWith("done"), last);
        System.out.println(last);
    }

    /** Runs mutations. */
    static final class Child {
        private static final List<byte[]> BASES = new ArrayList<>();
        private static final long[] ODD = {0, -1, 1, 2, 3, 7, 255, 65_535, 1 << 20, Integer.MAX_VALUE, 1L << 32, Long.MAX_VALUE,
            Long.MIN_VALUE, -2, -1000};

        public static void main(String[] args) {
            long from = Long.parseLong(args[0]);
            long to = Long.parseLong(args[1]);
            long end = System.nanoTime() + Long.parseLong(args[2]) * 1_000_000_000L;
            // The quick ones first: they are drawn more often.
            ResNet tiny = new ResNet(18, 1.0 / 64, ResNet.Stem.CIFAR);
            BASES.add(EncoderWriter.toBytes(tiny, new Preprocessing(8), Weights.random(tiny), Map.of("training.seed", "1")));
            BASES.add(HostileFileTest.withSubgraph());
            BASES.add(Graphs.flatten(3, 8, 8, Graphs.HALF));
            for (String name : List.of("tensorflow-nhwc", "resnet18-bytes", "vit-tokens", "mobilenet-v2", "convnext", "swin")) {
                BASES.add(Foreign.model(name));
            }
            int opened = 0;
            int refused = 0;
            long slowest = 0;
            long n = from;
            for (; n < to && (n - from < AT_LEAST || System.nanoTime() < end); n++) {
                System.out.println(n);
                System.out.flush();
                long start = System.nanoTime();
                String outcome = attempt(mutate(n), n);
                slowest = Math.max(slowest, System.nanoTime() - start);
                if (outcome == null) {
                    opened++;
                } else if (outcome.isEmpty()) {
                    refused++;
                } else {
                    System.out.println("WRONG " + n + ": " + outcome);
                }
            }
            System.out.println("done " + (n - from) + " mutations: " + opened + " work, " + refused + " are refused, the slowest took "
                    + slowest / 1_000_000 + " ms");
        }

        /** Null if the encoder works, empty if it is refused as it should, else what is wrong. */
        private static String attempt(byte[] bytes, long n) {
            String name = "mutation-" + n;
            try (OnnxEncoder e = OnnxEncoder.open(bytes, name, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(1))) {
                float[][] v = e.embed(List.of(Foreign.picture(20, 30, 1), Foreign.picture(9, 9, 2), Foreign.picture(8, 8, 3)));
                return v.length == 3 && v[0].length == e.dimension() ? null : "no embeddings";
            } catch (InvalidEncoderException e) {
                return e.getMessage().startsWith(name) ? "" : e.toString();
            } catch (IllegalStateException e) {
                return e.getMessage().startsWith("ONNX Runtime failed") ? "" : e.toString();
            } catch (RuntimeException | Error e) {
                return e + " at " + Arrays.toString(Arrays.copyOf(e.getStackTrace(), 3));
            }
        }

        private static byte[] mutate(long n) {
            Random random = new Random(n * 0x9E3779B97F4A7C15L + 12345);
            byte[] bytes = BASES.get(random.nextInt(random.nextInt(6) == 0 ? BASES.size() : 4)).clone();
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
                    edit(model, random);
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
                        node.setInput(random.nextInt(node.getInputCount()), another.getInput(random.nextInt(another.getInputCount())));
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
                        g.setInitializer(a, g.getInitializer(random.nextInt(g.getInitializerCount())).toBuilder().setName(name));
                    }
                }
                case 14 -> g.getOutputBuilder(0).setName(another.getOutput(0));
                default -> any(model, random, 8);
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
                        ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).putLong(8 * random.nextInt(size / 8), odd(random));
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
                case INT -> (int) odd(random);
                case LONG -> odd(random);
                case FLOAT -> (float) odd(random);
                case DOUBLE -> (double) odd(random);
                case STRING -> new String[] {"", "x", "\u0000", "\uD83D\uDE00", "../x", "Relu"}[random.nextInt(6)];
                case BYTE_STRING -> ByteString.copyFrom(new byte[random.nextInt(64)]);
                default -> null;
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
