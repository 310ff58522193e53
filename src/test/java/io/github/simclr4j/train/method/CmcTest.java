// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.network.TwoTowers;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What CMC's towers see; its loss and the contract of methods are tested with those of all methods. */
class CmcTest {
    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /** A tower's features stay when the other's channels change, and change when its own do. */
    @Test
    void eachTowerIgnoresTheOthersChannels() {
        TwoTowers net = new TwoTowers(Small.NET, TwoTowers.Space.YCBCR);
        try (Network network = new Network(net.graph(32), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            float[] ycc = random();
            float[] otherLuminance = ycc.clone();
            float[] otherChrominance = ycc.clone();
            Random random = new Random(2);
            for (int p = 0; p < 1024; p++) {
                otherLuminance[p] += 0.1f * random.nextFloat();
                otherChrominance[1024 + p] += 0.05f * random.nextFloat();
                otherChrominance[2048 + p] += 0.05f * random.nextFloat();
            }
            float[][] as = features(network, m, ycc);
            float[][] luminance = features(network, m, otherLuminance);
            float[][] chrominance = features(network, m, otherChrominance);
            assertArrayEquals(as[1], luminance[1], 1e-4f, "chrominance, of another luminance");
            assertArrayEquals(as[0], chrominance[0], 1e-4f, "luminance, of another chrominance");
            assertTrue(distance(as[0], luminance[0]) > 0.01, "luminance, of another luminance");
            assertTrue(distance(as[1], chrominance[1]) > 0.01, "chrominance, of another chrominance");
        }
    }

    private static float[][] features(Network network, NDManager m, float[] ycc) {
        NDList out = network.run(
                m.create(rgb(ycc), new Shape(1, 3, 32, 32)),
                Network.Pass.EVALUATION,
                TwoTowers.LUMINANCE,
                TwoTowers.CHROMINANCE,
                LayerGraph.FEATURES);
        float[] both = out.get(2).toFloatArray();
        float[] luminance = out.get(0).toFloatArray();
        float[] chrominance = out.get(1).toFloatArray();
        assertArrayEquals(
                luminance, Arrays.copyOf(both, luminance.length), "the features begin with those of the luminance");
        assertArrayEquals(
                chrominance, Arrays.copyOfRange(both, luminance.length, both.length), "and end with the chrominance's");
        return new float[][] {luminance, chrominance};
    }

    private static double distance(float[] a, float[] b) {
        double largest = 0;
        for (int i = 0; i < a.length; i++) {
            largest = Math.max(largest, Math.abs(a[i] - b[i]));
        }
        return largest;
    }

    /** An image in YCbCr, Cb and Cr around 0, that stays within the cube of RGB. */
    private static float[] random() {
        Random random = new Random(1);
        float[] ycc = new float[3 * 1024];
        for (int p = 0; p < 1024; p++) {
            ycc[p] = 0.4f + 0.1f * random.nextFloat();
            ycc[1024 + p] = 0.1f * random.nextFloat() - 0.05f;
            ycc[2048 + p] = 0.1f * random.nextFloat() - 0.05f;
        }
        return ycc;
    }

    /** ITU-T T.871, section 7. */
    private static float[] rgb(float[] ycc) {
        float[] rgb = new float[ycc.length];
        for (int p = 0; p < 1024; p++) {
            float y = ycc[p];
            float cb = ycc[1024 + p];
            float cr = ycc[2048 + p];
            rgb[p] = y + 1.402f * cr;
            rgb[1024 + p] = y - 0.344136f * cb - 0.714136f * cr;
            rgb[2048 + p] = y + 1.772f * cb;
        }
        return rgb;
    }

    /**
     * CIELab of sRGB colours as scikit-image 0.25 has it (rgb2lab), which the paper's code uses: grey has no chrominance, and a
     * tower that sees only luminance can't tell colours of equal lightness apart.
     */
    @ParameterizedTest
    @CsvSource({"53, 80.09, 67.20, 255, 0, 0", "53.585, 0.0, 0.0, 128, 128, 128", "32.297, 79.19, -107.86, 0, 0, 255"})
    void labIsThatOfTheStandard(double l, double a, double b, int red, int green, int blue) {
        double[] lab = lab(red / 255.0, green / 255.0, blue / 255.0);
        assertEquals(l, lab[0], 0.3);
        assertEquals(a, lab[1], 0.3);
        assertEquals(b, lab[2], 0.3);
    }

    /** What goes into the towers, read off a network whose first layers are looked at. */
    private static double[] lab(double red, double green, double blue) {
        TwoTowers net = new TwoTowers(Small.NET, TwoTowers.Space.LAB);
        LayerGraph.Builder g = net.graph(8).extend();
        List<LayerGraph.Node> stem = g.build().nodes().stream()
                .filter(n -> n.layer() instanceof Layer.Conv c
                        && c.name().endsWith("conv1")
                        && !c.name().contains("layer"))
                .toList();
        List<LayerGraph.Node> nodes = g.build().nodes();
        g.output("l", nodes.get(stem.get(0).inputs().get(0)))
                .output("ab", nodes.get(stem.get(1).inputs().get(0)));
        try (Network network = new Network(g.build(), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            float[] image = new float[3 * 64];
            Arrays.fill(image, 0, 64, (float) red);
            Arrays.fill(image, 64, 128, (float) green);
            Arrays.fill(image, 128, 192, (float) blue);
            NDList out = network.run(
                    m.create(image, new Shape(1, 3, 8, 8)), Network.Pass.EVALUATION, "l", "ab", LayerGraph.FEATURES);
            float[] ab = out.get(1).toFloatArray();
            return new double[] {50 + 50 * out.get(0).toFloatArray()[9], 92.2 * ab[9], 101.2 * ab[64 + 9]};
        }
    }

    @Test
    void theWidthIsThatOfBothTowersTogether() {
        ResNet whole = new ResNet(18, 0.25, ResNet.Stem.CIFAR);
        TwoTowers towers = (TwoTowers) new Cmc().encoder(whole, 32);
        assertEquals(whole.dimension(), towers.dimension());
        assertEquals(
                towers,
                EncoderFamilies.of(
                        "resnet18-towers", Map.of("width", "0.25", "stem", "cifar", "colour-space", "ycbcr")));
        // Each has a fourth of the weights, less what is linear in the width.
        assertTrue(towers.graph(32).parameters() < 0.55 * whole.parameters());
    }

    @Test
    void anEncoderThatIsNotDividedIsRefused() {
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Cmc().encoder(EncoderFamilies.of("vit-tiny", Map.of()), 32))
                .getMessage();
        assertTrue(message.contains("resnet18") && message.contains("vit-tiny"), message);
        assertFalse(message.contains("--"), message);
    }
}
