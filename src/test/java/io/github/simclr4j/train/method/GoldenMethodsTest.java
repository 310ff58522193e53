// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static io.github.simclr4j.train.testing.GoldenMethod.above;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.CrossViews;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.GoldenMethod;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The losses of methods and their gradients against reference values; that a method keeps the contract is tested with all methods.
 *
 * <p>A method puts its loss together from the results of its branches, which hold the reference's tensors here: a prediction that is
 * matched with its own view has another loss.
 */
class GoldenMethodsTest {
    private static final String PROJECTION = ProjectionHead.PROJECTION;
    private static final String PREDICTION = Predictor.PREDICTION;

    /** By the name that the reference values have. */
    private static final Map<String, GoldenMethod.Loss> LOSSES = Map.ofEntries(
            entry("byol", of("byol", Map.of(PREDICTION, List.of("p1", "p2"), PROJECTION, List.of("t1", "t2")))),
            entry("simsiam", of("simsiam", Map.of(PREDICTION, List.of("p1", "p2"), PROJECTION, List.of("z1", "z2")))),
            entry("moco_v3", of("mocov3", Map.of(PREDICTION, List.of("q1", "q2"), PROJECTION, List.of("k1", "k2")))),
            entry("nnclr", of("nnclr", Map.of(PREDICTION, List.of("p1", "p2"), PROJECTION, List.of("z1", "z2")))),
            entry("barlow_twins", of("barlow", Map.of(PROJECTION, List.of("z1", "z2")))),
            entry("vicreg", of("vicreg", Map.of(PROJECTION, List.of("z1", "z2")))),
            entry("decoupled", of("simclr", Map.of(PROJECTION, List.of("z1", "z2")))),
            entry(
                    "cmc",
                    of("cmc", Map.of("luminance.projection", List.of("z1"), "chrominance.projection", List.of("z2")))),
            entry("queue_distillation", GoldenMethodsTest::distillation),
            // These two draw or leave out places; what their methods do beside this is tested by their own classes.
            entry("cpc", GoldenMethodsTest::cpc),
            entry("amdim", GoldenMethodsTest::amdim));

    static Stream<String> names() {
        return LOSSES.keySet().stream().sorted();
    }

    @ParameterizedTest
    @MethodSource("names")
    void aMethodsLossIsThePublishedOne(String name) throws IOException {
        GoldenMethod.check(name, LOSSES.get(name));
    }

    @Test
    void everyLossThatHasReferenceValuesIsCompared() throws IOException {
        assertEquals(LOSSES.keySet(), GoldenMethod.names());
    }

    /** Returns the loss of a method some of whose results, view by view, are tensors of the reference values. */
    private static GoldenMethod.Loss of(String method, Map<String, List<String>> results) {
        return (row, t) -> {
            NDArray first = t.values().iterator().next();
            try (MethodOnRows m = new MethodOnRows(
                    settings(method, row, t), (int) first.getShape().get(0))) {
                if (t.containsKey("queue")) {
                    m.queue(Rows.normalise(t.get("queue")));
                }
                return Torch.recording(
                        () -> m.method().loss(m.embeddings(tensors(results, t))).value());
            }
        };
    }

