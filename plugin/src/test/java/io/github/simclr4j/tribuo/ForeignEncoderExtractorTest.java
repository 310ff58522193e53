package io.github.simclr4j.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.github.simclr4j.onnx.EncoderSettings;
import io.github.simclr4j.onnx.RgbImage;
import io.github.simclr4j.onnx.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/** The settings of a foreign encoder, from code and from OLCUT. */
class ForeignEncoderExtractorTest {
    private static final Path ENCODER = Path.of(System.getProperty("simclr.root", ".."),
            "onnx/src/test/resources/io/github/simclr4j/onnx/foreign/resnet50-folded.onnx");

    private static List<RgbImage> image() {
        byte[] rgb = new byte[90 * 70 * 3];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * i);
        }
        return List.of(new RgbImage(90, 70, rgb));
    }

    private static SimCLRFeatureExtractor<?> olcut(Path xml, String properties) throws IOException {
        Files.writeString(xml, """
                <config>
                  <component name="labels" type="org.tribuo.classification.LabelFactory"/>
                  <component name="extractor" type="io.github.simclr4j.tribuo.SimCLRFeatureExtractor">
                    <property name="outputFactory" value="labels"/>
                    <property name="encoderPath" value="%s"/>
                    %s
                  </component>
                </config>
                """.formatted(ENCODER, properties));
        try (ConfigurationManager manager = new ConfigurationManager(xml.toString())) {
            return (SimCLRFeatureExtractor<?>) manager.lookup("extractor");
        }
    }

    @Test
    void olcutAndCodeGiveTheSame(@TempDir Path dir) throws IOException {
        Path json = Files.writeString(dir.resolve("vendor.json"), "{\"mean\": [0.485, 0.456, 0.406], \"image_size\": 32}");
        EncoderSettings settings = EncoderSettings.of(Map.of("image-size", "64", "resize-short", "70", "interpolation", "bicubic",
                "std", "0.229,0.224,0.225", "output", "/Flatten_output_0"), "argument").or(EncoderSettings.read(json));
        try (SimCLRFeatureExtractor<Label> code = new SimCLRFeatureExtractor<>(
                        new LabelFactory(), ENCODER, settings, RuntimeSettings.DEFAULT.withThreads(1).withBatch(2), null);
                SimCLRFeatureExtractor<?> olcut = olcut(dir.resolve("e.xml"), """
                        <property name="imageSize" value="64"/>
                        <property name="resizeShort" value="70"/>
                        <property name="interpolation" value="bicubic"/>
                        <property name="std" value="0.229,0.224,0.225"/>
                        <property name="output" value="/Flatten_output_0"/>
                        <property name="preprocessing" value="%s"/>
                        <property name="threads" value="1"/>
                        <property name="provider" value="cpu"/>
                        """.formatted(json))) {
            assertEquals(64, code.dimension());
            assertArrayEquals(code.features(image()), olcut.features(image()));
            for (SimCLRFeatureExtractor<?> e : List.of(code, olcut)) {
                String provenance = ProvenanceUtil.formattedProvenanceString(e.getProvenance());
                for (String part : List.of("short-side-70-antialiased-bicubic-1", "mean=0.485,0.456,0.406 (vendor.json)",
                        "layout=nchw (graph)", e.encoder().sha256(), "0.229,0.224,0.225")) {
                    assertTrue(provenance.contains(part), part + " in " + provenance);
                }
            }
            // What OLCUT writes of an extractor that code made builds it again.
            assertTrue(code.getProvenance().getConfiguredParameters().get("interpolation").toString().contains("bicubic"));
        }
    }

    @Test
    void badSettingsAreNamed(@TempDir Path dir) {
        String[][] cases = {
            {"<property name=\"imageSize\" value=\"big\"/>", "image-size"},
            {"<property name=\"mean\" value=\"0.5\"/>", "--image-size"},
            {"<property name=\"imageSize\" value=\"64\"/><property name=\"provider\" value=\"tpu\"/>", "execution provider"},
            {"<property name=\"preprocessing\" value=\"nowhere.json\"/>", "nowhere.json"},
        };
        for (String[] c : cases) {
            PropertyException e = assertThrows(PropertyException.class, () -> olcut(dir.resolve("e.xml"), c[0]), c[0]);
            assertTrue(e.getMessage().contains(c[1]), e.getMessage());
        }
    }
}
