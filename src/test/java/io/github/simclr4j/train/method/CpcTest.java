// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.PatchEncoder;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a prediction of CPC may see; its loss and the contract of methods are tested with those of all methods. */
class CpcTest {
    /** Patches of a row of images of 32 pixels: 8 pixels every 4. */
    private static final int SIDE = 7;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    /**
     * A pixel outside of the patches that a prediction is made from does not change it. The context of a place sees its own row and
     * those before; a prediction two rows further on therefore knows nothing of what it predicts.
     */
    @Test
    void aPredictionSeesTheRowsBeforeItAlone() {
        PretrainSettings s = Small.build(Small.settings(new Cpc())
                .option("directions", 4)
                .option("steps", 2)
                .batch(8));
        MethodContext.Run run = new MethodContext.Run(s.options(), 8, 0, 1, s.head()::append);
        try (MethodContext context = new MethodContext(s.network(0), false, Computation.cpu(), run)) {
            Method method = new Cpc().create(context);
            Branch branch = method.branches().get(0);
            Network network = branch.network();
            float[] image = image(1);
            float[] other = image(2);
            for (String direction : List.of("down", "up", "right", "left")) {
                boolean vertical = direction.equals("down") || direction.equals("up");
                boolean fromZero = direction.equals("down") || direction.equals("right");
                for (int step : new int[] {2, 3}) {
                    String name = "context." + direction + ".prediction." + step;
                    for (int known = fromZero ? 0 : step; known < (fromZero ? SIDE - step : SIDE); known++) {
                        // The pixels of the patches in this row (or column) and before stay, all others change.
                        int end = 4 * known + 8;
                        int begin = 4 * known;
                        float[] mixed = image.clone();
                        for (int p = 0; p < mixed.length; p++) {
                            int at = vertical ? p % 1024 / 32 : p % 32;
                            if (fromZero ? at >= end : at < begin) {
                                mixed[p] = other[p];
                            }
                        }
                        float[] a = at(network, name, image, vertical, fromZero ? known : known - step, step);
                        float[] b = at(network, name, mixed, vertical, fromZero ? known : known - step, step);
                        assertArrayEquals(a, b, 1e-5f, name + " of row " + known);
                        float[] c = at(network, name, other, vertical, fromZero ? known : known - step, step);
                        assertTrue(!Arrays.equals(a, c), name + " of row " + known + " sees something");
                    }
                }
            }
        }
    }

    /** The predictions that one row, or column, of contexts makes. */
    private static float[] at(Network network, String name, float[] image, boolean vertical, int row, int step) {
        try (NDManager m = network.manager().newSubManager()) {
            NDArray y = network.run(m.create(cut(image), new Shape(1, 3, 56, 56)), Network.Pass.EVALUATION, name)
                    .get(0);
            int rows = SIDE - step;
            NDArray grid = vertical
                    ? y.reshape(rows, SIDE, -1).get(row)
                    : y.reshape(SIDE, rows, -1).get(":, " + row);
            return grid.toFloatArray();
        }
    }

