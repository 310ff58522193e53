// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.EncoderContract;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.LibraryVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderWriterTest {
    private static final ResNet TINY = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    /** Random weights with the sizes that the architecture asks for. */
    private static Function<String, float[]> weights(ResNet net) {
        return name -> {
            for (ResNet.Conv c : net.convolutions()) {
                if (name.equals(c.name() + ".weight")) {
                    return random(name, c.out() * c.in() * c.kernel() * c.kernel(), -0.3, 0.3);
                }
                if (name.startsWith(c.norm() + ".")) {
                    return random(name, c.out(), name.endsWith("var") ? 0.5 : -0.2, 1);
                }
            }
            throw new AssertionError(name);
        };
    }

    private static float[] random(String name, int n, double from, double to) {
        Random r = new Random(name.hashCode());
        float[] v = new float[n];
        for (int i = 0; i < n; i++) {
            v[i] = (float) (from + (to - from) * r.nextDouble());
        }
        return v;
    }

    private static RgbImage noise(int side, long seed) {
        byte[] b = new byte[side * side * 3];
        new Random(seed).nextBytes(b);
        return new RgbImage(side, side, b);
    }

    @Test
    void parameterCountIsThePublishedOne() {
        // torchvision's resnet18 has 11,689,512 parameters, of which the classifier 512 * 1000 + 1000.
        assertEquals(11_689_512 - 513_000, new ResNet(18, 1, ResNet.Stem.IMAGENET).parameters());
        assertEquals(21_797_672 - 513_000, new ResNet(34, 1, ResNet.Stem.IMAGENET).parameters());
        assertEquals(23_508_032, new ResNet(50, 1, ResNet.Stem.IMAGENET).parameters());
        assertEquals(44_549_160 - 2_049_000, new ResNet(101, 1, ResNet.Stem.IMAGENET).parameters());
        assertEquals(60_192_808 - 2_049_000, new ResNet(152, 1, ResNet.Stem.IMAGENET).parameters());
    }

    @Test
    void writtenFileKeepsTheContract() throws IOException {
        for (ResNet.Stem stem : ResNet.Stem.values()) {
            ResNet net = new ResNet(18, 1.0 / 16, stem);
            byte[] file = EncoderWriter.toBytes(net, new Preprocessing(32), weights(net), Map.of("training.seed", "7"));
            try (OnnxEncoder e = OnnxEncoder.open(file, "test", 1)) {
                assertEquals(32, e.dimension());
                assertEquals(net, e.architecture().orElseThrow());
                assertEquals("7", e.metadata().get("training.seed"));
                assertEquals(LibraryVersion.current(), e.metadata().get("library_version"));
                float[][] three = e.embed(List.of(noise(32, 1), noise(32, 2), noise(48, 3)));
                assertEquals(3, three.length);
                // The batch is dynamic, and an image's embedding does not depend on its neighbours.
                assertArrayEquals(three[1], e.embed(List.of(noise(32, 2)))[0], 1e-4f);
            }
        }
    }

    @Test
    void featuresOfEarlierLayersAreReadByTheNamesOfTheBlocks() throws IOException {
        byte[] file = EncoderWriter.toBytes(TINY, new Preprocessing(32), weights(TINY), Map.of());
        EncoderSettings layers =
                EncoderSettings.of(Map.of("output", "layer1.0,layer3.1,layer4.0.relu1,layer4.1,embedding"), "argument");
        try (OnnxEncoder encoder = OnnxEncoder.open(file, "test", layers, RuntimeSettings.DEFAULT.withThreads(1));
                OnnxEncoder last = OnnxEncoder.open(file, "test", 1)) {
            int base = TINY.baseChannels();
            float[] features = encoder.embed(List.of(noise(32, 1)))[0];
            assertEquals(base * (1 + 4 + 8 + 8 + 8), features.length);
            // The embedding is the mean of the last block's feature map.
            float[] embedding = last.embed(List.of(noise(32, 1)))[0];
            assertArrayEquals(embedding, Arrays.copyOfRange(features, 21 * base, 29 * base), 1e-5f);
            assertArrayEquals(embedding, Arrays.copyOfRange(features, 13 * base, 21 * base), 1e-5f);
        }
    }

    @Test
    void closedEncoderSaysSo() throws IOException {
        OnnxEncoder e = OnnxEncoder.open(
                EncoderWriter.toBytes(TINY, new Preprocessing(32), weights(TINY), Map.of()), "test", 1);
        e.close();
        e.close();
        assertThrows(IllegalStateException.class, () -> e.embed(List.of(noise(32, 1))));
    }

    @Test
    void aFileThatIsNotOnnxIsNamed(@TempDir Path dir) throws IOException {
        Path text = Files.writeString(dir.resolve("notes.onnx"), "not a model at all");
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(text));
        assertTrue(
                e.getMessage().contains("notes.onnx") && e.getMessage().contains("not an ONNX file"), e.getMessage());
        Path empty = Files.write(dir.resolve("empty.onnx"), new byte[0]);
        assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(empty));
        assertThrows(IOException.class, () -> OnnxEncoder.open(dir.resolve("missing.onnx")));
        byte[] good = EncoderWriter.toBytes(TINY, new Preprocessing(32), weights(TINY), Map.of());
        Path cut = Files.write(dir.resolve("cut.onnx"), java.util.Arrays.copyOf(good, good.length / 2));
        assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(cut));
    }

    @Test
    void anOnnxFileThatIsNoImageEncoderIsRefused() {
        org.tribuo.util.onnx.ONNXContext graph = new org.tribuo.util.onnx.ONNXContext();
        graph.setName("identity");
        graph.assignTo(graph.floatInput(EncoderContract.INPUT, 4), graph.floatOutput(EncoderContract.OUTPUT, 4));
        byte[] file = ai.onnx.proto.OnnxMl.ModelProto.newBuilder()
                .setIrVersion(7)
                .addOpsetImport(Opset.proto(13))
                .setGraph(graph.buildGraph())
                .build()
                .toByteArray();
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(file, "other.onnx", 1));
        assertTrue(e.getMessage().contains("image encoder"), e.getMessage());
    }

    @Test
    void aPathThatCannotBeWrittenIsNamedAndNothingIsLost(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("file"), "kept");
        IOException e = assertThrows(IOException.class, () -> AtomicFiles.write(file.resolve("x.onnx"), new byte[1]));
        assertTrue(e.getMessage().contains("x.onnx"), e.getMessage());
        assertEquals("kept", Files.readString(file));
    }

    /** ONNX Runtime 1.29.0 kills the JVM when the process's command line is longer than about 4,096 characters. */
    @Test
    void aLongCommandLineDoesNotKillTheJvm() throws Exception {
        String path = System.getProperty("java.class.path");
        String padding = "-Dpadding=" + "x".repeat(20_000);
        Process p = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        padding,
                        "-cp",
                        path,
                        LongCommandLine.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(p.getInputStream().readAllBytes());
        assertEquals(0, p.waitFor(), output);
        assertTrue(output.contains("32 features"), output);
    }

    /** What the long command line runs. */
    static final class LongCommandLine {
        public static void main(String[] args) throws IOException {
            byte[] file = EncoderWriter.toBytes(TINY, new Preprocessing(32), weights(TINY), Map.of());
            try (OnnxEncoder e = OnnxEncoder.open(file, "test", 1)) {
                System.out.println(e.embed(List.of(noise(32, 1)))[0].length + " features");
            }
        }
    }
}
