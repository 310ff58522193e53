// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.TensorChecks;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps of SGD of both kinds, Adam and AdamW against their algorithms on one number, and LARS against golden values. */
class OptimizerTest {
    private static final double RATE = 0.1;
    private static final double DECAY = 0.01;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private static OptimizerSettings settings(String name) {
        return new OptimizerSettings(name, RATE, DECAY, 0.9, 0, "cosine", 0, 0);
    }

    private static double gradient(int step) {
        return Math.sin(1 + step) * 2;
    }

    /** Takes steps with a matrix, which decays, and with a vector, which does not, and compares with a scalar algorithm. */
    private static void compare(String name, DataType type, DoubleBinaryOperator[] expected) {
        double tolerance = type == DataType.FLOAT64 ? 1e-12 : 1e-5;
        try (NDManager m = Torch.engine().newBaseManager()) {
            Map<String, NDArray> weights = new LinkedHashMap<>();
            weights.put("matrix", full(m, new Shape(1, 1), 0.7, type));
            weights.put("vector", full(m, new Shape(1), 0.7, type));
            weights.values().forEach(w -> w.setRequiresGradient(true));
            try (Optimizer optimizer = Optimizer.of(settings(name), weights)) {
                double[] w = {0.7, 0.7};
                for (int step = 0; step < 6; step++) {
                    List<NDArray> gradients = List.of(
                            full(m, new Shape(1, 1), gradient(step), type),
                            full(m, new Shape(1), gradient(step), type));
                    optimizer.step(gradients, RATE);
                    for (int k = 0; k < 2; k++) {
                        w[k] = expected[k].applyAsDouble(w[k], gradient(step));
                    }
                    assertEquals(w[0], value(weights.get("matrix")), tolerance, name + " matrix " + step);
                    assertEquals(w[1], value(weights.get("vector")), tolerance, name + " vector " + step);
                }
            }
        }
    }

    private static NDArray full(NDManager m, Shape shape, double value, DataType type) {
        return m.full(shape, 1, type).mul(value);
    }

    private static double value(NDArray a) {
        return a.getDataType() == DataType.FLOAT64 ? a.toDoubleArray()[0] : a.toFloatArray()[0];
    }

    private static DoubleBinaryOperator sgd(double decay) {
        double[] v = new double[1];
        return (w, g) -> {
            v[0] = 0.9 * v[0] + g + decay * w;
            return w - RATE * v[0];
        };
    }

    /** As Sutskever et al. 2013 write it (equations 3 and 4), with the weight where the gradient is taken as what is kept. */
    private static DoubleBinaryOperator nesterov(double decay) {
        double[] v = new double[1];
        return (ahead, g) -> {
            double w = ahead - 0.9 * v[0];
            v[0] = 0.9 * v[0] - RATE * (g + decay * ahead);
            return w + v[0] + 0.9 * v[0];
        };
    }

    private static DoubleBinaryOperator adam(double decay, boolean decoupled) {
        double[] s = new double[3];
        return (w, gradient) -> {
            double g = decoupled ? gradient : gradient + decay * w;
            s[0] = 0.9 * s[0] + 0.1 * g;
            s[1] = 0.999 * s[1] + 0.001 * g * g;
            s[2]++;
            double mean = s[0] / (1 - Math.pow(0.9, s[2]));
            double square = s[1] / (1 - Math.pow(0.999, s[2]));
            double start = decoupled ? w * (1 - RATE * decay) : w;
            return start - RATE * mean / (Math.sqrt(square) + 1e-8);
        };
    }

