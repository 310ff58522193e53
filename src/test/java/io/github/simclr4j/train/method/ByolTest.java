package io.github.simclr4j.train.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** BYOL's loss against reference values; that it keeps the contract of methods is tested with all methods. */
class ByolTest {
    @Test
    void lossAndItsGradientArePublishedOnes() throws IOException {
        Torch.noGradient();
        int rows = 0;
        for (JsonObject row : Golden.read("methods.json")) {
            if (!row.get("name").getAsString().equals("byol")) {
                continue;
            }
            try (NDManager m = Torch.engine().newBaseManager()) {
                NDArray p1 = Golden.tensor(m, row.getAsJsonObject("inputs").get("p1"));
                NDArray p2 = Golden.tensor(m, row.getAsJsonObject("inputs").get("p2"));
                p1.setRequiresGradient(true);
                p2.setRequiresGradient(true);
                NDArray targets = NDArrays.concat(new NDList(Golden.tensor(m, row.getAsJsonObject("stopped").get("t2")),
                        Golden.tensor(m, row.getAsJsonObject("stopped").get("t1"))));
                NDArray loss = Torch.recording(() -> Byol.loss(NDArrays.concat(new NDList(p1, p2)), targets));
                double expected = row.get("loss").getAsDouble();
                assertEquals(expected, loss.getFloat(), 1e-5 * expected);
                List<NDArray> gradients = Gradients.of(new NDList(loss), null, List.of(p1, p2), m);
                Golden.same(Golden.data(row.getAsJsonObject("grads").get("p1")), gradients.get(0).toFloatArray(), 1e-5, 0, "p1");
                Golden.same(Golden.data(row.getAsJsonObject("grads").get("p2")), gradients.get(1).toFloatArray(), 1e-5, 0, "p2");
            }
            rows++;
        }
        assertTrue(rows > 0, "there are no reference values");
    }
}
