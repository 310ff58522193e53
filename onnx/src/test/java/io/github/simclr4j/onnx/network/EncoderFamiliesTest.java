// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.runtime.Foreign;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EncoderFamiliesTest {

    static Stream<String> names() {
        return EncoderFamilies.names().stream();
    }

    /** torchvision 0.29 without fc or classifier, timm 1.0 without head. */
    @ParameterizedTest
    @CsvSource({
        "resnet18, 11176512",
        "resnet34, 21284672",
        "resnet50, 23508032",
        "resnet101, 42500160",
        "resnet152, 58143808",
        "mobilenetv3-large, 2971952",
        "vit-tiny, 5524416",
        "vit-small, 21665664"
    })
    void parameterCountIsThePublishedOne(String name, long parameters) {
        String stem = EncoderFamilies.family(name).options().stream()
                        .anyMatch(o -> o.name().equals("stem"))
                ? "imagenet"
                : null;
        Architecture net = EncoderFamilies.of(name, stem == null ? Map.of() : Map.of("stem", stem));
        LayerGraph graph = net.graph(224);
        assertEquals(parameters, graph.parameters());
        assertEquals(List.of(net.dimension()), graph.output(LayerGraph.FEATURES).shape());
        assertEquals(name, net.name());
    }

    @Test
    void allAreFoundByName() {
        assertEquals(
                List.of(
                        "resnet18",
                        "resnet34",
                        "resnet50",
                        "resnet101",
                        "resnet152",
                        "mobilenetv3-large",
                        "vit-tiny",
                        "vit-small",
                        "resnet18-towers",
                        "resnet34-towers",
                        "resnet50-towers",
                        "resnet101-towers",
                        "resnet152-towers",
                        "resnet18-patches",
                        "resnet34-patches",
                        "resnet50-patches",
                        "resnet101-patches",
                        "resnet152-patches",
                        "amdim"),
                EncoderFamilies.names());
        assertEquals(
                new ResNet(18, 0.25, ResNet.Stem.IMAGENET),
                EncoderFamilies.of("ResNet18", Map.of("width", "0.25", "stem", "ImageNet")));
        assertEquals(new ResNet(50, 1, ResNet.Stem.CIFAR), EncoderFamilies.of("resnet50", Map.of()));
        assertEquals(VisionTransformer.Net.small(8), EncoderFamilies.of("vit-small", Map.of("patch-size", "8")));
        assertEquals(new MobileNetV3.Net(1, "imagenet"), EncoderFamilies.of("mobilenetv3-large", Map.of()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vgg16 | width | 1 | Unknown encoder, expected one of resnet18, resnet34",
                "resnet18 | width | 0 | width must be above 0 and at most 8, found 0.0",
                "resnet18 | width | 9 | width must be above 0 and at most 8, found 9.0",
                "resnet18 | stem | vgg | stem must be one of cifar, imagenet, found vgg",
                "resnet18 | patch-size | 4 | Unknown setting, expected width, stem, found patch-size",
                "mobilenetv3-large | width | NaN | width must be above 0 and at most 8, found NaN",
                "vit-tiny | patch-size | 0 | patch-size must be from 1 to 256, found 0",
                "vit-tiny | width | 1 | Unknown setting, expected patch-size, found width"
            })
    void whatIsUnknownOrOutOfRangeIsNamed(String name, String setting, String value, String message) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> EncoderFamilies.of(name, Map.of(setting, value)));
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }

    @ParameterizedTest
    @MethodSource("names")
    void aFamilySaysWhatItIs(String name) {
        EncoderFamily family = EncoderFamilies.family(name);
        assertTrue(family.paper().startsWith("https://"));
        assertTrue(family.names().contains(name));
        Architecture net = EncoderFamilies.of(name, Map.of());
        assertEquals(net, EncoderFamilies.of(name, Map.of()));
        assertTrue(net.describe().startsWith(name), net.describe());
        assertEquals(
                family.options().stream().map(Option::key).sorted().toList(),
                net.settings().keySet().stream().sorted().toList());
    }

    @ParameterizedTest
    @MethodSource("names")
    void metadataNameTheArchitecture(String name) {
        Architecture net = EncoderFamilies.of(name, Map.of());
        Map<String, String> metadata = new TreeMap<>(net.settings());
        assertEquals(Optional.empty(), EncoderFamilies.fromMetadata(metadata));
        metadata.put("architecture", name);
        assertEquals(Optional.of(net), EncoderFamilies.fromMetadata(metadata));
        String setting = net.settings().keySet().iterator().next();
        metadata.put(setting, "-1");
        assertEquals(Optional.empty(), EncoderFamilies.fromMetadata(metadata));
        metadata.remove(setting);
        assertEquals(Optional.empty(), EncoderFamilies.fromMetadata(metadata));
    }

    /** Each image's features are its own, in files with and without preprocessing, and the file names its architecture. */
    @ParameterizedTest
    @MethodSource("names")
    void everyArchitectureIsWritten(String name) throws IOException {
        Map<String, String> settings = EncoderFamilies.family(name).options().stream()
                        .anyMatch(o -> o.name().equals("width"))
                ? Map.of("width", "0.05")
                : Map.of();
        Architecture net = EncoderFamilies.of(name, settings);
        Preprocessing size = new Preprocessing(32);
        for (EncoderLayout layout : List.of(
                EncoderLayout.DEFAULT, EncoderLayout.DEFAULT.withOpset(18).withoutPreprocessing())) {
            byte[] file = EncoderWriter.toBytes(net, size, RandomWeights.of(net.graph(32)), Map.of(), layout);
            try (OnnxEncoder e = OnnxEncoder.open(file, name, 1)) {
                assertEquals(Optional.of(net), e.architecture());
                assertEquals(net.dimension(), e.dimension());
                float[][] both = e.embed(Foreign.pictures(32));
                float[][] second = e.embed(Foreign.pictures(32).subList(1, 2));
                assertTrue(Foreign.largestDifference(second, new float[][] {both[1]}) < 1e-5 * Foreign.largest(second));
                assertTrue(Foreign.largestDifference(second, new float[][] {both[0]}) > 1e-3 * Foreign.largest(second));
            }
        }
    }

    @Test
    void anImageThatIsNoMultipleOfThePatchIsRefused() {
        Architecture net = EncoderFamilies.of("vit-tiny", Map.of("patch-size", "16"));
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> net.graph(100));
        assertEquals("The image size must be a multiple of the patch size, 16, found 100", e.getMessage());
        assertNotNull(net.graph(96));
        assertThrows(IllegalArgumentException.class, () -> net.graph(8));
    }
}
