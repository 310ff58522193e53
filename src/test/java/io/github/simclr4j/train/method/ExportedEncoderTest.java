// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.loop.Runs;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;

/** The files that the methods export, in Tribuo. */
@Tag("slow")
class ExportedEncoderTest {
    @ParameterizedTest(name = "{0}")
    @MethodSource("io.github.simclr4j.train.method.MethodContractTest#methods")
    void tribuosExtractorGivesTheEncodersFeatures(String name, MethodFactory method, @TempDir Path dir)
            throws IOException {
        PretrainSettings s = Small.build(Small.settings(method)
                .optimizer("adamw")
                .learningRate(1e-3)
                .batch(8)
                .epochs(1)
                .imageSize(MethodContractTest.imageSize(method)));
        byte[] onnx = Runs.run(s, Small.labelled(16), Runs.NOTHING).onnx();
        Path file = Files.write(dir.resolve(name + ".onnx"), onnx);
        List<RgbImage> images = Small.drawings(5);
        try (OnnxEncoder encoder = OnnxEncoder.open(onnx, name, 1);
                SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(new LabelFactory(), file, 1)) {
            assertEquals(s.encoder().dimension(), extractor.featureNames().length);
            float[][] expected = encoder.embed(images);
            float[][] features = extractor.floatFeatures(images);
            for (int i = 0; i < expected.length; i++) {
                assertArrayEquals(expected[i], features[i], name + " of image " + i);
            }
        }
    }
}
