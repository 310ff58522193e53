// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.Head;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * An architecture as the trainer computes it and as the exported file does: the two are written from one description, by two
 * backends. {@link ArchitectureParityTest} and {@link AllArchitecturesParityTest} run it over every one that can be named.
 */
abstract class AbstractArchitectureTest {
    /** Small values of the options that decide how much there is to compute. */
    private static final Map<String, String> SMALL = Map.of("width", "0.0625", "patch-size", "8");

    private static final int SIZE = 32;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private final Architecture architecture;

    AbstractArchitectureTest(Architecture architecture) {
        this.architecture = architecture;
    }

    /** The first of each family. */
    static List<Architecture> first() {
        return EncoderFamilies.all().stream()
                .map(f -> EncoderFamilies.of(f.names().get(0), small(f)))
                .toList();
    }

    /** All other names, and each choice of each option with the first name. */
    static List<Architecture> others() {
        List<Architecture> all = new ArrayList<>();
        for (EncoderFamily family : EncoderFamilies.all()) {
            Map<String, String> small = small(family);
            family.names().stream().skip(1).forEach(name -> all.add(EncoderFamilies.of(name, small)));
            for (Option<?> o : family.options()) {
                o.choices().stream().filter(c -> !c.equals(o.fallback())).forEach(c -> {
                    Map<String, String> other = new HashMap<>(small);
                    other.put(o.name(), c);
                    // Patches have to be as large as the strides of this stem together.
                    other.computeIfPresent("patch-size", (name, side) -> c.equals("imagenet") ? "" + SIZE : side);
                    all.add(EncoderFamilies.of(family.names().get(0), other));
                });
            }
        }
        return all;
    }

    private static Map<String, String> small(EncoderFamily family) {
        Map<String, String> small = new HashMap<>();
        family.options().stream().map(Option::name).filter(SMALL::containsKey).forEach(n -> small.put(n, SMALL.get(n)));
        return small;
    }

    /**
     * Random values for what starts as 0 or 1, so that a confusion of two of them shows. A block adds little to what it gets,
     * lest the features of 50 of them be as large as 10 to the eighth.
     */
    private static void randomise(Network network) {
        Map<String, float[]> values = new HashMap<>();
        Set<String> ends = new HashSet<>();
        network.graph().nodes().forEach(n -> {
            if (n.layer() instanceof Layer.BatchNorm norm && norm.endsBranch()) {
                ends.add(norm.name() + ".weight");
            }
        });
        for (Weight w : network.graph().weights()) {
            if (w.kind() != Weight.Kind.MATRIX) {
                Random random = new Random(w.name().hashCode());
                float[] v = new float[w.size()];
                for (int i = 0; i < v.length; i++) {
                    double x = random.nextGaussian();
                    v[i] = (float)
                            (w.name().endsWith("var")
                                    ? 0.5 + random.nextDouble()
                                    : w.kind() == Weight.Kind.SCALE
                                            ? (1 + 0.2 * x) * (ends.contains(w.name()) ? 0.2 : 1)
                                            : 0.1 * x);
                }
                values.put(w.name(), v);
            }
        }
        network.load(values);
    }

    private static float[] features(Network network, NDArray x) {
        return network.run(x, Network.Pass.EVALUATION, LayerGraph.FEATURES)
                .get(0)
                .toFloatArray();
    }

    @Test
    void theFileGivesTheTrainersOwnFeatures() throws IOException {
        List<RgbImage> images = Small.drawings(10);
        try (Network network = new Network(architecture.graph(SIZE), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            randomise(network);
            float[] expected = features(network, Small.pixels(m, images));
            byte[] file = EncoderExport.toBytes(network, architecture, new Head(0, 0, 1, true, 0), SIZE, Map.of());
            try (OnnxEncoder e = OnnxEncoder.open(file, "test", 1)) {
                float[][] embedded = e.embed(images);
                assertEquals(architecture.dimension(), e.dimension());
                float[] actual = new float[expected.length];
                for (int i = 0; i < embedded.length; i++) {
                    System.arraycopy(embedded[i], 0, actual, i * e.dimension(), e.dimension());
                }
                Golden.same(expected, actual, 1e-4, 0, architecture.describe());
            }
        }
    }

    @Test
    void layoutAndPrecisionChangeTheFeaturesByRoundingOnly() {
        List<RgbImage> images = Small.drawings(10);
        float[] expected = null;
        for (Computation how : List.of(
                Computation.cpu(),
                new Computation(Device.cpu(), Precision.FLOAT32, MemoryLayout.CHANNELS_FIRST),
                new Computation(Device.cpu(), Precision.BFLOAT16, MemoryLayout.CHANNELS_LAST),
                new Computation(Device.cpu(), Precision.BFLOAT16, MemoryLayout.CHANNELS_FIRST))) {
            try (Network network = new Network(architecture.graph(SIZE), false, how, 1);
                    NDManager m = network.manager().newSubManager()) {
                randomise(network);
                float[] actual = features(network, Small.pixels(m, images));
                expected = expected == null ? actual : expected;
                Golden.same(expected, actual, how.precision() == Precision.FLOAT32 ? 1e-4 : 2e-2, 0, how.toString());
            }
        }
    }

    @Test
    void everyWeightGetsAGradient() {
        for (Precision precision : List.of(Precision.FLOAT32, Precision.BFLOAT16)) {
            LayerGraph graph = Head.simclr(16).behind(architecture.graph(SIZE));
            Computation how = new Computation(Device.cpu(), precision, MemoryLayout.CHANNELS_LAST);
            try (Network network = new Network(graph, false, how, 1);
                    NDManager m = network.manager().newSubManager()) {
                NDArray x = Small.pixels(m, Small.drawings(16));
                NDArray loss = Torch.recording(() -> Losses.ntXent(
                        Anchors.all(network.run(x, new Network.Pass(true, 2, true, null), ProjectionHead.PROJECTION)
                                .get(0)),
                        0.5));
                assertTrue(Float.isFinite(loss.getFloat()), precision + " loss " + loss.getFloat());
                List<NDArray> gradients =
                        Gradients.of(new NDList(loss), null, network.trained().values(), m);
                int i = 0;
                for (String name : network.trained().keySet()) {
                    float size = gradients.get(i++).abs().sum().getFloat();
                    assertTrue(size > 0 && Float.isFinite(size), precision + " " + name + " " + size);
                }
                assertEquals(gradients.size(), i);
            }
        }
    }
}
