package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.data.ImageSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is watched, against plain loops over the definitions. */
class MonitorTest {
    @BeforeEach
    void noGradient() {
        Torch.noGradient();
    }

    private static float[][] rows(int n, int d, long seed) {
        Random random = new Random(seed);
        float[][] x = new float[n][d];
        for (float[] row : x) {
            for (int k = 0; k < d; k++) {
                row[k] = (float) (random.nextGaussian() * (1 + k));
            }
        }
        return x;
    }

    private static double[][] unit(float[][] x) {
        double[][] u = new double[x.length][x[0].length];
        for (int i = 0; i < x.length; i++) {
            double length = 0;
            for (float v : x[i]) {
                length += v * v;
            }
            for (int k = 0; k < x[i].length; k++) {
                u[i][k] = x[i][k] / Math.sqrt(length);
            }
        }
        return u;
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
        float[][] first = rows(n, d, 1);
        float[][] second = rows(n, d, 2);
        double[][] a = unit(first);
        double[][] b = unit(second);
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
            Monitor monitor = new Monitor(m);
            NDArray rank = m.create(new float[] {0, 0, 3, 4, 5, 9, 0});
            monitor.add(new Method.Outcome(m.create(2f), rank, tensor(m, first), tensor(m, second)));
            monitor.add(new Method.Outcome(m.create(4f), rank, tensor(m, first), tensor(m, second)));
            Monitor.Figures f = monitor.figures();
            assertEquals(3, f.loss(), 1e-6);
            assertEquals(3.0 / 7, f.top1(), 1e-6);
            assertEquals(5.0 / 7, f.top5(), 1e-6);
            assertEquals(alignment, f.alignment(), 1e-5);
            assertEquals(Math.log(uniformity), f.uniformity(), 1e-4);
            assertEquals(spread, f.spread(), 1e-5);
            assertEquals(trace * trace / squares, f.effectiveRank(), 1e-4);
            assertTrue(monitor.sound(true));
            monitor.add(new Method.Outcome(m.create(Float.NaN), rank, tensor(m, first), tensor(m, second)));
            assertFalse(monitor.sound(true));
        }
    }

    @Test
    void ranksCountTheCandidatesThatAreAsNear() {
        int n = 6;
        float[][] x = rows(2 * n, 4, 3);
        double[][] u = unit(x);
        float[] expected = new float[2 * n];
        for (int i = 0; i < 2 * n; i++) {
            int partner = (i + n) % (2 * n);
            for (int j = 0; j < 2 * n; j++) {
                boolean other = j != i && j != partner;
                expected[i] += other && squaredDistance(u[i], u[j]) < squaredDistance(u[i], u[partner]) ? 1 : 0;
            }
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            Golden.same(expected, Losses.rankAmongViews(Anchors.all(tensor(m, x))).toFloatArray(), 0, 1e-6, "views");
            NDArray logits = m.create(new float[] {1, 2, 3, 5, 4, 6}, new Shape(2, 3));
            Golden.same(new float[] {2, 1}, Losses.rankOfFirst(logits).toFloatArray(), 0, 0, "first");
            Golden.same(new float[] {0, 2}, Losses.rankOf(logits, new int[] {2, 1}).toFloatArray(), 0, 0, "labels");
            // Where all are equal nothing is told apart.
            Golden.same(new float[] {4, 4, 4, 4, 4, 4},
                    Losses.rankAmongViews(Anchors.all(m.ones(new Shape(6, 4)))).toFloatArray(), 0, 0, "collapsed");
            Golden.same(new float[] {2}, Losses.rankOfFirst(m.ones(new Shape(1, 3))).toFloatArray(), 0, 0, "collapsed");
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
            Golden.same(new float[] {0, 0, 0, 0.6f, 0, 0.8f}, Losses.normalise(z).get(":2").toFloatArray(), 1e-6, 0, "length");
        }
    }

    /** Decoupled and semi-hard losses have no golden values: the definitions, in loops. */
    @Test
    void lossesWithoutGoldenValuesAreThoseOfTheDefinitions() {
        int n = 5;
        double t = 0.3;
        float[][] x = rows(2 * n, 6, 4);
        double[][] u = unit(x);
        double decoupled = 0;
        double margin = 0;
        double logistic = 0;
        double positives = 0;
        int chosen = 0;
        for (int i = 0; i < 2 * n; i++) {
            int partner = (i + n) % (2 * n);
            double own = 1 - squaredDistance(u[i], u[partner]) / 2;
            double sum = 0;
            double nearest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < 2 * n; j++) {
                if (j == i || j == partner) {
                    continue;
                }
                double cosine = 1 - squaredDistance(u[i], u[j]) / 2;
                sum += Math.exp(cosine / t);
                if (cosine < own) {
                    nearest = Math.max(nearest, cosine);
                }
            }
            decoupled += (Math.log(sum) - own / t) / (2 * n);
            positives += Math.log(1 + Math.exp(-own / t)) / (2 * n);
            if (nearest > Double.NEGATIVE_INFINITY) {
                chosen++;
                margin += Math.max(0, nearest - own + 0.8);
                logistic += Math.log(1 + Math.exp(nearest / t));
            }
        }
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray z = tensor(m, x);
            assertEquals(decoupled, Losses.decoupled(Anchors.all(z), t).getFloat(), 1e-5 * Math.abs(decoupled));
            assertEquals(margin / chosen, Losses.margin(Anchors.all(z), 0.8, true).getFloat(), 1e-5);
            assertEquals(positives + logistic / chosen, Losses.ntLogistic(Anchors.all(z), t, true).getFloat(), 1e-5);
        }
    }

    @Test
    void nearestNeighboursVoteByTheirCosines() {
        int known = 40;
        int asked = 15;
        int classes = 3;
        double[][] bank = unit(rows(known, 4, 5));
        double[][] test = unit(rows(asked, 4, 6));
        int[] labels = new int[known];
        for (int i = 0; i < known; i++) {
            labels[i] = (bank[i][3] > 0.4 ? 1 : 0) + (bank[i][2] > 0 ? 1 : 0);
        }
        int[] expected = new int[asked];
        int[] others = new int[known];
        for (int i = 0; i < asked; i++) {
            expected[i] = vote(bank, labels, classes, test[i], -1);
        }
        for (int i = 0; i < known; i++) {
            others[i] = vote(bank, labels, classes, bank[i], i);
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
                Network network = new Network(Small.NET, Head.simclr(8), false, Device.cpu(), DataType.FLOAT32, 1)) {
            TrainingImages resident = TrainingImages.of(source, 32, 0, 8, 2, Progress.NONE);
            TrainingImages streamed = TrainingImages.of(source, 32, 1, 8, 2, Progress.NONE);
            assertTrue(resident instanceof ImageSet && streamed instanceof StreamedImages);
            double expected = Knn.accuracy(network, 32, resident, null);
            assertEquals(expected, Knn.accuracy(network, 32, streamed, null), 1e-9);
        }
    }

    /** All vote, there being fewer than 200. */
    private static int vote(double[][] bank, int[] labels, int classes, double[] x, int without) {
        double[] votes = new double[classes];
        for (int i = 0; i < bank.length; i++) {
            if (i != without) {
                votes[labels[i]] += Math.exp((1 - squaredDistance(bank[i], x) / 2) / 0.1);
            }
        }
        int best = 0;
        for (int k = 1; k < classes; k++) {
            best = votes[k] > votes[best] ? k : best;
        }
        return best;
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

    private static Monitor.Figures figures(double loss, double spread, double rank) {
        return new Monitor.Figures(loss, 0.1, 0.2, 1, -2, spread, rank);
    }

    @Test
    void whatGoesWrongIsNamedOnceAndAHealthyRunIsNot() {
        double chance = Math.log(255);
        Diagnosis healthy = new Diagnosis(chance, 1, 0, true);
        for (int e = 1; e < 30; e++) {
            assertEquals(List.of(), healthy.look(e, figures(chance - 0.1 * e, 0.9, 20)));
        }
        assertTrue(new Diagnosis(chance, 1, 0, true).look(1, figures(5, 0.01, 20)).get(0).startsWith("collapsed: "));
        assertTrue(new Diagnosis(chance, 1, 0, true).look(1, figures(5, 0.9, 1.1)).get(0).startsWith("collapsed to a line"));
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
        assertTrue(first.get(0).startsWith("nothing is learnt"), first.toString());
        assertEquals(1, second.size());
        assertTrue(second.get(0).startsWith("diverging"), second.toString());
        assertEquals(List.of(), new Diagnosis(chance, 1, 0, false).look(1, figures(5, 0.01, 1.1)));
    }
}