    /** The patches of an image side by side, as the trained network takes them. */
    private static float[] cut(float[] image) {
        float[] all = new float[3 * 56 * 56];
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < 56; y++) {
                for (int x = 0; x < 56; x++) {
                    int row = 4 * (y / 8) + y % 8;
                    int column = 4 * (x / 8) + x % 8;
                    all[(c * 56 + y) * 56 + x] = image[(c * 32 + row) * 32 + column];
                }
            }
        }
        return all;
    }

    /** Training takes patches that have been cut, the exported encoder an image: the same weights give the same features. */
    @Test
    void patchesSideBySideHaveTheFeaturesOfTheImage() {
        LayerGraph whole = new PatchEncoder(Small.NET, 8, 4).graph(32);
        try (Network network = new Network(whole, false, Computation.cpu(), 1);
                Network ofCut = new Network(PatchEncoder.ofCutImages(whole), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            float[] image = image(3);
            for (String result : List.of(PatchEncoder.PATCHES, LayerGraph.FEATURES)) {
                NDArray expected = network.run(
                                m.create(image, new Shape(1, 3, 32, 32)), Network.Pass.EVALUATION, result)
                        .get(0);
                NDArray found = ofCut.run(
                                m.create(cut(image), new Shape(1, 3, 56, 56)), Network.Pass.EVALUATION, result)
                        .get(0);
                assertEquals(expected.getShape(), found.getShape());
                assertArrayEquals(expected.toFloatArray(), found.toFloatArray(), 1e-5f, result);
            }
        }
    }

    /** Hénaff et al. 2020 augment each patch by itself; a method that trains on whole images cannot. */
    @Test
    void onlyAnEncoderOfPatchesTakesAugmentationsOfEachPatch() {
        assertEquals(
                "crop:0.3@1.0,patches,grey@0.5",
                Small.build(Small.settings(new Cpc()).views("crop:0.3,patches,grey@0.5"))
                        .firstView()
                        .toString()
                        .replace("crop:0.3/1.0", "crop:0.3"));
        assertEquals(
                "The views crop:0.3@1.0,patches,grey@0.5 change each patch by itself, which needs an encoder of patches,"
                        + " such as that of the method cpc",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> Small.build(Small.settings(new SimClr()).views("crop:0.3,patches,grey@0.5")))
                        .getMessage());
    }

    private static float[] image(long seed) {
        Random random = new Random(seed);
        float[] pixels = new float[3 * 1024];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat();
        }
        return pixels;
    }

    /** The features of a patch do not depend on the rest of its image, nor on the other images of a batch. */
    @Test
    void aPatchIsEncodedByItself() {
        PatchEncoder net = new PatchEncoder(Small.NET, 8, 4);
        try (Network network = new Network(net.graph(32), false, Computation.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            float[] two = new float[2 * 3 * 1024];
            System.arraycopy(image(1), 0, two, 0, 3 * 1024);
            System.arraycopy(image(2), 0, two, 3 * 1024, 3 * 1024);
            // The patch in row 2 and column 3 of the first image stands in row 5 and column 1 of the second one, too.
            for (int c = 0; c < 3; c++) {
                for (int y = 0; y < 8; y++) {
                    System.arraycopy(two, c * 1024 + (8 + y) * 32 + 12, two, (3 + c) * 1024 + (20 + y) * 32 + 4, 8);
                }
            }
            NDArray patches = network.run(
                            m.create(two, new Shape(2, 3, 32, 32)),
                            new Network.Pass(true, 1, false, null),
                            PatchEncoder.PATCHES)
                    .get(0);
            assertArrayEquals(
                    patches.get("0, 17").toFloatArray(), patches.get("1, 36").toFloatArray(), 1e-5f);
        }
    }

    /** Rows 2, 3, ... of a grid of 7x7, since patches overlap their neighbours by half. */
    @Test
    void rowsThatShareAPixelAreNotPredicted() {
        PretrainBuilder small = Small.settings(new Cpc()).option("steps", 5).batch(8);
        PretrainSettings s = Small.build(small);
        MethodContext.Run run = new MethodContext.Run(s.options(), 8, 0, 1, s.head()::append);
        try (MethodContext context = new MethodContext(s.network(0), false, Computation.cpu(), run)) {
            List<String> results = new Cpc().create(context).branches().get(0).results();
            assertEquals(
                    List.of(
                            "targets",
                            "context.down.prediction.2",
                            "context.down.prediction.3",
                            "context.down.prediction.4",
                            "context.down.prediction.5",
                            "context.down.prediction.6"),
                    results);
        }
    }

    /** Of a grid of 7x7, rows 2 to 6 share no pixel with the last known one. */
    @Test
    void moreStepsThanThereAreRowsAreRefused() {
        PretrainSettings s =
                Small.build(Small.settings(new Cpc()).option("steps", 6).batch(8));
        MethodContext.Run run = new MethodContext.Run(s.options(), 8, 0, 1, s.head()::append);
        try (MethodContext context = new MethodContext(s.network(0), false, Computation.cpu(), run)) {
            assertEquals(
                    "steps must be at most 5 for a grid of 7x7 patches, each of which overlaps the next 1, found 6",
                    assertThrows(IllegalArgumentException.class, () -> new Cpc().create(context))
                            .getMessage());
        }
    }

    /**
     * What a prediction must be told from all other patches of all images is the patch of its image so many rows, or columns, on. By
     * the test above its row of a result is the known one.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theTargetOfAPredictionLiesAheadOfWhatItKnows(boolean dotProduct) {
        int images = 2;
        int d = 5;
        double t = 0.5;
        float[][] patches = Small.rows(images * SIDE * SIDE, d, 1);
        double[][] targets = dotProduct ? Small.wide(patches) : Small.unit(patches);
        Map<String, float[][]> predictions = new TreeMap<>();
        double sum = 0;
        int count = 0;
        for (String direction : List.of("down", "up", "right", "left")) {
            boolean vertical = direction.equals("down") || direction.equals("up");
            boolean fromZero = direction.equals("down") || direction.equals("right");
            for (int step : new int[] {2, 3}) {
                int rows = vertical ? SIDE - step : SIDE;
                int columns = vertical ? SIDE : SIDE - step;
                float[][] made = Small.rows(images * rows * columns, d, 10 + predictions.size());
                predictions.put("context." + direction + ".prediction." + step, made);
                double[][] compared = dotProduct ? Small.wide(made) : Small.unit(made);
                for (int k = 0; k < made.length; k++) {
                    int row = k / columns % rows + (vertical && fromZero ? step : 0);
                    int column = k % columns + (!vertical && fromZero ? step : 0);
                    int right = k / (rows * columns) * SIDE * SIDE + row * SIDE + column;
                    double all = 0;
                    for (double[] target : targets) {
                        all += Math.exp(Small.dot(compared[k], target) / (dotProduct ? 1 : t));
                    }
                    sum += Math.log(all) - Small.dot(compared[k], targets[right]) / (dotProduct ? 1 : t);
                    count++;
                }
            }
        }
        PretrainBuilder small = Small.settings(new Cpc())
                .option("directions", 4)
                .option("steps", 2)
                .option("prediction-length", d)
                .option("dot-product", dotProduct)
                .option("temperature", t);
        try (NDManager m = Torch.engine().newBaseManager();
                MethodOnRows on = new MethodOnRows(small, images)) {
            Map<String, List<NDArray>> rows = new HashMap<>();
            predictions.forEach(
                    (name, made) -> rows.put(name, List.of(m.create(made).reshape(images, -1, d))));
            rows.put("targets", List.of(m.create(patches).reshape(images, -1, d)));
            double expected = sum / count;
            assertEquals(expected, on.method().loss(on.embeddings(rows)).value().getFloat(), 1e-5 * expected);
        }
    }
}
