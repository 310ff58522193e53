// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.data.StreamedImages;
import io.github.simclr4j.train.data.TrainingImages;
import io.github.simclr4j.train.data.TrainingSets;
import io.github.simclr4j.train.loss.Anchors;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.testing.Golden;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is watched, against plain loops over the definitions. */
class MonitorTest {
    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private static double squaredDistance(double[] a, double[] b) {
        double sum = 0;
        for (int k = 0; k < a.length; k++) {
            sum += (a[k] - b[k]) * (a[k] - b[k]);
        }
        return sum;
    }

    private static NDArray tensor(NDManager m, float[][] x) {
        float[] flat = new float[x.length * x[0].length];
        for (int i = 0; i < x.length; i++) {
            System.arraycopy(x[i], 0, flat, i * x[0].length, x[0].length);
        }
        return m.create(flat, new Shape(x.length, x[0].length));
    }

    @Test
    void figuresAreThoseOfTheDefinitions() {
        int n = 7;
        int d = 5;
        float[][] first = Small.rows(n, d, 1);
        float[][] second = Small.rows(n, d, 2);
        double[][] a = Small.unit(first);
        double[][] b = Small.unit(second);
        double alignment = 0;
        double uniformity = 0;
        for (int i = 0; i < n; i++) {
            alignment += squaredDistance(a[i], b[i]) / n;
            for (int j = 0; j < n; j++) {
                uniformity += i == j ? 0 : Math.exp(-2 * squaredDistance(a[i], a[j])) / (n * (n - 1));
            }
        }
        double[][] c = new double[d][d];
        double[] mean = new double[d];
        for (int k = 0; k < d; k++) {
            for (double[] row : a) {
                mean[k] += row[k] / n;
            }
        }
        double spread = 0;
        double trace = 0;
        double squares = 0;
        for (int k = 0; k < d; k++) {
            for (int l = 0; l < d; l++) {
                for (double[] row : a) {
                    c[k][l] += (row[k] - mean[k]) * (row[l] - mean[l]) / n;
                }
                squares += c[k][l] * c[k][l];
            }
            trace += c[k][k];
            spread += Math.sqrt(c[k][k]) / d * Math.sqrt(d);
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            Monitor monitor = new Monitor(m, List.of());
            NDArray rank = m.create(new float[] {0, 0, 3, 4, 5, 9, 0});
            monitor.add(new Outcome(m.create(2f), rank, Map.of(), tensor(m, first), tensor(m, second)));
            monitor.add(new Outcome(m.create(4f), rank, Map.of(), tensor(m, first), tensor(m, second)));
            Monitor.Figures f = monitor.figures();
            assertEquals(3, f.loss(), 1e-6);
            assertEquals(3.0 / 7, f.top1(), 1e-6);
            assertEquals(5.0 / 7, f.top5(), 1e-6);
            assertEquals(alignment, f.alignment(), 1e-5);
            assertEquals(Math.log(uniformity), f.uniformity(), 1e-4);
            assertEquals(spread, f.spread(), 1e-5);
            assertEquals(trace * trace / squares, f.effectiveRank(), 1e-4);
            assertTrue(monitor.sound(true));
            monitor.add(new Outcome(m.create(Float.NaN), rank, Map.of(), tensor(m, first), tensor(m, second)));
            assertFalse(monitor.sound(true));
        }
    }

