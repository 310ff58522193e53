// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which settings and files a study accepts, before anything is trained. */
class StudySettingsTest {
    private static final String BEGUN = "the study begins";

    @TempDir
    static Path dir;

    private static ImageSource images;

    @BeforeAll
    static void draw() throws IOException {
        BuiltInImages.write(dir.resolve("images"), 2, 1);
        images = ImageSource.open(dir.resolve("images"));
    }

    @AfterAll
    static void close() throws IOException {
        images.close();
    }

    private static Study grid(String axes) {
        return new GridStudy(List.of(axes.split(" ")).stream().map(Axis::parse).toList());
    }

    private static Map<String, String> settings(String text) {
        Map<String, String> all = new HashMap<>(Map.of("batch", "4", "width", "0.0625"));
        for (String setting : text.isEmpty() ? new String[0] : text.split(" ")) {
            all.put(setting.split("=")[0], setting.split("=")[1]);
        }
        return all;
    }

    /** Runs a study to the first cell that is to be trained, and returns why it ended. */
    private static Exception end(Study study, Map<String, String> given, Path folder) {
        LabelledImages labelled = new LabelledImages(dir.resolve("images"), images);
        StudyRunner runner = new StudyRunner(
                        study, Map.of(), given, new StudyImages(images, labelled, labelled), folder)
                .listener(soFar -> {
                    throw new IOException(BEGUN + " with " + soFar.done() + " cells done");
                });
        return assertThrows(Exception.class, runner::run);
    }

    @ParameterizedTest
    @CsvSource({
        "momentum=0.5;0.9, '', momentum has an effect only with the setting optimizer lars",
        "margin=0.1;0.8, '', margin has an effect only with settings where the loss is margin",
        "lr-scaling=sqrt;linear, learning-rate=0.01, lr-scaling has an effect only without the setting learning-rate",
        "temperature=0.1;0.5, hidden=64 head=linear, hidden has an effect only with the setting head nonlinear",
        "temperature=0.1;0.5, head=none projection=8, projection has an effect only with the setting head linear",
        "temperature=0.1;0.5, head-norm=false head-output-norm=true, head-output-norm has an effect only with the setting"
                + " head-norm",
        "seed=1;2, method=supervised head=deep, head has an effect only without the setting method supervised",
        "views2=none;flip, method=cpc, views2 has an effect only without the setting method cpc",
        "views2=none;flip, method=cmc, views2 has an effect only without the setting method cmc",
        "stem=cifar;imagenet, method=amdim, stem has an effect only without the setting method amdim",
        "zero-gamma=true;false, method=amdim, zero-gamma has an effect only with an encoder whose residual blocks",
        "zero-gamma=true;false, method=cpc, zero-gamma has an effect only with an encoder whose residual blocks",
        "multi-crop-size=8;16, '', multi-crop-size has an effect only with settings where multi-crop is above 0",
        "method=simclr;mocov2, margin=0.5, margin has an effect only with settings where the loss is margin"
    })
    void aSettingWithoutEffectInAnyCellIsRefused(String axes, String given, String message) {
        Path folder = dir.resolve("refused");
        Exception e = end(grid(axes), settings(given), folder);
        assertTrue(e instanceof IllegalArgumentException && e.getMessage().contains(message), e.toString());
        assertFalse(Files.exists(folder));
    }

    @ParameterizedTest
    @CsvSource({
        "momentum=0.5;0.9, optimizer=sgd",
        "optimizer=adamw;sgd, momentum=0.5",
        "optimizer=adamw;sgd momentum=0.5;0.9, ''",
        "loss=nt-xent;margin margin=0.1;0.8, ''",
        "head=linear;nonlinear, hidden=64",
        "method=cpc;simclr, views2=none",
        "stem=cifar;imagenet, method=cmc",
        "method=amdim;simclr, stem=imagenet",
        "method=supervised;simclr, projection=16",
        "lr-scaling=sqrt;linear, ''",
        "zero-gamma=true;false, ''"
    })
    void aSettingWithAnEffectInSomeCellIsAccepted(String axes, String given) throws IOException {
        Path folder = Files.createTempDirectory(dir, "accepted");
        Exception e = end(grid(axes), settings(given), folder);
        assertTrue(e.getMessage().startsWith(BEGUN), e.toString());
    }

    /** A cell that cannot be run says nothing about what varies: the others run, as they would without it. */
    @Test
    void anAxisOfCellsThatCannotBeRunIsNotRefused() throws IOException {
        Study study = new Study() {
            @Override
            public String name() {
                return "queues";
            }

            @Override
            public String summary() {
                return "";
            }

            @Override
            public String source() {
                return "";
            }

            @Override
            public StudyPlan plan(io.github.simclr4j.util.OptionValues options) {
                Map<String, Map<String, String>> levels = new HashMap<>();
                levels.put("pairs", Map.of("method", "simclr"));
                levels.put("queue", Map.of("method", "mocov2", "queue", "2"));
                return StudyPlan.of(Chart.BARS, new Axis("negatives", levels));
            }
        };
        Exception e = end(study, settings("batch=8"), Files.createTempDirectory(dir, "queues"));
        assertTrue(e.getMessage().startsWith(BEGUN), e.toString());
    }

