// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** How inputs of each kind are fed and outputs of each kind are read, by graphs that hand on what they get. */
class OnnxEncoderTest {
    private static final int BYTES = TensorProto.DataType.UINT8_VALUE;
    private static final RuntimeSettings ONE = RuntimeSettings.DEFAULT.withThreads(1);
    private static final EncoderSettings PLAIN = EncoderSettings.of(Map.of("scale", "1"), "argument");

    private static AttributeProto to(int type) {
        return AttributeProto.newBuilder()
                .setName("to")
                .setType(AttributeProto.AttributeType.INT)
                .setI(type)
                .build();
    }

    /** From an image to {@code out} through nodes on {@code in}, with the output's shape left open. */
    private static byte[] graph(int type, long[] image, int rank, NodeProto.Builder... nodes) {
        long[] open = new long[rank];
        java.util.Arrays.fill(open, -1);
        GraphProto.Builder g = GraphProto.newBuilder().addInput(Graphs.value("in", type, image));
        for (NodeProto.Builder n : nodes) {
            g.addNode(n);
        }
        return Graphs.model(g.addOutput(Graphs.value("out", type == Graphs.HALF ? Graphs.HALF : Graphs.FLOAT, open)));
    }

    private static byte[] reshaped(byte[] model, long... shape) {
        return Graphs.changed(model, m -> m.getGraphBuilder().addInitializer(Graphs.shape("shape", shape)));
    }

    @Test
    void bytesInPlanesAreFed() throws IOException {
        byte[] file = graph(
                BYTES,
                new long[] {-1, 3, 8, 9},
                2,
                Graphs.node("Cast", List.of("in"), List.of("x")).addAttribute(to(Graphs.FLOAT)),
                Graphs.node("Flatten", List.of("x"), List.of("out")));
        RgbImage picture = Foreign.picture(9, 8, 0);
        for (String channels : List.of("rgb", "bgr")) {
            try (OnnxEncoder e = OnnxEncoder.open(
                    file, "planes", EncoderSettings.of(Map.of("channels", channels), "argument"), ONE)) {
                // Prepared or not, in memory of either kind: they are no RGB bytes in a row, so they must be moved.
                ByteBuffer direct =
                        ByteBuffer.allocateDirect(216).put(picture.rgb()).flip();
                for (float[] v : List.of(e.embed(List.of(picture))[0], e.embed(direct)[0])) {
                    for (int c = 0; c < 3; c++) {
                        for (int i = 0; i < 72; i++) {
                            assertEquals(
                                    picture.rgb()[3 * i + (channels.equals("rgb") ? c : 2 - c)] & 255, v[c * 72 + i]);
                        }
                    }
                }
            }
        }
    }

    @Test
    void halvesInPixelsAreFed() throws IOException {
        byte[] file =
                graph(Graphs.HALF, new long[] {-1, 8, 9, 3}, 2, Graphs.node("Flatten", List.of("in"), List.of("out")));
        RgbImage picture = Foreign.picture(9, 8, 0);
        try (OnnxEncoder e = OnnxEncoder.open(
                file,
                "pixels",
                EncoderSettings.of(Map.of("scale", "1", "mean", "1,2,3", "std", "1,1,2"), "argument"),
                ONE)) {
            float[] v = e.embed(List.of(picture))[0];
            assertEquals(216, v.length);
            for (int i = 0; i < 216; i++) {
                // Whole numbers and halves up to 255 are exact in half precision.
                assertEquals(((picture.rgb()[i] & 255) - (i % 3 + 1)) / (i % 3 == 2 ? 2f : 1f), v[i]);
            }
        }
    }

    /** The mean over all places, in either layout, of maps that are square or not. */
    @Test
    void aMapBecomesTheMeanOfItsPlaces() throws IOException {
        for (int[] size : new int[][] {{8, 8}, {8, 12}}) {
            RgbImage picture = Foreign.picture(size[1], size[0], 0);
            int places = size[0] * size[1];
            ToDoubleFunction<Integer> mean = c -> {
                long sum = 0;
                for (int i = 0; i < places; i++) {
                    sum += picture.rgb()[3 * i + c] & 255;
                }
                return (double) sum / places;
            };
            for (long[] shape : new long[][] {{-1, 3, size[0], size[1]}, {-1, size[0], size[1], 3}}) {
                byte[] file = graph(Graphs.FLOAT, shape, 4, Graphs.node("Relu", List.of("in"), List.of("out")));
                try (OnnxEncoder e = OnnxEncoder.open(file, "map", PLAIN, ONE)) {
                    float[] v = e.embed(List.of(picture))[0];
                    assertEquals(3, v.length);
                    for (int c = 0; c < 3; c++) {
                        assertEquals(mean.applyAsDouble(c), v[c], 1e-4);
                    }
                    assertEquals(
                            new EncoderSettings.Value("mean", "graph"),
                            e.settings().values().get("pooling"));
                }
            }
        }
    }

