// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Scripts, their gradients, and what Torch does with many tensors at once. */
class ScriptTest {
    private static final String PRODUCT = """
              def forward(self: __torch__.Net, x: Tensor, w: Dict[str, Tensor]) -> List[Tensor]:
                return [torch.mul(x, w["layer.a"]), torch.mul(x, w["layer.b"])]
              def sum(self: __torch__.Net, x: List[Tensor], scale: Tensor) -> Tensor:
                return torch.mul(torch.add(x[0], x[1]), float(scale))
              def set(self: __torch__.Net, x: List[Tensor], y: Dict[str, Tensor], z: Tensor, a: float, b: int, c: bool) -> float:
                torch._foreach_add_(x, a)
                torch.add_(y["key"], b)
                if c:
                  torch.zero_(z)
                return torch.mul(a, 2.)
              def truth(self: __torch__.Net, c: bool) -> bool:
                return c
              def count(self: __torch__.Net, x: List[Tensor]) -> int:
                return torch.len(x)
            """;

    private NDManager m;
    private Script script;

    @BeforeEach
    void open() {
        Torch.noGradient();
        m = Torch.engine().newBaseManager();
        script = Script.of(PRODUCT, m);
    }

    @AfterEach
    void close() {
        m.close();
    }

    private NDArray leaf(String name, float... values) {
        NDArray w = m.create(values);
        w.setRequiresGradient(true);
        w.setName(name);
        return w;
    }

    @Test
    void methodsTakeTensorsDictionariesAndLists() {
        try (NDManager step = m.newSubManager()) {
            NDArray x = step.create(new float[] {2, 3});
            NDList y = script.run("forward", false, new NDList(x, leaf("w.layer.a", 5, 7), leaf("w.layer.b", 1, 1)));
            assertArrayEquals(new float[] {10, 21}, y.get(0).toFloatArray());
            assertArrayEquals(new float[] {2, 3}, y.get(1).toFloatArray());
            assertSame(step, y.get(0).getManager());
            assertFalse(y.get(0).hasGradient());
            NDList sum = script.run(
                    "sum", false, new NDList(leaf("x[]", 1, 2), leaf("x[]", 3, 4), step.full(new Shape(), 2f)));
            assertArrayEquals(new float[] {8, 12}, sum.get(0).toFloatArray());
            // No inference tensor: a later graph may use it.
            NDArray w = leaf(null, 1, 1);
            NDArray loss = Torch.recording(() -> w.mul(y.get(0)).sum());
            assertArrayEquals(
                    new float[] {10, 21},
                    Gradients.of(new NDList(loss), null, List.of(w), step)
                            .get(0)
                            .toFloatArray());
        }
    }

    @Test
    void updatesWriteIntoWeightsAndReturnNumbers() {
        NDArray a = leaf(null, 1);
        NDArray b = m.ones(new Shape(1));
        NDArray c = m.ones(new Shape(1));
        assertEquals(0.5, script.update("set", List.of(a, b), Map.of("key", b), c, 0.25, 3, true));
        assertEquals(1.25f, a.toFloatArray()[0]);
        assertEquals(4.25f, b.toFloatArray()[0]);
        assertEquals(0, c.toFloatArray()[0]);
        assertEquals(1, script.update("truth", true));
        assertEquals(0, script.update("truth", false));
        assertEquals(0, script.update("count", List.of()));
        assertEquals(
                "Expected a tensor, a list or map of tensors, a number or a boolean, found x",
                assertThrows(IllegalArgumentException.class, () -> script.update("truth", "x"))
                        .getMessage());
    }

    @Test
    void errorsQuoteTheScript() {
        EngineException unknown = assertThrows(EngineException.class, () -> Script.of("""
                  def forward(self: __torch__.Net, x: Tensor) -> Tensor:
                    return torch.frobnicate(x)
                """));
        assertTrue(unknown.getMessage().contains("torch.frobnicate(x)"), unknown.getMessage());
        NDList inputs = new NDList(m.ones(new Shape(2)), leaf("w.layer.a", 1), leaf("w.layer.c", 1));
        EngineException key = assertThrows(EngineException.class, () -> script.run("forward", true, inputs));
        assertTrue(key.getMessage().contains("layer.b"), key.getMessage());
        EngineException method = assertThrows(EngineException.class, () -> script.run("backward", true, inputs));
        assertTrue(method.getMessage().contains("'backward' is not defined"), method.getMessage());
    }

    /** The loss is computed outside of the script; nothing stays in the weights, and what it doesn't depend on gets zeros. */
    @Test
    void gradientsComeBackAsTensors() {
        NDArray a = leaf("w.layer.a", 5, 7);
        NDArray b = leaf("w.layer.b", 1, 1);
        NDArray other = leaf(null, 1, 1);
        for (int i = 0; i < 2; i++) {
            try (NDManager step = m.newSubManager()) {
                NDArray x = step.create(new float[] {2, 3});
                NDArray loss = Torch.recording(() -> {
                    NDList y = script.run("forward", true, new NDList(x, a, b));
                    return y.get(0).square().add(y.get(1)).sum();
                });
                List<NDArray> g = Gradients.of(new NDList(loss), null, List.of(a, b, other), step);
                assertArrayEquals(new float[] {40, 126}, g.get(0).toFloatArray());
                assertArrayEquals(new float[] {2, 3}, g.get(1).toFloatArray());
                assertArrayEquals(new float[2], g.get(2).toFloatArray());
                assertSame(step, g.get(0).getManager());
                assertFalse(g.get(0).hasGradient());
                assertEquals("w.layer.a", a.getName());
                assertNull(other.getName());
                // Recording ends with the work.
                assertFalse(a.mul(2).hasGradient());
            }
        }
    }