    private static Path encoder(Path file, long seed) throws IOException {
        return Files.write(file, EncoderExport.untrained(new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR), 32, seed));
    }

    @ParameterizedTest
    @CsvSource({"teacher, method=distill", "init, method=simclr"})
    void aStudyContinuesWithAMovedFileButNotWithAnotherOneOfTheSameName(String setting, String method)
            throws IOException {
        Path files = Files.createTempDirectory(dir, "files");
        Path folder = files.resolve("study");
        Study study = grid("epochs=1,2");
        Path file = encoder(files.resolve("e.onnx"), 1);
        Map<String, String> given = settings(method);
        given.put(setting, file.toString());
        assertTrue(end(study, given, folder).getMessage().startsWith(BEGUN));
        finish(study.plan(null).cells().get(0), given, folder);
        assertEquals(BEGUN + " with 1 cells done", end(study, given, folder).getMessage());

        given.put(setting, Files.copy(file, files.resolve("moved.onnx")).toString());
        assertEquals(BEGUN + " with 1 cells done", end(study, given, folder).getMessage());

        given.put(setting, file.toString());
        encoder(file, 2);
        String message = end(study, given, folder).getMessage();
        assertTrue(message.contains("with other settings (" + setting + " the file with SHA-256 "), message);
    }

    /** Does what the runner does when a cell is done. */
    private static void finish(Cell cell, Map<String, String> given, Path folder) throws IOException {
        Map<String, String> all = new HashMap<>(given);
        all.putAll(cell.settings());
        new StudyFolder(folder)
                .finish(
                        cell,
                        new SettingFiles(List.of()).hashed(all),
                        new CellResult.Measured(0.5, 1, 1, 1, 1, 1, 1, "", Map.of()));
    }

    @Test
    void aFinishedCellBelongsToItsOwnStart() throws IOException {
        Path files = Files.createTempDirectory(dir, "starts");
        Path folder = files.resolve("study");
        Path a = encoder(files.resolve("a.onnx"), 1);
        Path b = encoder(files.resolve("b.onnx"), 2);
        Study study = grid("init=" + a + "," + b);
        Map<String, String> given = settings("epochs=1");
        assertTrue(end(study, given, folder).getMessage().startsWith(BEGUN));
        finish(study.plan(null).cells().get(0), given, folder);
        assertEquals(BEGUN + " with 1 cells done", end(study, given, folder).getMessage());
        encoder(a, 3);
        String message = end(study, given, folder).getMessage();
        assertTrue(message.contains("with other settings (init the file with SHA-256 "), message);
    }

    @Test
    void aStartThatIsMissingIsNamedBeforeTheStudyBegins() {
        Path folder = dir.resolve("missing");
        Exception e = end(grid("epochs=1,2"), settings("init=gone.onnx"), folder);
        assertTrue(e instanceof IllegalArgumentException, e.toString());
        assertEquals("The encoder of the setting init must be an existing file, found gone.onnx", e.getMessage());
        assertFalse(Files.exists(folder));
    }

    @Test
    void foldersAndOtherSettingsAreNotHashed() throws IOException {
        Path files = Files.createTempDirectory(dir, "hashed");
        Path config = Files.writeString(files.resolve("p.json"), "{\"mean\": 0.5}");
        Map<String, String> given = Map.of(
                "teacher-config", config.toString(), "teacher-cache", files.toString(), "views", config.toString());
        Map<String, String> hashed = new SettingFiles(List.of()).hashed(given);
        assertEquals(
                // printf '{"mean": 0.5}' | sha256sum
                Map.of(
                        "teacher-config",
                        "the file with SHA-256 661c74baf8dc261a7501924a7a7da1b1553af4de08d02944209a1ff7a16367b5",
                        "views",
                        config.toString()),
                hashed);
    }

    @Test
    void theConfigurationBesideATeacherCounts() throws IOException {
        Path files = Files.createTempDirectory(dir, "beside");
        Map<String, String> given =
                Map.of("teacher", encoder(files.resolve("t.onnx"), 1).toString());
        Map<String, String> alone = new SettingFiles(List.of()).hashed(given);
        Files.writeString(files.resolve("preprocessor_config.json"), "{\"image_mean\": [0.5, 0.5, 0.5]}");
        Map<String, String> configured = new SettingFiles(List.of()).hashed(given);
        assertNotEquals(alone, configured);
        Files.writeString(files.resolve("preprocessor_config.json"), "{\"image_mean\": [0.4, 0.4, 0.4]}");
        assertNotEquals(configured, new SettingFiles(List.of()).hashed(given));
    }

    @Test
    void aFileThatChangesDuringAStudyIsNoticed() throws IOException {
        Path file = Files.writeString(Files.createTempDirectory(dir, "changes").resolve("t.onnx"), "one");
        Map<String, String> given = Map.of("teacher", file.toString());
        SettingFiles files = new SettingFiles(List.of());
        Map<String, String> first = files.hashed(given);
        files.checkUnchanged(given);
        Files.writeString(file, "two");
        assertEquals(first, files.hashed(given));
        String message = assertThrows(IOException.class, () -> files.checkUnchanged(given))
                .getMessage();
        assertTrue(message.startsWith("The file of the setting teacher has changed since the study began"), message);
    }
}