    /** On one number |w| / |g'| * g' is |w| with the sign of g'. */
    private static DoubleBinaryOperator lars(double decay, boolean plain) {
        double[] v = new double[1];
        return (w, gradient) -> {
            double g = gradient + decay * w;
            v[0] = 0.9 * v[0] + (plain ? RATE * gradient : RATE * 0.001 * Math.abs(w) / Math.abs(g) * g);
            return w - v[0];
        };
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT32", "FLOAT64"})
    void stepsAreThoseOfTheAlgorithms(DataType type) {
        compare("sgd", type, new DoubleBinaryOperator[] {sgd(DECAY), sgd(0)});
        compare("nesterov", type, new DoubleBinaryOperator[] {nesterov(DECAY), nesterov(0)});
        compare("adam", type, new DoubleBinaryOperator[] {adam(DECAY, false), adam(0, false)});
        compare("adamw", type, new DoubleBinaryOperator[] {adam(DECAY, true), adam(0, true)});
        compare("lars", type, new DoubleBinaryOperator[] {lars(DECAY, false), lars(DECAY, true)});
    }

    @Test
    void larsTakesThePublishedSteps() throws IOException {
        int seen = 0;
        for (JsonObject row : Golden.read("lars.json")) {
            try (NDManager m = Torch.engine().newBaseManager()) {
                NDArray w = Golden.tensor(m, row.get("w0"));
                boolean excluded = row.get("excluded").getAsBoolean();
                assertEquals(excluded, WeightRules.DEFAULT.plain().test("w", w));
                w.setRequiresGradient(true);
                OptimizerSettings s = OptimizerSettings.builder("lars", 1)
                        .momentum(row.get("momentum").getAsDouble())
                        .weightDecay(row.get("weight_decay").getAsDouble())
                        .build();
                Optimizer lars = new Lars(
                        s,
                        Map.of("w", w),
                        WeightRules.DEFAULT,
                        row.get("trust_coefficient").getAsDouble());
                JsonArray gradients = row.getAsJsonArray("grads");
                for (int i = 0; i < gradients.size(); i++) {
                    lars.step(
                            List.of(Golden.tensor(m, gradients.get(i))),
                            row.get("lr").getAsDouble());
                    Golden.same(Golden.data(row.getAsJsonArray("w").get(i)), w.toFloatArray(), 1e-6, 0, "step " + i);
                }
            }
            seen++;
        }
        assertTrue(seen > 0);
    }

    @Test
    void scheduleIsThePublishedOne() throws IOException {
        int seen = 0;
        for (JsonObject row : Golden.read("schedule.json")) {
            Schedule s = new Schedule(
                    row.get("base").getAsDouble(),
                    row.get("warmup_steps").getAsLong(),
                    row.get("total_steps").getAsLong(),
                    "cosine");
            JsonArray expected = row.getAsJsonArray("lr");
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.get(i).getAsDouble(), s.at(i), 1e-9);
            }
            seen++;
        }
        assertTrue(seen > 0);
    }

    /** Where the norm of a weight or of its gradient is 0 there is nothing to adapt to: LARS then takes the rate as it is. */
    @Test
    void larsMovesAZeroWeight() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray w = m.zeros(new Shape(1, 2));
            NDArray still = m.ones(new Shape(1, 2));
            OptimizerSettings s =
                    OptimizerSettings.builder("lars", 1).weightDecay(0).build();
            Optimizer.of(s, weights(w, still)).step(List.of(m.ones(w.getShape()), m.zeros(w.getShape())), 0.5);
            assertArrayEquals(new float[] {-0.5f, -0.5f}, w.toFloatArray());
            assertArrayEquals(new float[] {1, 1}, still.toFloatArray());
        }
    }

    private static Map<String, NDArray> weights(NDArray... some) {
        Map<String, NDArray> weights = new LinkedHashMap<>();
        for (NDArray w : some) {
            weights.put("w" + weights.size(), w);
        }
        return weights;
    }

    /** A gradient may lie in memory channels last, which a fused kernel can't see. */
    @ParameterizedTest
    @ValueSource(strings = {"lars", "sgd", "nesterov", "adam", "adamw"})
    void whereAGradientLiesInMemoryDoesNotMatter(String name) {
        float[][] moved = new float[2][];
        for (int k = 0; k < 2; k++) {
            try (NDManager m = Torch.engine().newBaseManager()) {
                NDArray w = m.arange(24f).reshape(2, 3, 2, 2).add(1);
                NDArray g = m.arange(24f).reshape(2, 2, 2, 3).sub(12).transpose(0, 3, 1, 2);
                g = k == 0 ? g : m.create(g.toFloatArray(), g.getShape());
                Optimizer optimizer = Optimizer.of(settings(name), weights(w));
                optimizer.step(List.of(g), RATE);
                moved[k] = w.toFloatArray();
            }
        }
        assertArrayEquals(moved[0], moved[1]);
    }

    @Test
    void gradientsMustFitTheWeights() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray w = m.ones(new Shape(2, 3));
            Optimizer optimizer = Optimizer.of(settings("sgd"), weights(w));
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> optimizer.step(List.of(), RATE));
            assertEquals("Expected 1 gradients, found 0", e.getMessage());
            EngineException shape =
                    assertThrows(EngineException.class, () -> optimizer.step(List.of(m.ones(new Shape(3, 2))), RATE));
            assertTrue(shape.getMessage().contains("A gradient has another shape than its weight"), shape.getMessage());
            assertArrayEquals(new float[] {1, 1, 1, 1, 1, 1}, w.toFloatArray());
        }
    }

    @Test
    void aNetworkSaysWhatDecaysAndWhatKeepsItsRate() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            Map<String, NDArray> weights = new LinkedHashMap<>();
            for (String name : List.of("a", "position", "predictor")) {
                weights.put(name, m.full(new Shape(1, 1), 1f));
            }
            WeightRules rules = new WeightRules((name, w) -> name.equals("position"), name -> name.equals("predictor"));
            OptimizerSettings s = OptimizerSettings.builder("sgd", 0.5)
                    .weightDecay(0.25)
                    .momentum(0)
                    .build();
            List<NDArray> gradients =
                    List.of(m.zeros(new Shape(1, 1)), m.zeros(new Shape(1, 1)), m.ones(new Shape(1, 1)));
            Optimizer.of(s, weights, rules).step(gradients, 0.125);
            assertEquals(1 - 0.125 * 0.25, weights.get("a").toFloatArray()[0], 1e-7);
            assertEquals(1, weights.get("position").toFloatArray()[0], 0);
            assertEquals(1 - 0.5 * 1.25, weights.get("predictor").toFloatArray()[0], 1e-7);
        }
    }

    @Test
    void stateIsNamedByTheWeights() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            Map<String, NDArray> weights = new LinkedHashMap<>();
            weights.put("conv1.weight", m.ones(new Shape(2, 2)));
            weights.put("bn1.bias", m.ones(new Shape(2)));
            for (String name : List.of("lars", "sgd", "nesterov")) {
                assertEquals(
                        List.of("conv1.weight.velocity", "bn1.bias.velocity"),
                        List.copyOf(
                                Optimizer.of(settings(name), weights).state().keySet()));
            }
            for (String name : List.of("adam", "adamw")) {
                Map<String, NDArray> state =
                        Optimizer.of(settings(name), weights).state();
                assertEquals(
                        List.of("conv1.weight.mean", "conv1.weight.square", "bn1.bias.mean", "bn1.bias.square", "step"),
                        List.copyOf(state.keySet()));
                assertEquals(new Shape(1), state.get("step").getShape());
                assertEquals(DataType.FLOAT32, state.get("step").getDataType());
            }
        }
    }

    /** Three steps, the state into another optimizer, three more: as six in a row, to the bit, and so is a second run. */
    @ParameterizedTest
    @ValueSource(strings = {"lars", "sgd", "nesterov", "adam", "adamw"})
    void sixStepsAreTheSameHoweverTheyAreTaken(String name) {
        float[][] once = run(name, false);
        float[][] again = run(name, false);
        float[][] resumed = run(name, true);
        for (int i = 0; i < once.length; i++) {
            assertArrayEquals(once[i], again[i]);
            assertArrayEquals(once[i], resumed[i]);
        }
    }

    private static float[][] run(String name, boolean resume) {
        Random random = new Random(5);
        try (NDManager m = Torch.engine().newBaseManager()) {
            Map<String, NDArray> weights = new LinkedHashMap<>();
            for (int i = 0; i < 6; i++) {
                weights.put("w" + i, random(m, i % 2 == 0 ? new Shape(37, 41 + i) : new Shape(37), random));
            }
            Optimizer optimizer = Optimizer.of(settings(name), weights);
            for (int step = 0; step < 6; step++) {
                List<NDArray> gradients = new ArrayList<>();
                weights.values().forEach(w -> gradients.add(random(m, w.getShape(), random)));
                if (resume && step == 3) {
                    Optimizer other = Optimizer.of(settings(name), weights);
                    Map<String, NDArray> saved = optimizer.state();
                    other.state().forEach((key, a) -> a.addi(saved.get(key)));
                    optimizer.close();
                    optimizer = other;
                }
                optimizer.step(gradients, RATE / (step + 1));
            }
            return weights.values().stream().map(NDArray::toFloatArray).toArray(float[][]::new);
        }
    }

    private static NDArray random(NDManager m, Shape shape, Random random) {
        float[] values = new float[(int) shape.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return m.create(values, shape);
    }

    /** Two thousand steps with gradients of half a mebibyte: what a step leaves behind would be a gibibyte. */
    @ParameterizedTest
    @ValueSource(strings = {"lars", "sgd", "adamw"})
    @EnabledOnOs(OS.LINUX)
    void stepsLeaveNothingBehind(String name) throws IOException {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray w = m.ones(new Shape(256, 512));
            NDArray b = m.ones(new Shape(256));
            Optimizer optimizer = Optimizer.of(settings(name), weights(w, b));
            Map<String, NDArray> average = weights(m.ones(w.getShape()), m.ones(b.getShape()));
            long before = 0;
            for (int i = 0; i < 2200; i++) {
                if (i == 200) {
                    before = resident();
                }
                try (NDManager step = m.newSubManager()) {
                    List<NDArray> gradients = List.of(step.ones(w.getShape()), step.ones(b.getShape()));
                    Gradients.clip(gradients, 1);
                    optimizer.step(gradients, 1e-3);
                    Averages.move(average, weights(w, b), 0.99);
                }
            }
            assertTrue(TensorChecks.finite(List.of(w, b)));
            long growth = resident() - before;
            assertTrue(growth < 200 << 20, growth + " bytes");
        }
    }

    private static long resident() throws IOException {
        String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ");
        return Long.parseLong(pages[1]) * 4096;
    }

    /** Where linear and square root differ; the square root of LARS is 0.075 * sqrt(B), and linear 0.3 * B / 256. */
    @ParameterizedTest
    @CsvSource({
        // Chen et al. 2020, appendix B.1: 0.3 * 256 / 256, 0.075 * 16, 0.3 * 4, 0.075 * 32.
        "lars, linear, 256, 0.3",
        "lars, sqrt, 256, 1.2",
        "lars, linear, 1024, 1.2",
        "lars, sqrt, 1024, 2.4",
        // He et al. 2020: 0.03 at 256. Four times the batch is four times the rate, or twice.
        "sgd, linear, 1024, 0.12",
        "sgd, sqrt, 1024, 0.06",
        "nesterov, linear, 1024, 0.12",
        "nesterov, sqrt, 1024, 0.06",
        "sgd, sqrt, 256, 0.03",
        "sgd, linear, 64, 0.0075",
        "sgd, sqrt, 64, 0.015",
        // Ours: 0.008 at 128.
        "adam, linear, 512, 0.032",
        "adam, sqrt, 512, 0.016",
        "adamw, linear, 512, 0.032",
        "adamw, sqrt, 512, 0.016",
        "adamw, sqrt, 128, 0.008",
        "adamw, sqrt, 32, 0.004"
    })
    void ratesGoWithTheBatchAsTheScalingSays(String name, String scaling, int batch, double rate) {
        assertEquals(rate, OptimizerSettings.rate(name, scaling, batch), 1e-12);
    }

    /** Rate, weight decay, momentum, warm-up, clipping and average. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void whatIsNoNumberIsRefused(int which) {
        for (double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY, -1}) {
            double[] v = {0.1, 1e-4, 0.9, 0.2, 1, 0.5};
            v[which] = wrong;
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> new OptimizerSettings("sgd", v[0], v[1], v[2], v[3], "cosine", v[4], v[5]),
                    "" + wrong);
            String expected = switch (which) {
                case 0 -> "The learning rate must be above 0 and finite, found " + wrong;
                case 2, 5 -> "A momentum must be from 0 to below 1, found " + v[2] + " and " + v[5];
                default ->
                    "Weight decay, warm-up and clipping must be at least 0 and finite, found " + v[1] + ", " + v[3]
                            + " and " + v[4];
            };
            assertEquals(expected, e.getMessage());
        }
    }

    @Test
    void unknownNamesAreRefused() {
        assertEquals(
                "Unknown optimizer, expected lars, sgd, nesterov, adam or adamw, found Adam",
                message(() -> OptimizerSettings.builder("Adam", 0.1)));
        assertEquals(
                "Unknown optimizer, expected lars, sgd, nesterov, adam or adamw, found foo",
                message(() -> OptimizerSettings.rate("foo", "sqrt", 256)));
        assertEquals(
                "Unknown schedule, expected cosine, step or constant, found linear",
                message(() ->
                        OptimizerSettings.builder("sgd", 0.1).schedule("linear").build()));
        assertEquals(
                "Unknown learning rate scaling, expected linear or sqrt, found cubic",
                message(() -> OptimizerSettings.rate("sgd", "cubic", 256)));
    }

    private static String message(Runnable wrong) {
        return assertThrows(IllegalArgumentException.class, wrong::run).getMessage();
    }

    @Test
    void ratesAndSchedulesAreThePublishedOnes() {
        assertEquals(4.8, OptimizerSettings.rate("lars", "linear", 4096), 1e-9, "Chen et al. 2020, appendix B.1");
        assertEquals(4.8, OptimizerSettings.rate("lars", "sqrt", 4096), 1e-9, "where the two agree");
        assertEquals(0.03, OptimizerSettings.rate("sgd", "linear", 256), 1e-9, "He et al. 2020, section 3.3");
        assertEquals(10, OptimizerSettings.warmup(1000));
        assertEquals(10, OptimizerSettings.warmup(100));
        assertEquals(2.5, OptimizerSettings.warmup(25));
        Schedule steps = new Schedule(0.03, 0, 200, "step");
        assertEquals(0.03, steps.at(119), 1e-12);
        assertEquals(0.003, steps.at(120), 1e-12);
        assertEquals(0.0003, steps.at(160), 1e-12);
        assertEquals(0.03, new Schedule(0.03, 0, 200, "constant").at(199), 1e-12);
    }

    @Test
    void settingsAreBuiltFromOthers() {
        OptimizerSettings s = OptimizerSettings.builder("sgd", 0.1)
                .weightDecay(1e-3)
                .momentum(0.5)
                .warmupEpochs(2)
                .schedule("step")
                .clip(3)
                .average(0.99)
                .build();
        assertEquals(new OptimizerSettings("sgd", 0.1, 1e-3, 0.5, 2, "step", 3, 0.99), s);
        assertEquals(s, s.toBuilder().build());
        assertEquals(0.2, s.toBuilder().rate(0.2).build().rate());
        assertEquals(
                new OptimizerSettings("adamw", 0.016, 1e-4, 0.9, 5, "cosine", 0, 0), OptimizerSettings.adamw(512, 50));
        assertEquals(Set.of("lars", "sgd", "nesterov", "adam", "adamw"), Set.copyOf(Optimizer.names()));
        for (String name : Optimizer.names()) {
            boolean adam = name.startsWith("adam");
            assertEquals(!adam, OptimizerSettings.zeroGamma(name));
            assertEquals(!adam, settings(name).usesMomentum());
        }
    }

    @Test
    void averagesFollow() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray mine = m.full(new Shape(2), 4f);
            mine.setRequiresGradient(true);
            NDArray theirs = m.create(new float[] {8, Float.NaN});
            Averages.move(Map.of("a", mine), Map.of("a", theirs, "b", theirs), 0.75);
            assertArrayEquals(new float[] {5, Float.NaN}, mine.toFloatArray());
            theirs.set(new float[] {3, 2});
            Averages.move(Map.of("a", mine), Map.of("a", theirs), 0);
            assertArrayEquals(new float[] {3, 2}, mine.toFloatArray());
            assertEquals(
                    "Cannot update the moving average of a: the source has no such tensor",
                    message(() -> Averages.move(Map.of("a", mine), Map.of(), 0.5)));
        }
    }
}
