package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.ResNet;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PretrainerTest {
    private static final ResNet TINY = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    private static PretrainSettings settings(String optimiser, int epochs) {
        return new PretrainSettings(TINY, 32, ViewSettings.cifar(), 8, epochs, 0.5, 0, 16, optimiser, 1e-3, 1e-4, 0.1, 5);
    }

    private static List<RgbImage> drawings(int n) {
        Random random = new Random(3);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            images.add(BuiltInImages.draw(i % 10, random));
        }
        return images;
    }

    @Test
    void theGraphGivesTheTrainersOwnFeatures() throws IOException {
        List<RgbImage> images = drawings(10);
        ImageSet set = ImageSet.of(images, 32);
        for (ResNet.Stem stem : ResNet.Stem.values()) {
            try (Network network = new Network(new ResNet(18, 0.25, stem), 32, 16, Device.cpu(), 1);
                    NDManager m = network.manager().newSubManager()) {
                NDArray x = Network.batch(m, set, new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
                for (int i = 0; i < 5; i++) {
                    // Moves the running statistics away from 0 and 1.
                    network.encode(x, true);
                }
                float[] expected = network.encode(x, false).toFloatArray();
                try (OnnxEncoder e = OnnxEncoder.open(Pretrainer.export(network, 32, Map.of()), "test", 1)) {
                    float[][] embedded = e.embed(images);
                    float[] actual = new float[expected.length];
                    for (int i = 0; i < embedded.length; i++) {
                        System.arraycopy(embedded[i], 0, actual, i * e.dimension(), e.dimension());
                    }
                    Golden.same(expected, actual, 1e-4, 0, stem.name());
                }
            }
        }
    }

    @Test
    void everyWeightGetsAGradient() {
        ImageSet set = ImageSet.of(drawings(8), 32);
        try (Network network = new Network(TINY, 32, 16, Device.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            NDArray x = Network.batch(m, set, new int[] {0, 1, 2, 3, 4, 5, 6, 7});
            try (GradientCollector c = Torch.engine().newGradientCollector()) {
                c.backward(new NtXent(0.5).loss(network.project(network.encode(x, true), true)));
            }
            network.trained().forEach((name, w) -> {
                try (NDArray g = w.getGradient()) {
                    assertTrue(g.abs().sum().getFloat() > 0, name);
                }
            });
        }
    }

    @Test
    void theLossFalls() throws IOException {
        ImageSet set = ImageSet.of(drawings(32), 32);
        for (String optimiser : List.of("adam", "lars")) {
            Pretrainer.Result one = new Pretrainer(settings(optimiser, 1), "cpu", 2, Progress.NONE).run(set, null);
            PretrainSettings more = new PretrainSettings(TINY, 32, ViewSettings.cifar(), 8, 12, 0.5, 0, 16, optimiser,
                    optimiser.equals("adam") ? 3e-3 : 0.5, 1e-4, 0.1, 5);
            Pretrainer.Result twelve = new Pretrainer(more, "cpu", 2, Progress.NONE).run(set, null);
            assertTrue(twelve.finalLoss() < one.finalLoss() - 0.1,
                    optimiser + ": " + one.finalLoss() + " to " + twelve.finalLoss());
            assertEquals(48, twelve.steps());
        }
    }

    @Test
    void aRunThatContinuesEndsWithTheSameWeights(@TempDir Path dir) throws IOException {
        ImageSet set = ImageSet.of(drawings(16), 32);
        for (String optimiser : List.of("adam", "lars")) {
            Path folder = dir.resolve(optimiser);
            Pretrainer.Result whole = new Pretrainer(settings(optimiser, 3), "cpu", 1, Progress.NONE).run(set, folder);
            assertEquals(2, Checkpoint.list(folder).size(), "the last two stay");
            // As after a kill in the third epoch.
            Files.delete(Checkpoint.list(folder).get(1));
            Pretrainer.Result rest = new Pretrainer(settings(optimiser, 3), "cpu", 1, Progress.NONE).run(set, folder);
            assertEquals(2, rest.resumedAt());
            assertEquals(3, rest.epochs());
            assertEquals(whole.steps(), rest.steps());
            assertArrayEquals(whole.onnx(), rest.onnx());
        }
    }

    @Test
    void aDamagedCheckpointIsPassedOverAndAnotherRunsIsRefused(@TempDir Path dir) throws IOException {
        ImageSet set = ImageSet.of(drawings(16), 32);
        new Pretrainer(settings("adam", 2), "cpu", 1, Progress.NONE).run(set, dir);
        Path last = Checkpoint.list(dir).get(1);
        byte[] bytes = Files.readAllBytes(last);
        bytes[bytes.length / 2] ^= 1;
        Files.write(last, bytes);
        List<String> warnings = new ArrayList<>();
        Progress listener = new Progress() {
            @Override
            public void warn(String text) {
                warnings.add(text);
            }
        };
        assertEquals(1, new Pretrainer(settings("adam", 2), "cpu", 1, listener).run(set, dir).resumedAt());
        assertTrue(warnings.get(0).contains(last.getFileName().toString()), warnings.toString());

        IOException e = assertThrows(IOException.class,
                () -> new Pretrainer(settings("lars", 2), "cpu", 1, Progress.NONE).run(set, dir));
        assertTrue(e.getMessage().contains("training.optimiser"), e.getMessage());
        assertNull(Checkpoint.read(dir.resolve("none"), new TreeMap<>(), Map.of(), w -> {}));
    }

    @Test
    void aLossThatIsNoNumberStopsTheRun() {
        PretrainSettings wild = new PretrainSettings(
                TINY, 32, ViewSettings.cifar(), 8, 50, 0.5, 0, 16, "adam", 1e30, 0, 0, 5);
        IllegalStateException e = assertThrows(IllegalStateException.class,
                () -> new Pretrainer(wild, "cpu", 2, Progress.NONE).run(ImageSet.of(drawings(16), 32), null));
        assertTrue(e.getMessage().contains("learning rate"), e.getMessage());
    }

    @Test
    void aGpuThatIsNotThereIsAnErrorAndNotTheCpu() {
        if (Torch.engine().getGpuCount() == 0) {
            assertThrows(IllegalStateException.class, () -> Torch.device("gpu"));
            assertEquals(Device.cpu(), Torch.device("auto"));
        }
        assertThrows(IllegalStateException.class, () -> Torch.device("gpu:99"));
        assertThrows(IllegalArgumentException.class, () -> Torch.device("tpu"));
    }

    @Test
    void viewsDifferBetweenImagesAndDrawsAndStayInRange() {
        Torch.noGradient();
        ImageSet set = ImageSet.of(drawings(6), 32);
        ViewSettings all = new ViewSettings(0.08, 0.5, 1, 0.8, 0.2, 0.5);
        try (NDManager m = Torch.engine().newBaseManager()) {
            // The same image six times.
            NDArray x = Network.batch(m, set, new int[6]);
            Views views = new Views(all, 24);
            Random random = new Random(1);
            NDArray a = views.view(x, random);
            NDArray b = views.view(x, random);
            assertEquals(new ai.djl.ndarray.types.Shape(6, 3, 24, 24), a.getShape());
            assertTrue(a.min().getFloat() >= -1e-5 && a.max().getFloat() <= 1 + 1e-5);
            assertNotEquals(0, a.get(0).sub(a.get(1)).abs().sum().getFloat(), 1e-3);
            assertNotEquals(0, a.get(0).sub(b.get(0)).abs().sum().getFloat(), 1e-3);
            assertArrayEquals(a.toFloatArray(), views.view(x, new Random(1)).toFloatArray());
        }
    }

    @Test
    void aStepLeavesNoTensorBehind() throws IOException {
        ImageSet set = ImageSet.of(drawings(16), 32);
        try (Network network = new Network(TINY, 32, 16, Device.cpu(), 1);
                NDManager m = network.manager().newSubManager()) {
            Optimiser optimiser = Optimiser.of("adam", network.trained(), 1e-4);
            NDArray x = Network.batch(m, set, new int[] {0, 1, 2, 3});
            int before = network.manager().getManagedArrays().size();
            for (int i = 0; i < 3; i++) {
                try (NDManager step = m.newSubManager()) {
                    NDArray y = x.duplicate();
                    y.attach(step);
                    try (GradientCollector c = Torch.engine().newGradientCollector()) {
                        c.backward(new NtXent(0.5).loss(network.project(network.encode(y, true), true)));
                    }
                    optimiser.step(network.trained(), 1e-3);
                    network.trained().values().forEach(Torch::zeroGradient);
                }
            }
            assertEquals(before, network.manager().getManagedArrays().size());
        }
    }
}
