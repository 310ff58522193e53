// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loss;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The losses against values that PyTorch computed. */
class GoldenLossesTest {

    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    @Test
    void lossesAndTheirGradientsAreThePublishedOnes() throws IOException {
        Set<String> seen = new TreeSet<>();
        for (JsonObject row : Golden.read("losses.json")) {
            String name = row.get("name").getAsString();
            try (NDManager m = Torch.engine().newBaseManager()) {
                boolean queue = name.equals("info_nce_queue");
                NDArray z1 = Golden.tensor(m, row.get(queue ? "query" : "z1"));
                NDArray z2 = Golden.tensor(m, row.get(queue ? "key" : "z2"));
                z1.setRequiresGradient(true);
                z2.setRequiresGradient(true);
                NDArray loss;
                try (GradientCollector c = Torch.engine().newGradientCollector()) {
                    loss = loss(name, row, m, z1, z2);
                    c.backward(loss);
                }
                double expected = row.get("loss").getAsDouble();
                assertEquals(expected, loss.getFloat(), 1e-5 * expected, name);
                JsonArray gradients = row.getAsJsonArray("grads");
                Golden.same(Golden.data(gradients.get(0)), z1.getGradient().toFloatArray(), 1e-5, 0, name + " z1");
                if (gradients.size() > 1) {
                    Golden.same(Golden.data(gradients.get(1)), z2.getGradient().toFloatArray(), 1e-5, 0, name + " z2");
                }
            }
            seen.add(name);
        }
        assertEquals(Set.of("nt_xent", "nt_logistic", "margin_triplet", "debiased", "sup_con", "info_nce_queue"), seen);
    }

    /** What a loss keeps for its backward pass must not lie in memory that the garbage collector may free. */
    @Test
    @Tag("slow")
    void gradientsOutliveAGarbageCollection() throws Exception {
        Set<String> seen = new TreeSet<>();
        for (JsonObject row : Golden.read("losses.json")) {
            String name = row.get("name").getAsString();
            if (!seen.add(name)) {
                continue;
            }
            try (NDManager m = Torch.engine().newBaseManager()) {
                NDArray z1 = Golden.tensor(m, row.get(name.equals("info_nce_queue") ? "query" : "z1"));
                NDArray z2 = Golden.tensor(m, row.get(name.equals("info_nce_queue") ? "key" : "z2"));
                z1.setRequiresGradient(true);
                try (GradientCollector c = Torch.engine().newGradientCollector()) {
                    NDArray loss = loss(name, row, m, z1, z2);
                    for (int i = 0; i < 3; i++) {
                        System.gc();
                        Thread.sleep(30);
                        for (int size = 4; size <= 64; size *= 2) {
                            for (int k = 0; k < 2000; k++) {
                                java.nio.ByteBuffer b = java.nio.ByteBuffer.allocateDirect(size);
                                for (int at = 0; at < size; at++) {
                                    b.put((byte) 0xff);
                                }
                            }
                        }
                    }
                    c.backward(loss);
                }
                Golden.same(
                        Golden.data(row.getAsJsonArray("grads").get(0)),
                        z1.getGradient().toFloatArray(),
                        1e-5,
                        0,
                        name);
            }
        }
    }

    private static NDArray loss(String name, JsonObject row, NDManager m, NDArray z1, NDArray z2) {
        double t = row.has("temperature") ? row.get("temperature").getAsDouble() : 0;
        if (name.equals("info_nce_queue")) {
            NDArray queue = Rows.normalise(Golden.tensor(m, row.get("queue")));
            return Losses.crossEntropyOfFirst(Losses.queueLogits(z1, Rows.normalise(z2), queue, t));
        }
        Anchors all = Anchors.all(NDArrays.concat(new NDList(z1, z2)));
        return switch (name) {
            case "nt_xent" -> Losses.ntXent(all, t);
            case "nt_logistic" -> Losses.ntLogistic(all, t, false);
            case "margin_triplet" -> Losses.margin(all, row.get("margin").getAsDouble(), false);
            case "debiased" -> Losses.debiased(all, t, row.get("class_prior").getAsDouble());
            case "sup_con" -> Losses.supCon(all, t, new Gson().fromJson(row.get("labels"), int[].class));
            default -> throw new AssertionError("No loss " + name);
        };
    }
}
