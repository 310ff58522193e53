// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Compares the loss of a method and its gradient with the rows of {@code methods.json}. */
public final class GoldenMethod {
    private GoldenMethod() {}

    /** A loss of tensors by name, both those that get a gradient and those that don't. */
    @FunctionalInterface
    public interface Loss {
        /** Returns a scalar. */
        NDArray of(JsonObject row, Map<String, NDArray> tensors);
    }

    /** Returns the names that the rows have. */
    public static Set<String> names() throws IOException {
        Set<String> names = new TreeSet<>();
        for (JsonObject row : Golden.read("methods.json")) {
            names.add(row.get("name").getAsString());
        }
        return names;
    }

    /**
     * Compares value and gradient, to 1e-5 relative.
     *
     * @param name of the rows, of which there must be one at least
     */
    public static void check(String name, Loss loss) throws IOException {
        Torch.noGradient();
        int rows = 0;
        for (JsonObject row : Golden.read("methods.json")) {
            if (row.get("name").getAsString().equals(name)) {
                try (NDManager m = Torch.engine().newBaseManager()) {
                    check(row, loss, m);
                }
                rows++;
            }
        }
        assertTrue(rows > 0, "there are no reference values of " + name);
    }

    private static void check(JsonObject row, Loss loss, NDManager m) {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        row.getAsJsonObject("inputs").entrySet().forEach(e -> tensors.put(e.getKey(), Golden.tensor(m, e.getValue())));
        List<String> inputs = List.copyOf(tensors.keySet());
        tensors.values().forEach(t -> t.setRequiresGradient(true));
        row.getAsJsonObject("stopped").entrySet().forEach(e -> tensors.put(e.getKey(), Golden.tensor(m, e.getValue())));
        NDArray value = Torch.recording(() -> loss.of(row, tensors));
        double expected = row.get("loss").getAsDouble();
        // A mean of cosines may be near 0, which has no relative error.
        double size = Math.max(Math.abs(expected), row.get("name").getAsString().equals("simsiam") ? 0.1 : 0);
        assertEquals(expected, value.getFloat(), 1e-5 * size, () -> row.get("name") + " of " + sizes(row));
        List<NDArray> gradients = Gradients.of(
                new NDList(value), null, inputs.stream().map(tensors::get).toList(), m);
        for (int i = 0; i < inputs.size(); i++) {
            JsonElement gradient = row.getAsJsonObject("grads").get(inputs.get(i));
            Golden.same(
                    Golden.data(gradient),
                    gradients.get(i).toFloatArray(),
                    1e-5,
                    0,
                    inputs.get(i) + " of " + sizes(row));
        }
    }

    private static String sizes(JsonObject row) {
        return row.getAsJsonObject("inputs")
                .entrySet()
                .iterator()
                .next()
                .getValue()
                .getAsJsonObject()
                .get("shape")
                .toString();
    }

    /** Returns one tensor's rows above another's. */
    public static NDArray above(NDArray first, NDArray second) {
        return first.concat(second);
    }
}
