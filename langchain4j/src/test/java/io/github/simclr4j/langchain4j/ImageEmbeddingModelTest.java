// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.langchain4j;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** By an encoder whose features are the means of the three channels, and images of one colour each. */
class ImageEmbeddingModelTest {
    @TempDir
    static Path dir;

    static byte[] means() {
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
                .setGraph(GraphProto.newBuilder()
                        .setName("means")
                        .addInput(value("image", 3, 8, 8))
                        .addOutput(value("means", 3))
                        .addNode(NodeProto.newBuilder()
                                .setOpType("GlobalAveragePool")
                                .addInput("image")
                                .addOutput("pooled"))
                        .addNode(NodeProto.newBuilder()
                                .setOpType("Flatten")
                                .addInput("pooled")
                                .addOutput("means")))
                .build()
                .toByteArray();
    }

    private static ImageEmbeddingModel model() throws IOException {
        EncoderSettings settings = EncoderSettings.of(Map.of("scale", "1", "mean", "0", "std", "1"), "argument");
        return new ImageEmbeddingModel(OnnxEncoder.open(
                means(),
                "means.onnx",
                settings,
                RuntimeSettings.DEFAULT.withThreads(1).withBatch(2)));
    }

    private static ValueInfoProto value(String name, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        shape.addDimBuilder().setDimParam("batch");
        for (long d : dims) {
            shape.addDimBuilder().setDimValue(d);
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(TensorProto.DataType.FLOAT_VALUE)
                                .setShape(shape)))
                .build();
    }

    private static Path png(int rgb) throws IOException {
        return png(dir, rgb);
    }

    /** Writes an image of one colour. */
    static Path png(Path dir, int rgb) throws IOException {
        BufferedImage image = new BufferedImage(20, 10, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 200; i++) {
            image.setRGB(i % 20, i / 20, rgb);
        }
        Path file = dir.resolve(Integer.toHexString(rgb) + ".png");
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private static ImageContent image(int rgb) throws IOException {
        return ImageContent.from(png(rgb), "image/png");
    }

    private static EmbeddingRequest request(EmbeddingInput... inputs) {
        return EmbeddingRequest.builder().inputs(List.of(inputs)).build();
    }

    @Test
    void imagesOfSeveralBatchesAreEmbeddedInOrder() throws IOException {
        int[] colours = {0xff0000, 0x00ff00, 0x102030, 0xffffff, 0x000000};
        List<EmbeddingInput> inputs = new ArrayList<>();
        for (int rgb : colours) {
            inputs.add(EmbeddingInput.from(image(rgb)));
        }
        try (ImageEmbeddingModel model = model()) {
            assertEquals(3, model.dimension());
            var response = model.embed(request(inputs.toArray(EmbeddingInput[]::new)));
            assertEquals(5, response.embeddings().size());
            assertEquals(64, response.modelName().length());
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(
                        new float[] {colours[i] >> 16, colours[i] >> 8 & 255, colours[i] & 255},
                        response.embeddings().get(i).vector(),
                        1e-4f);
            }
        }
    }

    @Test
    void whatIsNotOneImageIsRefusedByItsNumber() throws IOException {
        EmbeddingInput good = EmbeddingInput.from(image(0x808080));
        byte[] bytes = Files.readAllBytes(png(0x808080));
        Path cut = Files.write(dir.resolve("cut.png"), java.util.Arrays.copyOf(bytes, bytes.length / 2));
        try (ImageEmbeddingModel model = model()) {
            assertThrows(UnsupportedFeatureException.class, () -> model.embed("a red car"));
            assertThrows(
                    UnsupportedFeatureException.class,
                    () -> model.embed(request(good, EmbeddingInput.from(image(1), TextContent.from("a red car")))));
            Map<EmbeddingInput, String> bad = Map.of(
                    EmbeddingInput.from(image(1), image(2)),
                            "Expected one image in input 3, found 2 contents of [IMAGE]",
                    EmbeddingInput.from(ImageContent.from(cut, "image/png")), "Input 3 can't be decoded as an image: ",
                    EmbeddingInput.from(ImageContent.from("%%%", "image/png")),
                            "Input 3 can't be decoded as an image: ",
                    EmbeddingInput.from(ImageContent.from(png(3).toUri())), "input 3, found the URL file:");
            bad.forEach((input, message) -> {
                InvalidRequestException e = assertThrows(
                        InvalidRequestException.class, () -> model.embed(request(good, good, good, input)), message);
                assertTrue(e.getMessage().contains(message), e.getMessage());
            });
        }
    }

    @Test
    void theEncoderIsClosedWithTheModel() throws IOException {
        ImageEmbeddingModel model = model();
        model.close();
        model.close();
        EmbeddingRequest request = request(EmbeddingInput.from(image(1)));
        assertThrows(IllegalStateException.class, () -> model.embed(request));
    }

    @Test
    void otherModulesInternalsAndTheTrainerAreNotUsed() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.simclr4j..internal..",
                        "io.github.simclr4j.train..",
                        "io.github.simclr4j.tribuo..",
                        "io.github.simclr4j.cli..")
                .check(new ClassFileImporter()
                        .withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages("io.github.simclr4j.langchain4j"));
    }
}
