// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Batch norms that get the statistics of images. */
class BatchNormFitTest {
    private static final String MEAN = "bn1.running_mean";
    private static final String VARIANCE = "bn1.running_var";

    private static Network network() {
        Network network = new Network(Small.NET.graph(32), false, Network.Computation.cpu(), 1);
        network.tensors().get(VARIANCE).muli(3);
        network.tensors().get(MEAN).addi(0.5);
        return network;
    }

    /** Returns images, of which the last two are far darker, so that the means of parts differ. */
    private static NDArray images(NDManager m) {
        NDArray x = Small.pixels(m, Small.drawings(7));
        x.set(new NDIndex("5:"), x.get("5:").mul(0.1));
        return x;
    }

    private static void fit(Network network, NDArray x, int part) {
        BatchNormFit fit = new BatchNormFit(network);
        int n = (int) x.getShape().get(0);
        for (int from = 0; from < n; from += part) {
            fit.add(x.get(from + ":" + Math.min(n, from + part)));
        }
        fit.apply();
    }

    private static float[] features(Network network, NDArray x) {
        return network.run(x, Network.Pass.EVALUATION, LayerGraph.FEATURES)
                .get(0)
                .toFloatArray();
    }

    @Test
    void partsOfUnequalSizesGiveTheStatisticsOfAllImages() {
        Torch.noGradient();
        try (Network whole = network();
                Network parts = network();
                NDManager m = whole.manager().newSubManager()) {
            NDArray x = images(m);
            fit(whole, x, 7);
            fit(parts, x, 3);
            whole.tensors().keySet().forEach(name -> {
                float[] expected = whole.values(name);
                float[] found = parts.values(name);
                for (int i = 0; i < expected.length; i++) {
                    assertEquals(expected[i], found[i], 1e-4 * (1 + Math.abs(expected[i])), name);
                }
            });
        }
    }

    /** The first norm follows the first convolution, whose outputs in evaluation are computed here without it. */
    @Test
    void theStatisticsAreThoseOfTheImagesAndTheFunctionStaysTheSame() {
        Torch.noGradient();
        try (Network network = network();
                NDManager m = network.manager().newSubManager()) {
            NDArray x = images(m);
            float[] before = features(network, x);
            NDArray normalised = x.sub(Preprocessing.MEAN).div(Preprocessing.DEVIATION);
            float[][] maps = channels(network, normalised);
            fit(network, x, 2);
            float[] mean = network.values(MEAN);
            float[] variance = network.values(VARIANCE);
            for (int c = 0; c < maps.length; c++) {
                double expected = 0;
                double squares = 0;
                for (float v : maps[c]) {
                    expected += v / (double) maps[c].length;
                    squares += v * (double) v / maps[c].length;
                }
                assertEquals(expected, mean[c], 1e-4);
                assertEquals(squares - expected * expected, variance[c], 1e-3);
            }
            float largest = 0;
            for (float v : before) {
                largest = Math.max(largest, Math.abs(v));
            }
            assertArrayEquals(before, features(network, x), 1e-4f * largest);
        }
    }

    /** Returns the outputs of the first convolution, [channels, images * pixels]. */
    private static float[][] channels(Network network, NDArray x) {
        float[] w = network.values("conv1.weight");
        float[] pixels = x.toFloatArray();
        int n = (int) x.getShape().get(0);
        int out = w.length / 27;
        float[][] all = new float[out][n * 1024];
        for (int c = 0; c < out; c++) {
            for (int at = 0; at < n * 1024; at++) {
                int image = at / 1024;
                int row = at % 1024 / 32;
                int column = at % 32;
                double sum = 0;
                for (int k = 0; k < 27; k++) {
                    int r = row + k % 9 / 3 - 1;
                    int s = column + k % 3 - 1;
                    sum += r < 0 || s < 0 || r > 31 || s > 31
                            ? 0
                            : w[27 * c + k] * (double) pixels[((3 * image + k / 9) * 32 + r) * 32 + s];
                }
                all[c][at] = (float) sum;
            }
        }
        return all;
    }

    @Test
    void aNetworkWithoutBatchNormStaysAsItIs() {
        Torch.noGradient();
        LayerGraph graph = EncoderFamilies.of("resnet18-patches", Map.of("width", "0.0625", "patch-size", "16"))
                .graph(32);
        try (Network network = new Network(graph, false, Network.Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            float[] before = network.values("conv1.weight");
            fit(network, images(m), 3);
            assertEquals(Arrays.toString(before), Arrays.toString(network.values("conv1.weight")));
        }
    }
}
