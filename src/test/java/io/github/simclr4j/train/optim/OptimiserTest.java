package io.github.simclr4j.train.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.train.torch.Torch;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Steps of SGD of both kinds, Adam and AdamW against their algorithms on one number; LARS has golden values. */
class OptimiserTest {
    private static final double RATE = 0.1;
    private static final double DECAY = 0.01;

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private static OptimiserSettings settings(String name) {
        return new OptimiserSettings(name, RATE, DECAY, 0.9, 0, "cosine", 0, 0);
    }

    private static double gradient(int step) {
        return Math.sin(1 + step) * 2;
    }

    /** Takes steps with a matrix, which decays, and with a vector, which does not, and compares with a scalar algorithm. */
    private static void compare(String name, DoubleBinaryOperator[] expected) {
        try (NDManager m = Torch.engine().newBaseManager()) {
            Map<String, NDArray> weights = new LinkedHashMap<>();
            weights.put("matrix", m.full(new Shape(1, 1), 0.7f));
            weights.put("vector", m.full(new Shape(1), 0.7f));
            Optimiser optimiser = Optimiser.of(settings(name), weights);
            double[] w = {0.7, 0.7};
            for (int step = 0; step < 6; step++) {
                Map<String, NDArray> gradients = new LinkedHashMap<>();
                gradients.put("matrix", m.full(new Shape(1, 1), (float) gradient(step)));
                gradients.put("vector", m.full(new Shape(1), (float) gradient(step)));
                optimiser.step(weights, gradients, RATE);
                for (int k = 0; k < 2; k++) {
                    w[k] = expected[k].applyAsDouble(w[k], gradient(step));
                }
                assertEquals(w[0], weights.get("matrix").toFloatArray()[0], 1e-5, name + " matrix " + step);
                assertEquals(w[1], weights.get("vector").toFloatArray()[0], 1e-5, name + " vector " + step);
            }
        }
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

    @Test
    void stepsAreThoseOfTheAlgorithms() {
        compare("sgd", new DoubleBinaryOperator[] {sgd(DECAY), sgd(0)});
        compare("nesterov", new DoubleBinaryOperator[] {nesterov(DECAY), nesterov(0)});
        compare("adam", new DoubleBinaryOperator[] {adam(DECAY, false), adam(0, false)});
        compare("adamw", new DoubleBinaryOperator[] {adam(DECAY, true), adam(0, true)});
    }

    /** Where linear and square root differ; the square root of LARS is 0.075 * sqrt(B), and linear 0.3 * B / 256. */
    @ParameterizedTest
    @CsvSource({
        // Chen et al. 2020, appendix B.1: 0.3 * 256 / 256, 0.075 * 16, 0.3 * 4, 0.075 * 32.
        "lars, linear, 256, 0.3", "lars, sqrt, 256, 1.2", "lars, linear, 1024, 1.2", "lars, sqrt, 1024, 2.4",
        // He et al. 2020: 0.03 at 256. Four times the batch is four times the rate, or twice.
        "sgd, linear, 1024, 0.12", "sgd, sqrt, 1024, 0.06", "nesterov, linear, 1024, 0.12", "nesterov, sqrt, 1024, 0.06",
        "sgd, sqrt, 256, 0.03", "sgd, linear, 64, 0.0075", "sgd, sqrt, 64, 0.015",
        // Ours: 0.008 at 128.
        "adam, linear, 512, 0.032", "adam, sqrt, 512, 0.016", "adamw, linear, 512, 0.032", "adamw, sqrt, 512, 0.016",
        "adamw, sqrt, 128, 0.008", "adamw, sqrt, 32, 0.004"})
    void ratesGoWithTheBatchAsTheScalingSays(String name, String scaling, int batch, double rate) {
        assertEquals(rate, OptimiserSettings.rate(name, scaling, batch), 1e-12);
    }

    /** Rate, weight decay, momentum, warm-up, clipping and average. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void whatIsNoNumberIsRefused(int which) {
        for (double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY, -1}) {
            double[] v = {0.1, 1e-4, 0.9, 0.2, 1, 0.5};
            v[which] = wrong;
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                    () -> new OptimiserSettings("sgd", v[0], v[1], v[2], v[3], "cosine", v[4], v[5]), "" + wrong);
            assertTrue(e.getMessage().contains("found"), e.getMessage());
        }
    }

    @Test
    void ratesAndSchedulesAreThePublishedOnes() {
        assertEquals(4.8, OptimiserSettings.rate("lars", "linear", 4096), 1e-9, "Chen et al. 2020, appendix B.1");
        assertEquals(4.8, OptimiserSettings.rate("lars", "sqrt", 4096), 1e-9, "where the two agree");
        assertEquals(0.03, OptimiserSettings.rate("sgd", "linear", 256), 1e-9, "He et al. 2020, section 3.3");
        assertEquals(10, OptimiserSettings.warmup(1000));
        assertEquals(10, OptimiserSettings.warmup(100));
        assertEquals(2.5, OptimiserSettings.warmup(25));
        Schedule steps = new Schedule(0.03, 0, 200, "step");
        assertEquals(0.03, steps.at(119), 1e-12);
        assertEquals(0.003, steps.at(120), 1e-12);
        assertEquals(0.0003, steps.at(160), 1e-12);
        assertEquals(0.03, new Schedule(0.03, 0, 200, "constant").at(199), 1e-12);
        assertThrows(IllegalArgumentException.class, () -> OptimiserSettings.rate("sgd", "cubic", 256));
        assertThrows(IllegalArgumentException.class, () -> OptimiserSettings.rate("foo", "sqrt", 256));
    }
}
