// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.file.ModelInspector;
import io.github.simclr4j.onnx.file.Opset;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.EncoderLayout;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.RandomWeights;
import io.github.simclr4j.onnx.runtime.Encoders;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family's files are converted as those of residual networks. */
@Tag("slow")
class FamilyConversionTest {
    private static final int SIZE = 64;
    private static final List<RgbImage> IMAGES =
            IntStream.range(0, 16).mapToObj(i -> Encoders.picture(SIZE, i)).toList();

    static Stream<Architecture> networks() {
        return Stream.of(
                EncoderFamilies.of("resnet18", Map.of("width", "0.125")),
                EncoderFamilies.of("mobilenetv3-large", Map.of("width", "0.25")),
                EncoderFamilies.of("vit-tiny", Map.of("patch-size", "16")));
    }

    private static ModelProto model(Architecture net, int opset) throws IOException {
        return ModelProto.parseFrom(EncoderWriter.toBytes(
                net,
                new Preprocessing(SIZE),
                RandomWeights.of(net.graph(SIZE)),
                Map.of(),
                EncoderLayout.DEFAULT.withOpset(opset)));
    }

    private static float[][] embed(ModelProto model) throws IOException {
        assertEquals(List.of(), ModelInspector.check(model, null, 0).problems());
        try (OnnxEncoder e = OnnxEncoder.open(model.toByteArray(), "test", 1)) {
            return e.embed(IMAGES);
        }
    }

    private static ModelProto moved(ModelProto model, int opset) throws IOException {
        return new Conversion(null, opset, true, null).convert(model);
    }

    private static double leastCosine(float[][] a, float[][] b) {
        return IntStream.range(0, a.length)
                .mapToDouble(i -> {
                    double ab = 0;
                    double aa = 0;
                    double bb = 0;
                    for (int j = 0; j < a[i].length; j++) {
                        ab += a[i][j] * b[i][j];
                        aa += a[i][j] * a[i][j];
                        bb += b[i][j] * b[i][j];
                    }
                    return ab / Math.sqrt(aa * bb);
                })
                .min()
                .getAsDouble();
    }

    @ParameterizedTest
    @MethodSource("networks")
    void float16KeepsTheEmbeddings(Architecture net) throws IOException {
        for (int opset : new int[] {13, 17}) {
            ModelProto full = model(net, opset);
            ModelProto half = new Conversion(Precision.FLOAT16, 0, true, null).convert(full);
            assertTrue(half.getGraph().getInitializerList().stream()
                    .noneMatch(t -> t.getDataType() == TensorProto.DataType.FLOAT_VALUE));
            double cosine = leastCosine(embed(full), embed(half));
            assertTrue(cosine > 0.9999, net.describe() + " " + opset + ": " + cosine);
        }
    }

    @ParameterizedTest
    @MethodSource("networks")
    void int8KeepsTheEmbeddings(Architecture net) throws IOException {
        ModelProto full = model(net, 13);
        ModelProto int8 = new Conversion(
                        Precision.INT8, 0, true, new CalibrationSettings(IMAGES, CalibrationMethod.MIN_MAX))
                .convert(full);
        double cosine = leastCosine(embed(full), embed(int8));
        assertTrue(cosine > 0.98, net.describe() + ": " + cosine);
        assertEquals("int8", ModelInspector.check(int8, null, 0).precision());
    }

    @ParameterizedTest
    @MethodSource("networks")
    void anotherOpsetAndNoPreprocessingKeepTheEmbeddings(Architecture net) throws IOException {
        ModelProto old = model(net, Opset.OLDEST);
        float[][] expected = embed(old);
        for (int opset : new int[] {14, 17, 18, 21, Opset.NEWEST}) {
            assertTrue(leastCosine(expected, embed(moved(old, opset))) > 0.999999, opset + "");
            assertTrue(leastCosine(expected, embed(model(net, opset))) > 0.999999, opset + "");
        }
        assertTrue(leastCosine(expected, embed(new Conversion(null, 0, false, null).convert(old))) > 0.999999);
        assertTrue(leastCosine(expected, embed(moved(model(net, Opset.NEWEST), 17))) > 0.999999);
    }
}
