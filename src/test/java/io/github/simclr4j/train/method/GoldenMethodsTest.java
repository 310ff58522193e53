// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import static io.github.simclr4j.train.testing.GoldenMethod.above;

import ai.djl.ndarray.NDArray;
import com.google.gson.JsonElement;
import io.github.simclr4j.train.loss.CrossViews;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.testing.GoldenMethod;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Losses of methods and their gradients against reference values; that a method keeps the contract is tested with all methods. */
class GoldenMethodsTest {
    @Test
    void byolsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check(
                "byol", (row, t) -> Byol.loss(above(t.get("p1"), t.get("p2")), above(t.get("t2"), t.get("t1"))));
    }

    @Test
    void simSiamsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check(
                "simsiam", (row, t) -> SimSiam.loss(above(t.get("p1"), t.get("p2")), above(t.get("z2"), t.get("z1"))));
    }

    @Test
    void moCoV3sLossIsThePublishedOne() throws IOException {
        GoldenMethod.check("moco_v3", (row, t) -> {
            NDArray queries = above(t.get("q1"), t.get("q2"));
            int n = (int) queries.getShape().get(0);
            return MoCoV3.loss(
                    new CrossViews(queries, above(t.get("k2"), t.get("k1")), 0, n),
                    row.get("temperature").getAsDouble());
        });
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

    @Test
    void barlowTwinsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check(
                "barlow_twins",
                (row, t) -> BarlowTwins.loss(
                        t.get("z1"), t.get("z2"), row.get("lambda_").getAsDouble()));
    }

    @Test
    void vicRegsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check(
                "vicreg",
                (row, t) -> VicReg.loss(
                        t.get("z1"),
                        t.get("z2"),
                        new VicReg.Weights(
                                row.get("similarity").getAsDouble(),
                                row.get("variance").getAsDouble(),
                                row.get("covariance").getAsDouble())));
    }

    @Test
    void nnclrsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check("nnclr", (row, t) -> {
            NDArray neighbours = Nnclr.nearest(above(t.get("z1"), t.get("z2")), Rows.normalise(t.get("queue")));
            return new CrossViews(neighbours, above(t.get("p2"), t.get("p1")), 0, (int)
                            neighbours.getShape().get(0))
                    .crossEntropy(row.get("temperature").getAsDouble());
        });
    }

    @Test
    void cmcsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check(
                "cmc",
                (row, t) -> Cmc.loss(
                        t.get("z1"), t.get("z2"), row.get("temperature").getAsDouble(), 0, (int)
                                t.get("z1").getShape().get(0)));
    }

    @Test
    void cpcsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check("cpc", (row, t) -> {
            long d = t.get("targets").getShape().get(2);
            int[] right =
                    IntStream.range(0, (int) (t.get("targets").size() / d)).toArray();
            return Cpc.loss(
                    t.get("predictions").reshape(-1, d), t.get("targets").reshape(-1, d), right);
        });
    }

    @Test
    void amdimsLossIsThePublishedOne() throws IOException {
        GoldenMethod.check("amdim", (row, t) -> {
            int[] at = StreamSupport.stream(row.getAsJsonArray("at").spliterator(), false)
                    .mapToInt(JsonElement::getAsInt)
                    .toArray();
            List<NDArray> maps = Stream.of("f1a", "f5a", "f7a", "f1b", "f5b", "f7b")
                    .map(t::get)
                    .toList();
            return Amdim.loss(
                    maps, at, row.get("clip").getAsDouble(), row.get("lambda_").getAsDouble(), 0, at.length);
        });
    }
}
