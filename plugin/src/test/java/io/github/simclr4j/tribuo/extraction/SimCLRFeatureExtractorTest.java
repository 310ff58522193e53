// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.EncoderContract;
import io.github.simclr4j.onnx.file.ModelChecksum;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.tribuo.source.ImageFieldProcessor;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.classification.Label;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;

public class SimCLRFeatureExtractorTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path picture;
    private static List<RgbImage> pictures;

    @BeforeAll
    static void write() throws IOException {
        encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        Path images = Fixture.images(dir.resolve("images"), 4, 2);
        picture = images.resolve("red/2.png");
        pictures = new ArrayList<>();
        for (Path file : Images.find(images)) {
            pictures.add(Images.read(file));
        }
    }

    private static SimCLRFeatureExtractor<Label> open() {
        return new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1);
    }

    /** What was told to it. */
    public static final class Recorder implements ExtractionListener {
        public final List<Timings> batches = Collections.synchronizedList(new ArrayList<>());
        final List<Timings> calls = Collections.synchronizedList(new ArrayList<>());

        @Override
        public void batch(Timings timings) {
            batches.add(timings);
        }

        @Override
        public void call(Timings timings) {
            calls.add(timings);
        }

        int encoded() {
            return batches.stream().mapToInt(Timings::encoded).sum();
        }
    }

    @Test
    void everyFormOfAnImageGivesTheEncodersEmbedding() throws IOException {
        float[] expected;
        try (OnnxEncoder plain = OnnxEncoder.open(encoder, 1)) {
            expected = plain.embed(List.of(Images.read(picture)))[0];
        }
        byte[] bytes = Files.readAllBytes(picture);
        try (SimCLRFeatureExtractor<Label> extractor = open();
                InputStream stream = new ByteArrayInputStream(bytes)) {
            List<Example<Label>> forms = List.of(
                    extractor.extract(picture),
                    extractor.extract(bytes),
                    extractor.extract(stream),
                    extractor.extract(ImageIO.read(picture.toFile())),
                    extractor
                            .extract(List.of(Images.read(picture)), List.of(new Label("red")))
                            .get(0));
            for (Example<Label> form : forms) {
                assertTrue(form.validateExample());
                int i = 0;
                for (var feature : form) {
                    assertEquals(extractor.featureNames()[i], feature.getName());
                    assertEquals(expected[i++], feature.getValue());
                }
                assertEquals(expected.length, i);
            }
            assertEquals(Fixture.LABELS.getUnknownOutput(), forms.get(3).getOutput());
            assertArrayEquals(expected, extractor.floatFeatures(List.of(Images.read(picture)))[0]);
        }
    }

    @Test
    void theListenerIsToldOfEachRunAndEachCall() throws IOException {
        Path xml = Files.writeString(dir.resolve("batches.xml"), """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="extractor" type="io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%s"/>
                    <property name="batch" value="5"/>
                  </component>
                </config>
                """.formatted(encoder));
        Recorder recorder = new Recorder();
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString());
                SimCLRFeatureExtractor<?> extractor = (SimCLRFeatureExtractor<?>) manager.lookup("extractor")) {
            extractor.setListener(recorder);
            extractor.features(pictures);
            assertEquals(
                    List.of(5, 5, 2),
                    recorder.batches.stream()
                            .map(ExtractionListener.Timings::images)
                            .toList());
            assertEquals(1, recorder.calls.size());
            ExtractionListener.Timings call = recorder.calls.get(0);
            assertEquals(12, call.images());
            assertEquals(0, call.cached());
            assertEquals(0, call.decodeNanos());
            assertTrue(call.preprocessNanos() > 0);
            assertEquals(
                    recorder.batches.stream()
                            .mapToLong(ExtractionListener.Timings::inferenceNanos)
                            .sum(),
                    call.inferenceNanos());
            extractor.extract(picture);
            assertTrue(recorder.calls.get(1).decodeNanos() > 0);
            extractor.setListener(null);
            extractor.extract(picture);
            assertEquals(2, recorder.calls.size());
        }
    }

    @Test
    void aSessionIsSharedAndFreedWithItsLastExtractor() throws IOException {
        SimCLRFeatureExtractor<Label> labels = open();
        SimCLRFeatureExtractor<Regressor> numbers = labels.share(new RegressionFactory());
        OnnxEncoder session = labels.encoder();
        assertSame(session, numbers.encoder());
        double[][] expected = labels.features(pictures);
        labels.close();
        labels.close();
        assertThrows(IllegalStateException.class, () -> labels.features(pictures));
        assertThrows(IllegalStateException.class, () -> labels.share(Fixture.LABELS));
        assertArrayEquals(expected, numbers.features(pictures));
        Example<Regressor> example = numbers.extract(picture, new Regressor("height", 2));
        assertEquals(2, example.getOutput().getValues()[0]);
        assertNotSame(labels.getOutputFactory(), numbers.getOutputFactory());
        numbers.close();
        assertThrows(IllegalStateException.class, () -> session.embed(pictures));
    }

    @Test
    void threadsMayExtractWhileAnotherCloses() throws Exception {
        double[][] expected;
        try (SimCLRFeatureExtractor<Label> extractor = open()) {
            expected = extractor.features(pictures);
        }
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 10; round++) {
                SimCLRFeatureExtractor<Label> extractor = open();
                CountDownLatch running = new CountDownLatch(4);
                Callable<Integer> work = () -> {
                    for (int calls = 0; ; calls++) {
                        try {
                            assertArrayEquals(expected, extractor.features(pictures));
                        } catch (IllegalStateException closed) {
                            assertTrue(closed.getMessage().contains("closed"), closed.getMessage());
                            return calls;
                        }
                        running.countDown();
                    }
                };
                List<Future<Integer>> results = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    results.add(threads.submit(work));
                }
                running.await();
                extractor.close();
                for (Future<Integer> result : results) {
                    result.get();
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aClosedExtractorSaysSoInEveryForm() throws IOException {
        SimCLRFeatureExtractor<Label> closed = open();
        PreparedImage prepared = closed.prepare(pictures.get(0));
        ImageFolderDataSource<Label> source = new ImageFolderDataSource<>(dir.resolve("images"), closed);
        ImageFieldProcessor field = new ImageFieldProcessor("photo", closed, null);
        closed.close();
        byte[] bytes = Files.readAllBytes(picture);
        for (Executable use : List.<Executable>of(
                () -> closed.extract(picture),
                () -> closed.extract(bytes),
                () -> closed.extract(new ByteArrayInputStream(bytes)),
                () -> closed.extract(ImageIO.read(picture.toFile())),
                () -> closed.features(pictures),
                () -> closed.floatFeatures(pictures),
                () -> closed.encode(List.of(prepared)),
                () -> source.iterator().next(),
                () -> field.process(picture.toString()))) {
            assertTrue(
                    assertThrows(IllegalStateException.class, use).getMessage().contains("closed"));
        }
    }

    @Test
    void anEncoderWhoseOutputIsNoVectorIsRefused() throws IOException {
        OnnxMl.ModelProto.Builder model =
                ModelChecksum.without(OnnxMl.ModelProto.parseFrom(Fixture.encoder(1))).toBuilder();
        OnnxMl.GraphProto.Builder graph = model.getGraphBuilder();
        // A mean over all features at the end: one number an image, [batch].
        OnnxMl.NodeProto.Builder last =
                graph.getNodeBuilder(graph.getNodeCount() - 1).setOutput(0, "vector");
        graph.addNode(OnnxMl.NodeProto.newBuilder()
                .setOpType("ReduceMean")
                .addInput(last.getOutput(0))
                .addOutput(EncoderContract.OUTPUT)
                .addAttribute(OnnxMl.AttributeProto.newBuilder()
                        .setName("axes")
                        .setType(OnnxMl.AttributeProto.AttributeType.INTS)
                        .addInts(1))
                .addAttribute(OnnxMl.AttributeProto.newBuilder()
                        .setName("keepdims")
                        .setType(OnnxMl.AttributeProto.AttributeType.INT)
                        .setI(0)));
        graph.getOutputBuilder(0)
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .getShapeBuilder()
                .removeDim(1);
        Path file = Files.write(dir.resolve("scalar.onnx"), model.build().toByteArray());
        PropertyException e =
                assertThrows(PropertyException.class, () -> new SimCLRFeatureExtractor<>(Fixture.LABELS, file));
        assertTrue(e.getMessage().contains("scalar.onnx") && e.getMessage().contains("dimension]"), e.getMessage());
    }

    @Test
    void featuresThatAreNotFiniteAreAnError() throws IOException {
        Path broken = Files.write(
                dir.resolve("broken.onnx"), Fixture.encoder(1, new ResNet(18, 1.0 / 32, ResNet.Stem.CIFAR), 1e9f));
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(Fixture.LABELS, broken, 1)) {
            IllegalStateException e = assertThrows(IllegalStateException.class, () -> extractor.extract(picture));
            assertTrue(e.getMessage().contains("broken.onnx") && e.getMessage().contains("finite"), e.getMessage());
        }
    }

    @Test
    void aFileThatIsNoImageIsNamed() throws IOException {
        Path text = Files.writeString(dir.resolve("text.jpg"), "hello");
        try (SimCLRFeatureExtractor<Label> extractor = open()) {
            IOException e = assertThrows(IOException.class, () -> extractor.extract(text));
            assertTrue(e.getMessage().contains("text.jpg") && e.getMessage().contains("not an image"), e.getMessage());
            e = assertThrows(IOException.class, () -> extractor.extract(dir.resolve("missing.png")));
            assertTrue(e.getMessage().endsWith("missing.png: no such file"), e.getMessage());
        }
    }
}
