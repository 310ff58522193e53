// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.AmdimEncoder;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What AMDIM's maps see, and its loss for every bound; its published loss and the contract of methods are tested with those of all methods. */
class AmdimTest {
    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /**
     * What each place of a map sees, worked out from the sizes of windows: a place of the 7x7 map sees 8 of 32 pixels, a place every
     * 4; one of the 5x5 map 16. Padding would let places at the border see more or less than that.
     */
    @Test
    void aPlaceOfAMapSeesItsOwnPixelsAlone() {
        AmdimEncoder net = new AmdimEncoder(8, 64, 2);
        try (Network network = new Network(net.graph(32), false, Computation.cpu(), 1)) {
            for (int[] map : new int[][] {{7, 8}, {5, 16}}) {
                String name = map[0] == 7 ? AmdimEncoder.MAP_7 : AmdimEncoder.MAP_5;
                for (int place : new int[] {0, map[0] * map[0] / 2, map[0] * map[0] - 1}) {
                    int top = place / map[0] * 4;
                    int left = place % map[0] * 4;
                    float[] image = image(1);
                    float[] outside = image(2);
                    float[] corner = image.clone();
                    for (int c = 0; c < 3; c++) {
                        for (int y = top; y < top + map[1]; y++) {
                            System.arraycopy(
                                    image, c * 1024 + y * 32 + left, outside, c * 1024 + y * 32 + left, map[1]);
                        }
                        corner[c * 1024 + top * 32 + left] += 0.5f;
                        corner[c * 1024 + (top + map[1] - 1) * 32 + left + map[1] - 1] += 0.5f;
                    }
                    float[] as = at(network, name, image, place);
                    assertArrayEquals(
                            as, at(network, name, outside, place), 1e-5f, name + " " + place + " sees no other pixel");
                    assertFalse(
                            Arrays.equals(as, at(network, name, corner, place)),
                            name + " " + place + " sees its corners");
                }
            }
        }
    }

    /** The features see the whole image, of which neither half can be told from the other's features by its border. */
    @Test
    void theFeaturesSeeEveryCornerOfTheImage() {
        AmdimEncoder net = new AmdimEncoder(8, 64, 2);
        try (Network network = new Network(net.graph(32), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            float[] image = image(1);
            float[] as = features(network, m, image);
            for (int pixel : new int[] {0, 31, 31 * 32, 1023}) {
                float[] other = image.clone();
                other[pixel] += 0.5f;
                assertFalse(Arrays.equals(as, features(network, m, other)), "pixel " + pixel);
            }
        }
    }

    private static float[] features(Network network, NDManager m, float[] image) {
        return network.run(m.create(image, new Shape(1, 3, 32, 32)), Network.Pass.EVALUATION, LayerGraph.FEATURES)
                .get(0)
                .toFloatArray();
    }

    private static float[] at(Network network, String map, float[] image, int place) {
        try (NDManager m = network.manager().newSubManager()) {
            NDArray y = network.run(m.create(image, new Shape(1, 3, 32, 32)), Network.Pass.EVALUATION, map)
                    .get(0);
            return y.reshape(y.getShape().get(1), -1).get(":, " + place).toFloatArray();
        }
    }

    private static float[] image(long seed) {
        Random random = new Random(seed);
        float[] pixels = new float[3 * 1024];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat();
        }
        return pixels;
    }