    @Test
    void gradientsAreChainedAndAddedUp() {
        NDArray a = leaf(null, 1, 2);
        NDArray sum = m.zeros(new Shape(2));
        for (int i = 0; i < 2; i++) {
            NDList y = Torch.recording(() -> new NDList(a.mul(2), a.square()));
            NDList given = new NDList(m.create(new float[] {1, 10}), m.create(new float[] {100, 1000}));
            Gradients.add(List.of(sum), y, given, List.of(a), m);
            assertArrayEquals(new float[] {202 * (i + 1), 4020 * (i + 1)}, sum.toFloatArray());
        }
    }

    /** The gradient of a convolution that runs channels last lies so in memory; it must not come out like that. */
    @Test
    void gradientsAreContiguous() {
        try (Script conv = Script.of("""
                  def forward(self: __torch__.Net, x: Tensor, w: Tensor) -> Tensor:
                    return torch.conv2d(torch.contiguous(x, memory_format=2), w, None, [1, 1], [1, 1])
                  def contiguous(self: __torch__.Net, x: Tensor) -> bool:
                    return torch.is_contiguous(x)
                """)) {
            NDArray x = m.randomNormal(new Shape(2, 16, 6, 6));
            NDArray w = m.randomNormal(new Shape(32, 16, 3, 3));
            w.setRequiresGradient(true);
            NDArray loss = Torch.recording(() ->
                    conv.run("forward", true, new NDList(x, w)).get(0).square().sum());
            assertEquals(
                    1,
                    conv.update(
                            "contiguous",
                            Gradients.of(new NDList(loss), null, List.of(w), m).get(0)));
        }
    }

    @Test
    void longGradientsAreShortened() {
        NDArray a = m.create(new float[] {3, 0});
        NDArray b = m.create(new float[] {4});
        assertEquals(5, Gradients.clip(List.of(a, b), 0), 1e-12);
        assertEquals(5, Gradients.clip(List.of(a, b), 5), 1e-12);
        assertArrayEquals(new float[] {3, 0}, a.toFloatArray());
        assertEquals(5, Gradients.clip(List.of(a, b), 1), 1e-12);
        assertArrayEquals(new float[] {0.6f, 0}, a.toFloatArray(), 1e-7f);
        assertArrayEquals(new float[] {0.8f}, b.toFloatArray(), 1e-7f);
        NDArray wide = a.toType(DataType.FLOAT64, true);
        assertEquals(0.6, Gradients.clip(List.of(wide), 0.3), 1e-7);
        assertEquals(0.3, wide.toDoubleArray()[0], 1e-12);
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            NDArray c = m.create(new float[] {wrong, 2});
            assertFalse(Double.isFinite(Gradients.clip(List.of(a, c), 1)));
            assertArrayEquals(new float[] {wrong, 2}, c.toFloatArray());
        }
    }

    @Test
    void whatIsNoNumberIsFound() {
        NDArray good = m.create(new float[] {1, -3e38f});
        NDArray integers = m.create(new long[] {1, 2});
        NDArray wide = m.create(new double[] {1e300});
        assertTrue(TensorChecks.finite(List.of()));
        assertTrue(TensorChecks.finite(List.of(integers)));
        assertTrue(TensorChecks.finite(List.of(good, integers, wide)));
        for (float wrong : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertFalse(
                    TensorChecks.finite(List.of(good, integers, m.create(new float[] {0, wrong}), wide)), "" + wrong);
        }
    }

    /** Gradient mode and executor are settings of a thread; graphs that share nothing may run at once. */
    @Test
    void twoThreadsComputeAsOneDoes() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        List<Future<float[]>> results = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            results.add(threads.submit(() -> steps(200)));
        }
        float[] expected = steps(200);
        for (Future<float[]> result : results) {
            assertArrayEquals(expected, result.get());
        }
        threads.shutdown();
    }

    private float[] steps(int count) {
        try (NDManager own = m.newSubManager()) {
            NDArray a = own.full(new Shape(50), 0.5f);
            NDArray b = own.full(new Shape(50), 0.25f);
            a.setRequiresGradient(true);
            b.setRequiresGradient(true);
            a.setName("w.layer.a");
            b.setName("w.layer.b");
            List<NDArray> sums = List.of(own.zeros(a.getShape()), own.zeros(b.getShape()));
            for (int i = 0; i < count; i++) {
                try (NDManager step = own.newSubManager()) {
                    NDArray x = step.arange(50f).mul(i);
                    NDArray loss = Torch.recording(() -> {
                        NDList y = script.run("forward", true, new NDList(x, a, b));
                        return y.get(0).mul(y.get(1)).sin().sum();
                    });
                    Gradients.add(sums, new NDList(loss), null, List.of(a, b), step);
                }
            }
            return sums.get(0).toFloatArray();
        }
    }
}