    /** 256 is a square, as the number of an image's tokens is: but tokens of one value would be none. */
    @Test
    void aVectorWithADimensionOfOneBehindItIsNoListOfTokens() throws IOException {
        RgbImage picture = Foreign.picture(16, 16, 0);
        try (OnnxEncoder plain = OnnxEncoder.open(Graphs.flatten(1, 16, 16, Graphs.FLOAT), "plain", PLAIN, ONE)) {
            for (long[] shape : new long[][] {{0, 256, 1}, {0, 1, 256}, {0, 256, 1, 1}, {0, 1, 1, 256}}) {
                byte[] file = reshaped(
                        graph(
                                Graphs.FLOAT,
                                new long[] {-1, 1, 16, 16},
                                shape.length,
                                Graphs.node("Flatten", List.of("in"), List.of("x")),
                                Graphs.node("Reshape", List.of("x", "shape"), List.of("out"))),
                        shape);
                try (OnnxEncoder e = OnnxEncoder.open(file, "vector", PLAIN, ONE)) {
                    assertEquals(256, e.dimension());
                    assertArrayEquals(plain.embed(List.of(picture))[0], e.embed(List.of(picture))[0]);
                }
            }
        }
    }

    @Test
    void theBatchSuitsTheImagesAndTheOutput() throws IOException {
        int[][] cases = {{32, 32}, {112, 32}, {160, 15}, {224, 8}, {640, 4}};
        for (int[] c : cases) {
            byte[] file = graph(
                    Graphs.FLOAT,
                    new long[] {-1, 3, c[0], c[0]},
                    4,
                    Graphs.node("GlobalAveragePool", List.of("in"), List.of("out")));
            try (OnnxEncoder e = OnnxEncoder.open(file, "size " + c[0], PLAIN, ONE)) {
                assertEquals(c[1], e.batch(), "size " + c[0]);
            }
        }
        // A map of 16 MiB an image: eight fill 128 MiB.
        byte[] large = Graphs.changed(
                graph(
                        Graphs.FLOAT,
                        new long[] {-1, 1, 8, 8},
                        4,
                        Graphs.node("Tile", List.of("in", "shape"), List.of("out"))),
                m -> m.getGraphBuilder().addInitializer(Graphs.shape("shape", 1, 1, 256, 256)));
        try (OnnxEncoder e = OnnxEncoder.open(large, "large", PLAIN, ONE)) {
            assertEquals(8, e.batch());
        }
        // More images than a batch, the last run not full.
        byte[] file = graph(
                Graphs.FLOAT,
                new long[] {-1, 3, 160, 160},
                4,
                Graphs.node("GlobalAveragePool", List.of("in"), List.of("out")));
        try (OnnxEncoder e = OnnxEncoder.open(file, "rest", PLAIN, ONE)) {
            List<RgbImage> images = new ArrayList<>();
            for (int k = 0; k < 32; k++) {
                images.add(Foreign.picture(160, 160, k));
            }
            float[][] all = e.embed(images);
            for (int k = 0; k < 32; k++) {
                assertArrayEquals(e.embed(images.subList(k, k + 1))[0], all[k], 1e-3f);
            }
        }
    }

    @Test
    void aBatchThatNoBufferHoldsIsSaidAtOnce() {
        byte[] file = graph(
                Graphs.FLOAT,
                new long[] {-1, 3, 224, 224},
                4,
                Graphs.node("GlobalAveragePool", List.of("in"), List.of("out")));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> OnnxEncoder.open(file, "vendor.onnx", PLAIN, ONE.withBatch(65_536)));
        // 2^31 - 1 bytes are 3566 images of 3 * 224 * 224 * 4.
        assertEquals(
                "vendor.onnx: expected a batch of at most 3566 images, more take over 2 GB, found 65536",
                e.getMessage());
    }

    @Test
    void sessionOptionsReachTheSession() throws IOException {
        byte[] file = Graphs.flatten(3, 8, 8, Graphs.FLOAT);
        try (OnnxEncoder e =
                OnnxEncoder.open(file, "a.onnx", PLAIN, ONE.withOptions(Map.of("session.load_model_format", "ONNX")))) {
            assertEquals(192, e.dimension());
        }
        // Its own format, which the file is not in.
        IOException own = assertThrows(
                InvalidEncoderException.class,
                () -> OnnxEncoder.open(
                        file, "a.onnx", PLAIN, ONE.withOptions(Map.of("session.load_model_format", "ORT"))));
        assertTrue(own.getMessage().contains("a.onnx: ONNX Runtime can't load it"), own.getMessage());
        IllegalArgumentException refused = assertThrows(
                IllegalArgumentException.class,
                () -> OnnxEncoder.open(file, "a.onnx", PLAIN, ONE.withOptions(Map.of("x".repeat(2000), "1"))));
        assertTrue(refused.getMessage().startsWith("ONNX Runtime rejects the session option x"), refused.getMessage());
        for (String bad : new String[] {"", " "}) {
            assertThrows(IllegalArgumentException.class, () -> ONE.withOptions(Map.of(bad, "1")));
        }
        Map<String, String> none = new java.util.HashMap<>();
        none.put("session.load_model_format", null);
        assertThrows(IllegalArgumentException.class, () -> ONE.withOptions(none));
    }
}