    @Test
    void aResNet18StandsForAnEncoderThatCostsAsMuch() {
        assertEquals(
                EncoderFamilies.of("amdim", Map.of()),
                new Amdim().encoder(new ResNet(18, 0.25, ResNet.Stem.CIFAR), 32));
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Amdim().encoder(new ResNet(50, 0.25, ResNet.Stem.CIFAR), 32))
                .getMessage();
        assertTrue(message.contains("amdim") && message.contains("resnet50"), message);
        assertThrows(IllegalArgumentException.class, () -> new AmdimEncoder(32, 256, 3).graph(48));
        assertEquals(
                List.of(128, 7, 7),
                new AmdimEncoder(16, 256, 1)
                        .graph(64)
                        .output(AmdimEncoder.MAP_7)
                        .shape());
    }

    /**
     * The six terms of Bachman et al. 2019, sections 3.3 and 3.4, in double precision. Scores are up to about 30, so that they are far below
     * some bounds and far above others.
     */
    @ParameterizedTest
    @ValueSource(doubles = {Double.MIN_VALUE, 1e-40, 1e-3, 0.5, 20, 103, 105, 1000, 1e10, 1e30, 1e39, Double.MAX_VALUE})
    void theLossIsTheEquationsForEveryBound(double clip) {
        int images = 3;
        int d = 4;
        int[] places = {1, 25, 49, 1, 25, 49};
        int[] at = {3, 24, 0};
        Random random = new Random(7);
        List<float[]> values = Arrays.stream(places)
                .mapToObj(p -> {
                    float[] map = new float[images * p * d];
                    for (int i = 0; i < map.length; i++) {
                        map[i] = 3 * (float) random.nextGaussian();
                    }
                    return map;
                })
                .toList();
        try (NDManager m = Torch.engine().newBaseManager()) {
            List<NDArray> maps = IntStream.range(0, places.length)
                    .mapToObj(i -> {
                        NDArray map = m.create(
                                values.get(i), i % 3 == 0 ? new Shape(images, d) : new Shape(images, places[i], d));
                        map.setRequiresGradient(true);
                        return map;
                    })
                    .toList();
            NDArray loss = Torch.recording(() -> Amdim.loss(maps, at, clip, 0.05, 0, images));
            double expected = 0;
            for (int view = 0; view < 2; view++) {
                int other = 3 * (1 - view);
                int five = 3 * view + 1;
                int[] first = new int[images];
                expected += term(values.get(3 * view), 1, first, values.get(other + 1), 25, d, clip);
                expected += term(values.get(3 * view), 1, first, values.get(other + 2), 49, d, clip);
                expected += term(values.get(five), 25, at, values.get(other + 1), 25, d, clip);
            }
            assertEquals(expected / 2, loss.getFloat(), 1e-5 * expected);
            double parts = Amdim.loss(maps, at, clip, 0.05, 0, 1).getFloat()
                    + 2 * Amdim.loss(maps, at, clip, 0.05, 1, images).getFloat();
            assertEquals(expected / 2, parts / images, 1e-5 * expected, "of micro-batches");
            for (NDArray gradient : Gradients.of(new NDList(loss), null, maps, m)) {
                for (float g : gradient.toFloatArray()) {
                    assertTrue(Float.isFinite(g), () -> "gradient " + g);
                }
            }
        }
    }

    /** Of maps whose places are all alike the loss is the same wherever the term 5 to 5 starts from. */
    @Test
    void theMethodsMapsAreThoseOfItsTwoViews() {
        int images = 4;
        int d = 6;
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(Small.settings(new Amdim()), images)) {
            Map<String, List<NDArray>> rows = maps(m, images, d);
            rows.put("f5", List.of(alike(m, images, d, 1), alike(m, images, d, 2)));
            List<NDArray> maps = IntStream.range(0, 2)
                    .boxed()
                    .flatMap(v ->
                            Stream.of("f1", "f5", "f7").map(f -> rows.get(f).get(v)))
                    .toList();
            float expected =
                    Amdim.loss(maps, new int[images], 20, 0.05, 0, images).getFloat();
            assertEquals(expected, on.method().loss(on.embeddings(rows)).value().getFloat(), 1e-5 * expected);
        }
    }

    @Test
    void aBatchOfTheSameImagesStartsFromTheSamePlacesAndAnotherFromOthers() {
        int images = 4;
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(Small.settings(new Amdim()), images)) {
            Map<String, List<NDArray>> rows = maps(m, images, 6);
            List<Float> losses = Stream.of(new int[] {0, 1, 2, 3}, new int[] {0, 1, 2, 3}, new int[] {7, 5, 6, 4})
                    .map(which -> on.embeddings(rows, which, null, null))
                    .map(z -> on.method().loss(z).value().getFloat())
                    .toList();
            assertEquals(losses.get(0), losses.get(1));
            assertNotEquals(losses.get(0), losses.get(2), 1e-4);
        }
    }

    private static Map<String, List<NDArray>> maps(NDManager m, int images, int d) {
        Map<String, List<NDArray>> rows = new HashMap<>();
        int[] places = {1, 25, 49};
        for (int i = 0; i < 3; i++) {
            List<NDArray> views = new ArrayList<>();
            for (int v = 0; v < 2; v++) {
                NDArray map = m.create(Small.rows(images * places[i], d, 10 * i + v));
                views.add(i == 0 ? map : map.reshape(images, places[i], d));
            }
            rows.put(List.of("f1", "f5", "f7").get(i), views);
        }
        return rows;
    }

    private static NDArray alike(NDManager m, int images, int d, long seed) {
        return m.create(Small.rows(images, d, seed)).reshape(images, 1, d).mul(m.ones(new Shape(1, 25, 1)));
    }

    /** Returns equation 2 of some places against all places of a map, with the penalty of 0.05 on scores. */
    private static double term(float[] antecedents, int of, int[] at, float[] map, int places, int d, double clip) {
        int images = at.length;
        double loss = 0;
        double squares = 0;
        for (int i = 0; i < images; i++) {
            double[] scores = new double[images * places];
            for (int p = 0; p < scores.length; p++) {
                for (int k = 0; k < d; k++) {
                    scores[p] += (double) antecedents[(i * of + at[i]) * d + k] * map[p * d + k] / Math.sqrt(d);
                }
                squares += scores[p] * scores[p];
                scores[p] = clip > 1e6 ? scores[p] : clip * Math.tanh(scores[p] / clip);
            }
            // Scores are far below 700, so that doubles hold their exponentials.
            double negatives = 0;
            for (int p = 0; p < scores.length; p++) {
                negatives += p / places == i ? 0 : Math.exp(scores[p]);
            }
            for (int p = i * places; p < (i + 1) * places; p++) {
                loss += Math.log(Math.exp(scores[p]) + negatives) - scores[p];
            }
        }
        return loss / (images * places) + 0.05 * squares / (images * images * places);
    }
}
