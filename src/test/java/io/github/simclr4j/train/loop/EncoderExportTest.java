// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.settings.Head;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of trained networks; that their features are the trainer's own is in {@link ArchitectureParityTest}. */
class EncoderExportTest {
    @ParameterizedTest
    @CsvSource({"1, true", "1, false", "2, true", "2, false", "3, true", "3, false"})
    void layersOfTheHeadThatAreKeptAreInTheFile(int kept, boolean norm) throws IOException {
        List<RgbImage> images = Small.drawings(6);
        Torch.noGradient();
        Head head = new Head(3, 24, 16, norm, kept);
        try (Network network = new Network(head.behind(Small.NET.graph(32)), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager();
                OnnxEncoder e =
                        OnnxEncoder.open(EncoderExport.toBytes(network, Small.NET, head, 32, Map.of()), "test", 1)) {
            NDArray x = network.run(Small.pixels(m, images), Network.Pass.EVALUATION, LayerGraph.FEATURES)
                    .get(0);
            for (int i = 0; i < kept; i++) {
                String dense = "head." + 3 * i;
                NDArray w = network.trained().get(dense + ".weight");
                NDArray bias = norm ? null : network.trained().get(dense + ".bias");
                x = ai.djl.nn.core.Linear.linear(x, w, bias).get(0);
                // Fresh batch norm only divides by sqrt(1 + epsilon).
                x = norm ? x.div(Math.sqrt(1 + ResNet.EPSILON)) : x;
                // Nothing follows the last layer of the whole head.
                x = i == 2 ? x : ai.djl.nn.Activation.relu(x);
            }
            float[] expected = x.toFloatArray();
            float[][] actual = e.embed(images);
            int width = kept == 3 ? 16 : 24;
            assertEquals(width, actual[0].length);
            for (int i = 0; i < 6; i++) {
                for (int k = 0; k < width; k++) {
                    assertEquals(expected[width * i + k], actual[i][k], 1e-4);
                }
            }
        }
    }
}
