// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.method.SoftLabels;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.tribuo.model.EncodedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.Hinge;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.math.optimisers.AdaGrad;

/** Students of soft labels: the loss by a plain loop, and whether they come to say what the teacher says. */
@Tag("slow")
class DistillationTest {
    @TempDir
    static Path dir;

    private static Trainer<Label> teacher() {
        return new LinearSGDTrainer(new LogMulticlass(), new AdaGrad(0.05), 5, Integer.MAX_VALUE, 8, 1);
    }

    private static DistillationTrainer student(Trainer<Label> teacher, int epochs, double temperature) {
        return builder(teacher, epochs).temperature(temperature).build();
    }

    private static DistillationTrainer.Builder builder(Trainer<Label> teacher, int epochs) {
        return DistillationTrainer.builder(teacher)
                .student(FineTuneTest.NET)
                .epochs(epochs)
                .batchSize(10)
                .learningRate(0.1)
                .device("cpu")
                .threads(1)
                .seed(3);
    }

    /** Softmax of logits over t. */
    private static double[] softmax(double[] z, double t) {
        double sum = 0;
        double[] p = new double[z.length];
        for (int i = 0; i < z.length; i++) {
            p[i] = Math.exp(z[i] / t);
            sum += p[i];
        }
        for (int i = 0; i < z.length; i++) {
            p[i] /= sum;
        }
        return p;
    }

    @Test
    void theLossAndItsGradientAreThoseOfAPlainLoop() {
        Random random = new Random(1);
        int n = 5;
        int classes = 4;
        double t = 2.5;
        double[][] teacher = new double[n][classes];
        double[][] student = new double[n][classes];
        float[] z = new float[n * classes];
        float[] p = new float[n * classes];
        double expected = 0;
        float[] slope = new float[n * classes];
        for (int i = 0; i < n; i++) {
            for (int c = 0; c < classes; c++) {
                teacher[i][c] = 3 * random.nextGaussian();
                student[i][c] = 3 * random.nextGaussian();
                z[i * classes + c] = (float) student[i][c];
            }
            // The teacher's probabilities at temperature 1 are what a model of Tribuo's says.
            float[] soft = SoftLabels.at(t, softmax(teacher[i], 1));
            double[] target = softmax(teacher[i], t);
            double[] said = softmax(student[i], t);
            for (int c = 0; c < classes; c++) {
                assertEquals(target[c], soft[c], 1e-6);
                p[i * classes + c] = soft[c];
                expected -= target[c] * Math.log(said[c]) / n;
                slope[i * classes + c] = (float) ((said[c] - target[c]) / (t * n));
            }
        }
        Torch.noGradient();
        try (NDManager m = Torch.engine().newBaseManager()) {
            NDArray logits = m.create(z, new Shape(n, classes));
            logits.setRequiresGradient(true);
            try (GradientCollector collector = Torch.engine().newGradientCollector()) {
                NDArray loss = Losses.softCrossEntropy(logits, m.create(p, new Shape(n, classes)), t);
                assertEquals(expected, loss.toFloatArray()[0], 1e-5);
                collector.backward(loss);
            }
            assertArrayEquals(slope, logits.getGradient().toFloatArray(), 1e-6f);
        }
        assertArrayEquals(new float[] {0, 1}, SoftLabels.at(0.5, new double[] {0, 1}), "a class that is ruled out");
    }

    private static double apart(Model<Label> one, Model<Label> other, MutableDataset<Label> images) {
        double sum = 0;
        for (Example<Label> e : images) {
            String name = BuiltInImages.classNames().get(0);
            sum += Math.abs(one.predict(e).getOutputScores().get(name).getScore()
                    - other.predict(e).getOutputScores().get(name).getScore());
        }
        return sum / images.size();
    }

    @Test
    void theStudentComesToSayWhatTheTeacherSays() throws IOException {
        MutableDataset<Label> known = FineTuneTest.pixels(FineTuneTest.drawings(10, 2, 1), 2);
        MutableDataset<Label> all = FineTuneTest.pixels(FineTuneTest.drawings(10, 2, 1), 2);
        for (Example<Label> e : FineTuneTest.pixels(FineTuneTest.drawings(10, 2, 2), 2)) {
            all.add(FineTuneTest.unlabelled(e));
        }
        Model<Label> teacher = teacher().train(known, Map.of(), 0);
        try (EncodedModel<Label> little = student(teacher(), 1, 1).train(all);
                EncodedModel<Label> much = student(teacher(), 14, 1).train(all)) {
            double before = apart(teacher, little, all);
            double after = apart(teacher, much, all);
            assertTrue(after < 0.7 * before, before + " to " + after);
            var run = much.getProvenance().getInstanceProvenance().getMap();
            assertEquals(new IntProvenance(DistillationTrainer.LABELLED, 20), run.get(DistillationTrainer.LABELLED));
            assertEquals(
                    new IntProvenance(DistillationTrainer.UNLABELLED, 20), run.get(DistillationTrainer.UNLABELLED));
            assertEquals("distillation", much.encoder().metadata().get("training.method"));
            assertTrue(much.getProvenance().toString().contains("LinearSGDTrainer"));
            Path saved = dir.resolve("student.tribuo");
            much.serializeToFile(saved);
            try (EncodedModel<?> loaded = EncodedModel.load(saved)) {
                assertEquals(much.getProvenance(), loaded.getProvenance());
                assertEquals(0, apart(much, loaded.castModel(Label.class), all));
            }
        }
    }

