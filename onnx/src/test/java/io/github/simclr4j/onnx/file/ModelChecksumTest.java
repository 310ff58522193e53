// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.convert.Conversion;
import io.github.simclr4j.onnx.convert.Precision;
import io.github.simclr4j.onnx.network.EncoderLayout;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.runtime.Encoders;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The SHA-256 that files carry of their content. */
class ModelChecksumTest {
    @TempDir
    private Path dir;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = dir.resolve("e.onnx");
        EncoderWriter.write(
                file,
                Encoders.TINY,
                new Preprocessing(8),
                Encoders.weights(Encoders.TINY, null),
                Map.of("trained", "no"),
                EncoderLayout.DEFAULT);
    }

    private static String checksum(Path file) throws IOException {
        assertEquals(ModelChecksum.State.MATCHES, ModelInspector.check(file).checksum());
        return ModelInspector.check(file).metadata().get(EncoderMetadata.CHECKSUM);
    }

    @Test
    void aWrittenFileHasOneAndAConvertedOneItsOwn() throws IOException {
        String before = checksum(file);
        Path half = dir.resolve("half.onnx");
        new Conversion(Precision.FLOAT16, 0, true, null).apply(file, half);
        assertNotEquals(before, checksum(half));
        Path same = dir.resolve("same.onnx");
        new Conversion(null, 17, true, null).apply(half, same);
        assertNotEquals(checksum(half), checksum(same));
        OnnxEncoder.open(same).close();
    }

    /** A bit that changes what the file says is found, wherever it is; what protobuf reads as the same message is the same. */
    @Test
    void noFlippedBitIsAcceptedSilently() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        ModelProto model = ModelProto.parseFrom(whole);
        Random random = new Random(1);
        int opened = 0;
        for (int i = 0; i < 1000; i++) {
            byte[] damaged = whole.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                ModelFile.check(damaged, "e.onnx", null);
                // Its checksum's own key may be what was hit: then the file has none.
                ModelProto read = ModelProto.parseFrom(damaged);
                assertTrue(read.equals(model) || ModelChecksum.state(read) == ModelChecksum.State.NONE);
                opened++;
            } catch (InvalidEncoderException e) {
                assertTrue(e.getMessage().length() < 400, e.getMessage());
            }
        }
        assertTrue(opened < 5, opened + " of 1000 damaged files open");
    }

    @Test
    void damageIsToldInPlainWords() throws IOException {
        ModelProto model = ModelProto.parseFrom(Files.readAllBytes(file));
        ModelProto.Builder b = model.toBuilder();
        byte[] values = b.getGraph().getInitializer(2).getRawData().toByteArray();
        values[1] ^= 1;
        b.getGraphBuilder().getInitializerBuilder(2).setRawData(com.google.protobuf.ByteString.copyFrom(values));
        Files.write(file, b.build().toByteArray());
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(file));
        assertTrue(
                e.getMessage().contains("e.onnx is damaged") && e.getMessage().contains("SHA-256"), e.getMessage());
        assertThrows(InvalidEncoderException.class, () -> ModelFile.read(file));
        ModelInspector.Report report = ModelInspector.check(file);
        assertEquals(ModelChecksum.State.DIFFERS, report.checksum());
        assertFalse(report.problems().isEmpty());
        // Who changes a file on purpose takes the entry out: a file without one is as good as a foreign one.
        Files.write(file, ModelChecksum.without(b.build()).toByteArray());
        assertEquals(ModelChecksum.State.NONE, ModelInspector.check(file).checksum());
        OnnxEncoder.open(file).close();
    }

    @Test
    void weightsBesideTheFileAreCheckedToo() throws IOException {
        ModelProto model = ModelFile.read(file);
        Path large = dir.resolve("large.onnx");
        ModelFile.write(large, model, 0);
        OnnxEncoder.open(large).close();
        Path data;
        try (Stream<Path> all = Files.list(dir)) {
            data = all.filter(f -> f.toString().endsWith(".data")).findFirst().orElseThrow();
        }
        byte[] values = Files.readAllBytes(data);
        values[10] ^= 1;
        Files.write(data, values);
        IOException e = assertThrows(InvalidEncoderException.class, () -> OnnxEncoder.open(large));
        assertTrue(e.getMessage().contains(data.getFileName().toString()), e.getMessage());
    }
}