    /** A method may have figures of its own, and none to compare a positive with. */
    @Test
    void aMethodsOwnFiguresAreMeansAndWithoutCandidatesThereIsNoRank() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            Monitor monitor = new Monitor(m, List.of("margin", "share"));
            NDArray x = tensor(m, Small.rows(6, 4, 1));
            monitor.add(
                    new Outcome(m.create(2f), null, Map.of("share", m.create(0.25f), "margin", m.create(5f)), x, x));
            monitor.add(
                    new Outcome(m.create(2f), null, Map.of("share", m.create(0.75f), "margin", m.create(7f)), x, x));
            Monitor.Figures f = monitor.figures();
            assertEquals(List.of("margin", "share"), List.copyOf(f.others().keySet()));
            assertEquals(6, f.others().get("margin"), 1e-6);
            assertEquals(0.5, f.others().get("share"), 1e-6);
            assertTrue(Double.isNaN(f.top1()) && Double.isNaN(f.top5()));
            assertFalse(f.none());
            assertEquals(0, f.alignment(), 1e-6);
            monitor.clear();
            assertTrue(monitor.figures().none());
        }
    }

    @Test
    void ranksCountTheCandidatesThatAreAsNear() {
        int n = 6;
        float[][] x = Small.rows(2 * n, 4, 3);
        double[][] u = Small.unit(x);
        float[] expected = new float[2 * n];
        for (int i = 0; i < 2 * n; i++) {
            int partner = (i + n) % (2 * n);
            for (int j = 0; j < 2 * n; j++) {
                boolean other = j != i && j != partner;
                expected[i] += other && squaredDistance(u[i], u[j]) < squaredDistance(u[i], u[partner]) ? 1 : 0;
            }
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            Golden.same(
                    expected, Losses.rankAmongViews(Anchors.all(tensor(m, x))).toFloatArray(), 0, 1e-6, "views");
            NDArray logits = m.create(new float[] {1, 2, 3, 5, 4, 6}, new Shape(2, 3));
            Golden.same(new float[] {2, 1}, Losses.rankOfFirst(logits).toFloatArray(), 0, 0, "first");
            Golden.same(
                    new float[] {0, 2}, Losses.rankOf(logits, new int[] {2, 1}).toFloatArray(), 0, 0, "labels");
            // Where all are equal nothing is told apart.
            Golden.same(
                    new float[] {4, 4, 4, 4, 4, 4},
                    Losses.rankAmongViews(Anchors.all(m.ones(new Shape(6, 4)))).toFloatArray(),
                    0,
                    0,
                    "collapsed");
            Golden.same(
                    new float[] {2}, Losses.rankOfFirst(m.ones(new Shape(1, 3))).toFloatArray(), 0, 0, "collapsed");
            NDArray square = m.create(new float[] {1, 2, 5, 4}, new Shape(2, 2));
            Golden.same(new float[] {1, 1}, Losses.rankOfDiagonal(square, 0).toFloatArray(), 0, 0, "diagonal");
        }
    }

    @Test
    void aProjectionThatIsZeroHasAGradientThatIsANumber() {
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray z = m.create(new float[] {0, 0, 0, 3, 0, 4, 1, 1, 1, 2, 1, 0}, new Shape(4, 3));
            z.setRequiresGradient(true);
            try (GradientCollector collector = Torch.engine().newGradientCollector()) {
                NDArray loss = Losses.ntXent(Anchors.all(z), 0.5);
                assertTrue(Float.isFinite(loss.toFloatArray()[0]));
                collector.backward(loss);
            }
            for (float g : z.getGradient().toFloatArray()) {
                assertTrue(Float.isFinite(g));
            }
            // 3, 0, 4 has length 5.
            Golden.same(
                    new float[] {0, 0, 0, 0.6f, 0, 0.8f},
                    Rows.normalise(z).get(":2").toFloatArray(),
                    1e-6,
                    0,
                    "length");
        }
    }

    @Test
    void nearestNeighboursVoteByTheirCosines() {
        int known = 40;
        int asked = 15;
        int classes = 3;
        double[][] bank = Small.unit(Small.rows(known, 4, 5));
        double[][] test = Small.unit(Small.rows(asked, 4, 6));
        int[] labels = new int[known];
        for (int i = 0; i < known; i++) {
            labels[i] = (bank[i][3] > 0.4 ? 1 : 0) + (bank[i][2] > 0 ? 1 : 0);
        }
        int[] expected = new int[asked];
        int[] others = new int[known];
        for (int i = 0; i < asked; i++) {
            expected[i] = vote(bank, labels, classes, test[i], -1, known, 0.1);
        }
        for (int i = 0; i < known; i++) {
            others[i] = vote(bank, labels, classes, bank[i], i, known, 0.1);
        }
        int right = 0;
        for (int i = 0; i < known; i++) {
            right += others[i] == labels[i] ? 1 : 0;
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray b = tensor(m, floats(bank));
            assertEquals(1, Knn.accuracy(b, labels, classes, tensor(m, floats(test)), expected, false));
            assertEquals((double) right / known, Knn.accuracy(b, labels, classes, b, labels, true), 1e-9);
        }
    }

    /** More images than two batches, and a rest: those in memory and those that are streamed give the same. */
    @Test
    void neighboursOfStreamedImagesAreThoseOfImagesInMemory(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir, 53, 1);
        try (ImageSource source = ImageSource.open(dir);
                Network network = new Network(Small.NET.graph(32), false, Network.Computation.cpu(), 1);
                ViewPool pool = new ViewPool(1)) {
            TrainingImages resident = TrainingSets.of(source, 32, 0, 8, 2, Progress.NONE);
            TrainingImages streamed = TrainingSets.of(source, 32, 1, 8, 2, Progress.NONE);
            assertTrue(resident instanceof ImageSet && streamed instanceof StreamedImages);
            ViewGenerator resize = new ViewGenerator(AugmentationPipeline.of("none"), 32);
            double expected = Knn.accuracy(network, resize, resident, null, pool);
            assertEquals(expected, Knn.accuracy(network, resize, streamed, null, pool), 1e-9);
        }
    }

    @Test
    void fewerLargeImagesAreEmbeddedAtOnce() {
        AugmentationPipeline none = AugmentationPipeline.of("none");
        assertEquals(256, Knn.batch(new ViewGenerator(none, 224)));
        for (int size : new int[] {896, 4096, 20_000}) {
            int batch = Knn.batch(new ViewGenerator(none, size));
            assertTrue(batch >= 1, size + ": " + batch);
            assertTrue(batch == 1 || 12L * batch * size * size <= 1 << 28, size + ": " + batch);
        }
    }

    /** Wu et al. 2018, section 3.4: the k nearest vote with weight exp(cosine / t). */
    private static int vote(double[][] bank, int[] labels, int classes, double[] x, int without, int k, double t) {
        double[] votes = new double[classes];
        IntStream.range(0, bank.length)
                .filter(i -> i != without)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -Small.dot(bank[i], x)))
                .limit(k)
                .forEach(i -> votes[labels[i]] += Math.exp(Small.dot(bank[i], x) / t));
        int best = 0;
        for (int c = 1; c < classes; c++) {
            best = votes[c] > votes[best] ? c : best;
        }
        return best;
    }

    /** On one side of the sphere, so that even the farthest would have a say. */
    private static double[][] crowded(int n, long seed) {
        float[][] x = Small.rows(n, 3, seed);
        for (float[] row : x) {
            row[0] += 8;
        }
        return Small.unit(x);
    }

    /** 200 of them at a temperature of 0.1, as is usual (Wu et al. 2018): the labels are such that any other choice shows. */
    @Test
    void onlyTheNearestVoteAndTheNearerWeighMore() {
        int known = 450;
        int asked = 300;
        double[][] bank = crowded(known, 7);
        double[][] test = crowded(asked, 8);
        Random random = new Random(9);
        // At random but for a leaning, so that votes are close.
        int[] labels = Arrays.stream(bank)
                .mapToInt(x -> random.nextDouble() < 0.5 + 0.8 * x[2] ? 1 : 0)
                .toArray();
        int[] own = new int[known];
        int[] expected = new int[asked];
        int[] differs = new int[4];
        for (int i = 0; i < asked; i++) {
            expected[i] = vote(bank, labels, 2, test[i], -1, 200, 0.1);
            differs[0] += expected[i] == vote(bank, labels, 2, test[i], -1, known, 0.1) ? 0 : 1;
            differs[1] += expected[i] == vote(bank, labels, 2, test[i], -1, 100, 0.1) ? 0 : 1;
            differs[2] += expected[i] == vote(bank, labels, 2, test[i], -1, 200, 1e9) ? 0 : 1;
            differs[3] += expected[i] == vote(bank, labels, 2, test[i], -1, 200, 0.2) ? 0 : 1;
        }
        assertTrue(Arrays.stream(differs).allMatch(d -> d > 0), Arrays.toString(differs));
        for (int i = 0; i < known; i++) {
            own[i] = vote(bank, labels, 2, bank[i], i, 200, 0.1);
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray b = tensor(m, floats(bank));
            assertEquals(1, Knn.accuracy(b, labels, 2, tensor(m, floats(test)), expected, false));
            long right =
                    IntStream.range(0, known).filter(i -> own[i] == labels[i]).count();
            assertEquals((double) right / known, Knn.accuracy(b, labels, 2, b, labels, true), 1e-9);
        }
    }

    private static float[][] floats(double[][] x) {
        float[][] f = new float[x.length][x[0].length];
        for (int i = 0; i < x.length; i++) {
            for (int k = 0; k < x[i].length; k++) {
                f[i][k] = (float) x[i][k];
            }
        }
        return f;
    }

    /**
     * As where mixed precision leaves out every step of an epoch: said, not counted as anything else, and no number in the
     * file.
     */
    @Test
    void anEpochWithoutAStepHasNoFigures(@TempDir Path dir) throws IOException {
        Monitor.Figures none;
        try (NDManager m = Torch.engine().newBaseManager()) {
            Monitor monitor = new Monitor(m, List.of());
            assertTrue(monitor.sound(true));
            none = monitor.figures();
        }
        assertTrue(none.none());
        assertFalse(figures(0, 0, 0).none());
        double chance = Math.log(255);
        Diagnosis d = new Diagnosis(chance, 0, 0, true);
        assertEquals(List.of(), d.look(1, figures(chance, 0.9, 20)));
        assertEquals(List.of(), d.look(2, figures(chance, 0.9, 20)));
        List<String> said = d.look(3, none);
        assertEquals(1, said.size());
        assertTrue(said.get(0).contains("overflowed"), said.get(0));
        assertTrue(d.look(4, figures(chance, 0.9, 20)).get(0).startsWith("nothing is learned"), "the third of them");
        Path file = dir.resolve("metrics.jsonl");
        new Metrics(file, "r", 0).add(Map.of("loss", none.loss()));
        assertEquals("{\"run\":\"r\",\"loss\":null}\n", Files.readString(file));
    }

    /** A line as a kill leaves it: cut anywhere, or whole but for its end. */
    @Test
    void aLineThatWasCutOffIsNoHindrance(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("metrics.jsonl");
        Map<String, Object> second = new LinkedHashMap<>(Map.of("epoch", 2));
        second.put("loss", 1.5);
        Metrics first = new Metrics(file, "r", 0);
        first.add(Map.of("epoch", 1));
        long whole = Files.size(file);
        first.add(second);
        String all = Files.readString(file);
        String line = all.substring((int) whole);
        for (int length = 0; length <= line.length(); length++) {
            Files.writeString(file, all.substring(0, (int) whole + length));
            // Without the line end it is all there, too.
            String kept = all.substring(0, (int) whole) + (length < line.length() - 1 ? "" : line);
            Metrics again = new Metrics(file, "r", 2);
            assertEquals(kept, Files.readString(file), "cut after " + length);
            again.add(Map.of("epoch", 3));
            assertEquals(kept + "{\"run\":\"r\",\"epoch\":3}\n", Files.readString(file));
        }
        for (String other : List.of("{\"ru\n", "{\"run\":\"r\"\n", "{\"rum", all + "{\"x", "{\"ru\n" + all)) {
            Files.writeString(file, other);
            assertThrows(IOException.class, () -> new Metrics(file, "r", 2), other);
            assertEquals(other, Files.readString(file));
        }
    }

    @Test
    void linesThatCanNotBeWrittenLeaveTheOthersAsTheyAre(@TempDir Path dir) throws IOException {
        Path file = dir.resolve("metrics.jsonl");
        Metrics metrics = new Metrics(file, "r", 0);
        Files.createDirectory(file);
        IOException e = assertThrows(IOException.class, () -> metrics.add(Map.of("epoch", 1)));
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        Files.delete(file);
        metrics.add(Map.of("epoch", 2));
        metrics.add(Map.of("epoch", 3));
        assertEquals("{\"run\":\"r\",\"epoch\":2}\n{\"run\":\"r\",\"epoch\":3}\n", Files.readString(file));
    }

    private static Monitor.Figures figures(double loss, double spread, double rank) {
        return new Monitor.Figures(loss, 0.1, 0.2, 1, -2, spread, rank, Map.of());
    }

    @Test
    void whatGoesWrongIsNamedOnceAndAHealthyRunIsNot() {
        double chance = Math.log(255);
        Diagnosis healthy = new Diagnosis(chance, 1, 0, true);
        for (int e = 1; e < 30; e++) {
            assertEquals(List.of(), healthy.look(e, figures(chance - 0.1 * e, 0.9, 20)));
        }
        assertTrue(new Diagnosis(chance, 1, 0, true)
                .look(1, figures(5, 0.01, 20))
                .get(0)
                .startsWith("collapsed: "));
        assertTrue(new Diagnosis(chance, 1, 0, true)
                .look(1, figures(5, 0.9, 1.1))
                .get(0)
                .startsWith("collapsed to a line"));
        Diagnosis stuck = new Diagnosis(chance, 2, 0, true);
        Diagnosis rising = new Diagnosis(chance, 0, 0, true);
        Diagnosis filling = new Diagnosis(chance, 0, 12, true);
        List<String> third = new ArrayList<>();
        List<String> first = new ArrayList<>();
        List<String> second = new ArrayList<>();
        for (int e = 1; e < 12; e++) {
            first.addAll(stuck.look(e, figures(chance, 0.9, 20)));
            second.addAll(rising.look(e, figures(0.1 + e * 0.2, 0.9, 20)));
            third.addAll(filling.look(e, figures(0.1 + e * 0.2, 0.9, 20)));
        }
        assertEquals(List.of(), third, "a queue of noise");
        assertEquals(1, first.size());
        assertTrue(first.get(0).startsWith("nothing is learned"), first.toString());
        assertEquals(1, second.size());
        assertTrue(second.get(0).startsWith("diverging"), second.toString());
        assertEquals(List.of(), new Diagnosis(chance, 1, 0, false).look(1, figures(5, 0.01, 1.1)));
        Diagnosis negative = new Diagnosis(Double.NaN, 0, 0, true);
        for (int e = 1; e < 12; e++) {
            assertEquals(
                    List.of(),
                    negative.look(e, figures(-0.74 + 0.002 * Math.sin(e) - 0.001 * e, 0.9, 20)),
                    "epoch " + e);
        }
        Diagnosis negativeRising = new Diagnosis(Double.NaN, 0, 0, true);
        assertTrue(IntStream.rangeClosed(1, 5)
                .boxed()
                .flatMap(e -> negativeRising.look(e, figures(-0.8 + 0.05 * e, 0.9, 20)).stream())
                .findFirst()
                .orElse("")
                .startsWith("diverging"));
        // Each epoch in another process, which knows of those before what the checkpoint has.
        Diagnosis stuckBefore = new Diagnosis(chance, 2, 0, true);
        Diagnosis risingBefore = new Diagnosis(chance, 0, 0, true);
        List<String> resumed = new ArrayList<>();
        double loss = Double.NaN;
        for (int e = 1; e < 12; e++) {
            Diagnosis s = new Diagnosis(chance, 2, 0, true);
            s.resume(chance, stuckBefore.atChance(), stuckBefore.rising());
            resumed.addAll(s.look(e, figures(chance, 0.9, 20)));
            stuckBefore = s;
            Diagnosis r = new Diagnosis(chance, 0, 0, true);
            r.resume(loss, risingBefore.atChance(), risingBefore.rising());
            loss = 0.1 + e * 0.2;
            resumed.addAll(r.look(e, figures(loss, 0.9, 20)));
            risingBefore = r;
        }
        assertEquals(List.of(second.get(0), first.get(0)), resumed);
    }
}
