// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.evaluation.Protocol;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.tribuo.evaluation.Protocols;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.provenance.ModelProvenance;

/** The evaluation protocols that train the encoder. */
class TrainingProtocolsTest {
    private static final Map<String, String> NAMES =
            Map.of("from-scratch", "from-scratch", "finetune", "fine-tuned", "distillation", "distilled");

    @TempDir
    Path dir;

    private final List<Trained> all = new ArrayList<>();
    private Path encoder;

    @BeforeEach
    void write() throws IOException {
        encoder = Files.write(
                dir.resolve("encoder.onnx"),
                EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), 16, 1));
    }

    /** Images of one colour each, slightly noisy: whatever looks at them tells their classes apart. */
    private record Colours(int each, long seed) implements ImageSource {
        private static final List<String> CLASSES = List.of("black", "blue", "red", "white");
        private static final int[] VALUES = {0x101010, 0x1010e0, 0xe01010, 0xe0e0e0};

        @Override
        public int size() {
            return CLASSES.size() * each;
        }

        @Override
        public String name(int i) {
            return classes().get(i / each) + "/" + i;
        }

        @Override
        public RgbImage read(int i, SizeCheck size) throws IOException {
            size.check(32, 32);
            Random random = new Random(seed * size() + i);
            byte[] pixels = new byte[3 * 32 * 32];
            for (int p = 0; p < 32 * 32; p++) {
                int value = VALUES[i / each] + random.nextInt(16) * 0x010101;
                for (int c = 0; c < 3; c++) {
                    pixels[3 * p + c] = (byte) (value >> 16 - 8 * c);
                }
            }
            return new RgbImage(32, 32, pixels);
        }

        @Override
        public OptionalInt label(int i) {
            return OptionalInt.of(i / each);
        }

        @Override
        public List<String> classes() {
            return CLASSES;
        }

        @Override
        public String fingerprint() {
            return "colours";
        }

        @Override
        public void close() {}
    }

    /**
     * What was trained.
     *
     * @param name what the model calls itself
     * @param settings of its trainer
     * @param images how many it was trained on
     * @param accuracy what was reported of it
     * @param right the share of the test images that it predicts right when it is asked here
     */
    private record Trained(String name, Map<String, Provenance> settings, int images, double accuracy, double right) {
        String setting(String key) {
            return settings.get(key).toString();
        }
    }

    private double look(EncodedModel<Label> model, ProtocolContext context, double accuracy) throws IOException {
        ImageSource test = context.test().source();
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < test.size(); i++) {
            images.add(test.read(i));
        }
        List<Prediction<Label>> predictions = model.predictImages(images);
        int right = 0;
        for (int i = 0; i < test.size(); i++) {
            right += test.name(i).startsWith(predictions.get(i).getOutput().getLabel() + "/") ? 1 : 0;
        }
        ModelProvenance p = model.getProvenance();
        all.add(new Trained(
                model.getName(),
                p.getTrainerProvenance().getConfiguredParameters(),
                p.getDatasetProvenance().getNumExamples(),
                accuracy,
                (double) right / test.size()));
        return accuracy;
    }

    /** The protocols, with a look at each model that they measure. */
    private List<Protocol> watched() {
        return List.of(
                new FromScratchProtocol() {
                    @Override
                    double accuracy(EncodedModel<Label> model, ProtocolContext context) throws IOException {
                        return look(model, context, super.accuracy(model, context));
                    }
                },
                new FineTuneProtocol() {
                    @Override
                    double accuracy(EncodedModel<Label> model, ProtocolContext context) throws IOException {
                        return look(model, context, super.accuracy(model, context));
                    }
                },
                new DistillationProtocol() {
                    @Override
                    double accuracy(EncodedModel<Label> model, ProtocolContext context) throws IOException {
                        return look(model, context, super.accuracy(model, context));
                    }
                });
    }

    private ProtocolContext.Builder context() {
        Map<String, Double> shares = new LinkedHashMap<>();
        shares.put("50%", 0.5);
        shares.put("100%", 1.0);
        return ProtocolContext.builder()
                .encoder(encoder)
                .runtime(RuntimeSettings.DEFAULT.withThreads(1))
                .device("cpu")
                .train(new LabelledImages(Path.of("train"), new Colours(8, 1)))
                .test(new LabelledImages(Path.of("test"), new Colours(5, 2)))
                .shares(shares)
                .seeds(5, 6);
    }

    /** Each protocol trains what its name says, with its seed, share and options, and reports how well it does. */
    @Test
    void everyProtocolTrainsAsItIsToldForEachShareAndSeed() throws IOException {
        Map<String, String> given = Map.of(
                "epochs",
                "6",
                "batch",
                "8",
                "learning-rate",
                "0.1",
                "views",
                "flip@0.5",
                "student-epochs",
                "2",
                "unlabelled",
                "20",
                "temperature",
                "4");
        Map<String, Accuracies> reported = new LinkedHashMap<>();
        try (ProtocolContext context = context().build()) {
            for (Protocol p : watched()) {
                Map<String, String> own = new HashMap<>(given);
                own.keySet()
                        .removeIf(name ->
                                p.options().stream().noneMatch(o -> o.name().equals(name)));
                reported.put(p.name(), p.run(context.with(OptionValues.of(p.options(), own))));
            }
        }
        int n = 0;
        for (Map.Entry<String, Accuracies> e : reported.entrySet()) {
            String protocol = e.getKey();
            boolean distilled = protocol.equals("distillation");
            for (String share : List.of("50%", "100%")) {
                for (int run = 0; run < 2; run++) {
                    Trained t = all.get(n++);
                    String what = protocol + " " + share + " " + run + ": " + t;
                    assertEquals(NAMES.get(protocol), t.name(), what);
                    assertEquals("" + (5 + run), t.setting("seed"), what);
                    assertEquals(distilled ? "2" : "6", t.setting("epochs"), what);
                    assertEquals(distilled ? 20 : share.equals("50%") ? 16 : 32, t.images(), what);
                    assertEquals(
                            distilled ? "4.0" : Boolean.toString(protocol.equals("from-scratch")),
                            t.setting(distilled ? "temperature" : "fromScratch"),
                            what);
                    assertEquals(t.right(), t.accuracy(), 1e-12, what);
                    assertEquals(t.accuracy(), e.getValue().runs().get(share).get(run), what);
                    assertTrue(!protocol.equals("finetune") || share.equals("50%") || t.accuracy() > 0.9, what);
                }
            }
        }
        assertEquals(all.size(), n);
    }

    @Test
    void theyAreFoundByName() {
        NAMES.keySet().forEach(name -> assertEquals(name, Protocols.named(name).name()));
    }

    @Test
    void settingsThatTrainingHasNoUseForAreTold() throws IOException {
        EncoderSettings square = EncoderSettings.of(Map.of("image-size", "32x16"), "test");
        for (Protocol p : List.of(new FineTuneProtocol(), new DistillationProtocol())) {
            try (ProtocolContext context = context().settings(square).build()) {
                IllegalArgumentException e = assertThrows(
                        IllegalArgumentException.class, () -> p.run(context.with(OptionValues.defaults(p.options()))));
                assertEquals("Training needs square images, an image size such as 224, found 32x16", e.getMessage());
            }
        }
    }
}