    @Test
    void aFineTunedTeacherAndAStudentFromAnEncoder() throws IOException {
        Path encoder = Files.write(dir.resolve("encoder.onnx"), EncoderExport.untrained(FineTuneTest.NET, 32, 1));
        MutableDataset<Label> set = FineTuneTest.pixels(FineTuneTest.drawings(4, 2, 1), 2);
        Trainer<Label> teacher = new FineTuneTrainer(encoder, 1, "cpu", 1, 1);
        DistillationTrainer trainer = DistillationTrainer.builder(teacher)
                .encoder(encoder)
                .temperature(2)
                .epochs(1)
                .batchSize(4)
                .learningRate(0.01)
                .views("flip")
                .device("cpu")
                .threads(1)
                .seed(1)
                .build();
        try (EncodedModel<Label> one = trainer.train(set);
                EncodedModel<Label> two = trainer.train(set, Map.of(), 0)) {
            assertEquals(0, apart(one, two, set), "the same invocation");
            assertEquals("2.0", one.encoder().metadata().get("training.temperature"));
            assertTrue(one.getProvenance().getInstanceProvenance().getMap().containsKey("started-from-sha256"));
        }
    }

    @Test
    void itIsConfiguredByAFile() throws IOException {
        Path config = dir.resolve("config.xml");
        Files.writeString(config, """
                <config>
                  <component name="student" type="io.github.simclr4j.train.tribuo.DistillationTrainer">
                    <property name="teacher" value="teacher"/>
                    <property name="width" value="0.0625"/>
                    <property name="temperature" value="0.5"/>
                  </component>
                  <component name="teacher" type="io.github.simclr4j.train.tribuo.FineTuneTrainer">
                    <property name="encoder" value="encoder.onnx"/>
                  </component>
                </config>
                """);
        DistillationTrainer trainer =
                (DistillationTrainer) new ConfigurationManager(config.toString()).lookup("student");
        assertTrue(trainer.toString().contains("teacher=FineTuneTrainer(epochs=60"), trainer.toString());
        assertTrue(
                trainer.toString().contains("width=0.0625,stem=cifar,imageSize=32,temperature=0.5"),
                trainer.toString());
        assertTrue(trainer.getProvenance().toString().contains("FineTuneTrainer"));
        assertThrows(PropertyException.class, () -> student(teacher(), 1, 0));
    }

    @Test
    void valuesOutOfRangeAreRefusedBeforeTraining() {
        for (double t : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertEquals(
                    "temperature",
                    assertThrows(PropertyException.class, () -> student(teacher(), 1, t))
                            .getProperty());
        }
        for (int side : new int[] {0, 7, 1025, 100_000}) {
            assertEquals(
                    "imageSize",
                    assertThrows(
                                    PropertyException.class,
                                    () -> builder(teacher(), 1).imageSize(side).build())
                            .getProperty());
        }
    }

    @Test
    void badInputIsOneSentence() {
        MutableDataset<Label> set = FineTuneTest.pixels(FineTuneTest.drawings(2, 2, 1), 2);
        Trainer<Label> scores = new LinearSGDTrainer(new Hinge(), new AdaGrad(0.05), 1, 1);
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> student(scores, 1, 1).train(set))
                .getMessage();
        assertEquals(
                "Expected a teacher that generates probabilities, found LinearSGDModel which generates scores",
                message);
        MutableDataset<Label> none = new MutableDataset<>(set.getSourceProvenance(), new LabelFactory());
        set.forEach(e -> none.add(FineTuneTest.unlabelled(e)));
        message = assertThrows(
                        IllegalArgumentException.class,
                        () -> student(teacher(), 1, 1).train(none))
                .getMessage();
        assertEquals("Expected images of at least two classes, found none with a label", message);
        DistillationTrainer trainer = student(scores, 1, 1);
        assertThrows(IllegalArgumentException.class, () -> trainer.train(set));
        assertEquals(0, trainer.getInvocationCount(), "it failed");
    }
}