    private static Map<String, List<NDArray>> tensors(Map<String, List<String>> results, Map<String, NDArray> t) {
        return results.entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey,
                        e -> e.getValue().stream().map(t::get).toList()));
    }

    /** Returns settings with the row's options and the lengths of its tensors. */
    private static PretrainBuilder settings(String method, JsonObject row, Map<String, NDArray> t) {
        PretrainBuilder b = Small.settings(method)
                .projection((int) t.values().iterator().next().getShape().get(1));
        for (String option : List.of("temperature", "similarity", "variance", "covariance")) {
            if (row.has(option)) {
                b.option(option, row.get(option).getAsDouble());
            }
        }
        if (t.containsKey("queue")) {
            b.option("queue", t.get("queue").getShape().get(0));
        }
        return switch (method) {
            case "simclr" -> b.option("loss", "decoupled");
            case "barlow" ->
                b.option("loss-scale", 1).option("lambda", row.get("lambda_").getAsDouble());
            default -> b;
        };
    }

    /** The student's rows as those of the first views, and in the reverse order as those of the second: their mean is the same. */
    private static NDArray distillation(JsonObject row, Map<String, NDArray> t) {
        NDArray queue = Rows.normalise(t.get("queue"));
        Branch both = new Branch(null, List.of(0, 1), List.of(PROJECTION), true);
        int n = (int) t.get("student").getShape().get(0);
        Method method = new FeatureStudent(
                both,
                new KeyQueue(queue, queue.getManager().zeros(new Shape(1))),
                row.get("temperature").getAsDouble(),
                1,
                null);
        Embeddings z = new Embeddings(
                Map.of(both, new NDList(above(t.get("student"), reversed(t.get("student"))))),
                new int[n],
                null,
                Rows.normalise(above(t.get("teacher"), reversed(t.get("teacher")))),
                0,
                method.anchors(n));
        return method.loss(z).value();
    }

    private static NDArray reversed(NDArray rows) {
        NDList all = new NDList();
        for (long i = rows.getShape().get(0) - 1; i >= 0; i--) {
            all.add(rows.get(i + ":" + (i + 1)));
        }
        return NDArrays.concat(all);
    }

    private static NDArray cpc(JsonObject row, Map<String, NDArray> t) {
        long d = t.get("targets").getShape().get(2);
        int[] right = IntStream.range(0, (int) (t.get("targets").size() / d)).toArray();
        return Cpc.loss(t.get("predictions").reshape(-1, d), t.get("targets").reshape(-1, d), right);
    }

    private static NDArray amdim(JsonObject row, Map<String, NDArray> t) {
        int[] at = StreamSupport.stream(row.getAsJsonArray("at").spliterator(), false)
                .mapToInt(JsonElement::getAsInt)
                .toArray();
        List<NDArray> maps =
                Stream.of("f1a", "f5a", "f7a", "f1b", "f5b", "f7b").map(t::get).toList();
        return Amdim.loss(
                maps, at, row.get("clip").getAsDouble(), row.get("lambda_").getAsDouble(), 0, at.length);
    }

    /** Some anchors at a time, of one view or of both, as micro-batches take them. */
    @Test
    void theLossOfAllAnchorsIsTheMeanOfThatOfSome() throws IOException {
        GoldenMethod.check("moco_v3", (row, t) -> {
            NDArray queries = above(t.get("q1"), t.get("q2"));
            NDArray keys = above(t.get("k2"), t.get("k1"));
            int n = (int) queries.getShape().get(0);
            double temperature = row.get("temperature").getAsDouble();
            int[] bounds = {0, 1, n / 2 - 1, n - 2, n};
            NDArray sum = null;
            for (int i = 0; i + 1 < bounds.length; i++) {
                int from = bounds[i];
                int to = bounds[i + 1];
                NDArray part = MoCoV3.loss(new CrossViews(queries.get(from + ":" + to), keys, from, to), temperature);
                part = part.mul(Rows.number(part, (double) (to - from) / n));
                sum = sum == null ? part : sum.add(part);
            }
            return sum;
        });
    }

    /** The losses that SimCLR and MoCo choose from; their gradients are compared in the package of the losses. */
    @Test
    void simClrAndMoCoComputeTheLossThatIsChosen() throws IOException {
        Map<String, String> losses = Map.of(
                "nt_xent", "nt-xent",
                "nt_logistic", "nt-logistic",
                "margin_triplet", "margin",
                "debiased", "debiased",
                "sup_con", "supcon");
        Set<String> compared = new TreeSet<>();
        for (JsonObject row : Golden.read("losses.json")) {
            String name = row.get("name").getAsString();
            boolean queue = name.equals("info_nce_queue");
            try (NDManager m = Torch.engine().newBaseManager()) {
                List<NDArray> views = Stream.of(queue ? "query" : "z1", queue ? "key" : "z2")
                        .map(v -> Golden.tensor(m, row.get(v)))
                        .toList();
                int n = (int) views.get(0).getShape().get(0);
                PretrainBuilder b = Small.settings(queue ? "mocov2" : "simclr")
                        .projection((int) views.get(0).getShape().get(1));
                for (String option : List.of("temperature", "margin", "class_prior")) {
                    if (row.has(option)) {
                        b.option(option.replace('_', '-'), row.get(option).getAsDouble());
                    }
                }
                NDArray keys = queue ? Golden.tensor(m, row.get("queue")) : null;
                if (queue) {
                    b.option("queue", keys.getShape().get(0));
                } else {
                    b.option("loss", losses.get(name));
                }
                try (MethodOnRows method = new MethodOnRows(b, n)) {
                    if (queue) {
                        method.queue(Rows.normalise(keys));
                    }
                    int[] labels = new Gson().fromJson(row.get("labels"), int[].class);
                    Embeddings z = method.embeddings(Map.of(PROJECTION, views), new int[n], labels, null);
                    double expected = row.get("loss").getAsDouble();
                    assertEquals(expected, method.method().loss(z).value().getFloat(), 1e-5 * expected, name);
                }
            }
            compared.add(name);
        }
        assertTrue(compared.containsAll(losses.keySet()) && compared.size() == losses.size() + 1, "" + compared);
    }
}
