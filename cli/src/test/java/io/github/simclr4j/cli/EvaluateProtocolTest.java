package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.model.EncodedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.provenance.ModelProvenance;
import picocli.CommandLine;

/** {@code simclr evaluate --protocol}. */
class EvaluateProtocolTest {
    @TempDir
    static Path dir;

    private static Path encoder;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("train"), 4, 1);
        BuiltInImages.write(dir.resolve("test"), 2, 2);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    private static Run run(String name, Object... more) {
        List<Object> args = new ArrayList<>(List.of("evaluate", "--encoder", encoder, "--train", dir.resolve("train"), "--test",
                dir.resolve("test"), "--json", dir.resolve(name + ".json"), "--device", "cpu", "--threads", "1"));
        args.addAll(List.of(more));
        return CommandLineTest.run(args.toArray());
    }

    /**
     * What was trained end to end.
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

    /** The protocols, with a look at each model that they measure. */
    private static final class Watched extends Protocols {
        private final List<Trained> all = new ArrayList<>();
        private final Path folder;

        Watched(EvaluateCommand command) {
            super(command, command.protocols);
            folder = command.test;
        }

        @Override
        double accuracy(EncodedModel<Label> model, ImageSource test, Preprocessing rule) throws IOException {
            double accuracy = super.accuracy(model, test, rule);
            List<Path> files = Images.find(folder);
            List<RgbImage> images = new ArrayList<>();
            for (Path file : files) {
                images.add(Images.read(file));
            }
            List<Prediction<Label>> predictions = model.predictImages(images);
            int right = 0;
            for (int i = 0; i < files.size(); i++) {
                String expected = folder.relativize(files.get(i)).getName(0).toString();
                right += predictions.get(i).getOutput().getLabel().equals(expected) ? 1 : 0;
            }
            ModelProvenance p = model.getProvenance();
            all.add(new Trained(model.getName(), p.getTrainerProvenance().getConfiguredParameters(),
                    p.getDatasetProvenance().getNumExamples(), accuracy, (double) right / files.size()));
            return accuracy;
        }
    }

    /** Each protocol trains what its name says, with its seed, share and options, and reports how well it does. */
    @Test
    void everyProtocolTrainsAsItIsToldForEachShareAndSeed() throws IOException {
        Path train = Colours.write(dir.resolve("colours"), 8, 1);
        Path small = Files.write(dir.resolve("small.onnx"),
                EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), 16, 1));
        EvaluateCommand command = CommandLine.populateCommand(new EvaluateCommand(), "--encoder", small.toString(), "--train",
                train.toString(), "--test", Colours.write(dir.resolve("more-colours"), 5, 2).toString(), "--device", "cpu",
                "--threads", "1", "--seed", "5", "--repeat", "2", "--labels", "50%,100%", "--protocol",
                "distillation,finetune,from-scratch", "--epochs", "6", "--batch", "8", "--learning-rate", "0.1",
                "--views", "flip@0.5", "--student-epochs", "2", "--unlabelled", "20", "--temperature", "4");
        Watched protocols = new Watched(command);
        JsonObject json = new Gson().toJsonTree(protocols.run(new LinkedHashMap<>())).getAsJsonObject();
        Map<String, String> names =
                Map.of("from-scratch", "from-scratch", "finetune", "fine-tuned", "distillation", "distilled");
        Iterator<Trained> trained = protocols.all.iterator();
        Map<String, List<Double>> reported = new TreeMap<>();
        for (String share : List.of("50%", "100%")) {
            for (String seed : List.of("5", "6")) {
                for (String protocol : List.of("from-scratch", "finetune", "distillation")) {
                    Trained t = trained.next();
                    String what = protocol + " " + share + " " + seed + ": " + t;
                    boolean distilled = protocol.equals("distillation");
                    assertEquals(names.get(protocol), t.name(), what);
                    assertEquals(seed, t.setting("seed"), what);
                    assertEquals(distilled ? "2" : "6", t.setting("epochs"), what);
                    assertEquals(distilled ? 20 : share.equals("50%") ? 16 : 32, t.images(), what);
                    assertEquals(distilled ? "4.0" : Boolean.toString(protocol.equals("from-scratch")),
                            t.setting(distilled ? "temperature" : "fromScratch"), what);
                    assertEquals(t.right(), t.accuracy(), 1e-12, what);
                    assertTrue(!protocol.equals("finetune") || share.equals("50%") || t.accuracy() > 0.9, what);
                    reported.computeIfAbsent(protocol + " " + share, k -> new ArrayList<>()).add(t.accuracy());
                }
            }
        }
        assertFalse(trained.hasNext());
        reported.forEach((key, runs) -> {
            String[] k = key.split(" ");
            JsonArray found = json.getAsJsonObject("protocolRuns").getAsJsonObject(k[0]).getAsJsonArray(k[1]);
            assertEquals(runs, found.asList().stream().map(JsonElement::getAsDouble).toList(), key);
            assertEquals((runs.get(0) + runs.get(1)) / 2,
                    json.getAsJsonObject("protocols").getAsJsonObject(k[0]).get(k[1]).getAsDouble(), 1e-12, key);
        });
    }

    @Test
    void whatIsNoFolderIsSaidOnce() throws IOException {
        Path zip = Files.writeString(dir.resolve("train.zip"), "PK");
        for (String protocol : List.of("linear", "self-training", "finetune")) {
            Run run = CommandLineTest.run("evaluate", "--encoder", encoder, "--train", zip, "--test",
                    dir.resolve("test"), "--protocol", protocol, "--device", "cpu");
            assertEquals(1, run.code());
            String last = run.err().strip().lines().reduce((a, b) -> b).orElseThrow();
            assertEquals("simclr: " + zip + " is not a folder: name a folder with images in it", last);
        }
        Run run = CommandLineTest.run("evaluate", "--encoder", zip, "--train", dir.resolve("train"), "--test",
                dir.resolve("test"));
        assertEquals(1, run.code());
        assertTrue(run.err().matches("simclr: \\S*train.zip is not an ONNX file[^(]*\\R"), run.err());
    }

    @Test
    void theDeviationIsThatOfASample() {
        Accuracies m = new Accuracies();
        m.add(0.5);
        assertEquals("50.00%", m.toString());
        m.add(0.6);
        m.add(0.7);
        assertEquals(0.6, m.mean(), 1e-12);
        assertEquals(0.1, m.deviation(), 1e-12);
        assertEquals("60.00% +- 10.00", m.toString());
    }

    @Test
    void withAllLabelsSelfTrainingIsLinearEvaluation() throws IOException {
        Run run = run("full", "--protocol", "linear,self-training", "--labels", "100%");
        assertEquals(0, run.code(), run.err());
        JsonObject json = CommandLineTest.json(dir.resolve("full.json"));
        assertEquals(json.getAsJsonObject("linear").getAsJsonObject("simclr").get("100%").getAsDouble(),
                json.getAsJsonObject("protocols").getAsJsonObject("self-training").get("100%").getAsDouble());
    }

    @Test
    void oneProtocolAloneLeavesLinearOut() throws IOException {
        Run run = run("one", "--protocol", "finetune", "--labels", "25%", "--epochs", "1");
        assertEquals(0, run.code(), run.err());
        JsonObject json = CommandLineTest.json(dir.resolve("one.json"));
        assertFalse(json.has("linear"));
        assertEquals(Set.of("finetune"), json.getAsJsonObject("protocols").keySet());
        assertTrue(json.has("encoderSha256"));
        Run wrong = run("wrong", "--protocol", "finetuning");
        assertEquals(2, wrong.code());
        assertTrue(wrong.err().contains(
                "expected linear, from-scratch, finetune, self-training, distillation, found finetuning"), wrong.err());
    }
}
