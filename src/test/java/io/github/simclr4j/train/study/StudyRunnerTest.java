// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.util.Progress;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Studies of tiny networks on drawn images. */
@Tag("slow")
class StudyRunnerTest {
    private static final Map<String, String> TINY =
            Map.of("width", "0.0625", "image-size", "16", "batch", "16", "precision", "float32");
    private static final StudyMachine CPU = new StudyMachine("cpu", 1, 0, 0, RuntimeSettings.DEFAULT.withThreads(1));

    @TempDir
    static Path dir;

    private static ImageSource images;
    private static ImageSource train;
    private static ImageSource test;
    private static ImageSource bare;

    private final List<String> lines = new ArrayList<>();

    @BeforeAll
    static void draw() throws IOException {
        for (String name : new String[] {"images", "train", "test"}) {
            BuiltInImages.write(dir.resolve(name), name.equals("test") ? 3 : 5, name.hashCode());
        }
        images = ImageSource.open(dir.resolve("images"));
        train = ImageSource.open(dir.resolve("train"));
        test = ImageSource.open(dir.resolve("test"));
        bare = ImageSource.open(dir.resolve("images/disc"));
    }

    @AfterAll
    static void close() throws IOException {
        for (ImageSource s : List.of(images, train, test, bare)) {
            s.close();
        }
    }

    private static Map<String, String> tiny(String... more) {
        Map<String, String> all = new HashMap<>(TINY);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    private static Study grid(String... axes) {
        return new GridStudy(List.of(axes).stream().map(Axis::parse).toList());
    }

    private StudyRunner runner(Study study, Map<String, String> given, ImageSource learned, Path folder) {
        StudyImages sets = new StudyImages(
                learned,
                new LabelledImages(dir.resolve("train"), train),
                new LabelledImages(dir.resolve("test"), test));
        return new StudyRunner(study, Map.of(), given, sets, folder)
                .machine(CPU)
                .progress(new Progress() {
                    @Override
                    public void line(String text) {
                        lines.add(text);
                    }

                    @Override
                    public void warn(String text) {
                        lines.add(text);
                    }
                });
    }

    private static List<CSVRecord> table(Path file) throws IOException {
        try (CSVParser csv = CSVParser.parse(
                Files.readString(file),
                CSVFormat.DEFAULT
                        .builder()
                        .setHeader()
                        .setSkipHeaderRecord(true)
                        .get())) {
            return csv.getRecords();
        }
    }

    @Test
    void eachCellIsTrainedMeasuredAndWritten() throws IOException {
        Path out = dir.resolve("whole");
        List<Integer> told = new ArrayList<>();
        StudyResult result = runner(
                        grid("temperature=0.1,1", "width=0.0625,0.125"),
                        removed("width", tiny("epochs", "1")),
                        images,
                        out)
                .listener(soFar -> told.add(soFar.done()))
                .run();

        assertEquals(List.of(0, 1, 2, 3, 4), told);
        List<CSVRecord> rows = table(out.resolve("grid.csv"));
        assertEquals(
                List.of(
                        "temperature",
                        "width",
                        "accuracy",
                        "final_loss",
                        "parameters",
                        "dimension",
                        "epochs",
                        "steps",
                        "state",
                        "failure"),
                rows.get(0).getParser().getHeaderNames());
        assertEquals(4, rows.size());
        for (int i = 0; i < 4; i++) {
            CSVRecord row = rows.get(i);
            CellResult.Measured m = result.cells().get(i).measured();
            assertEquals(List.of("0.1", "0.1", "1", "1").get(i), row.get("temperature"));
            assertEquals(i % 2 == 0 ? "32" : "64", row.get("dimension"), "512 channels times the width");
            assertEquals("done", row.get("state"));
            assertEquals(m.accuracy(), Double.parseDouble(row.get("accuracy")), 1e-6);
            // 50 images are three batches of 16; the rest is dropped.
            assertEquals("3", row.get("steps"));
            Path encoder = out.resolve(result.cells().get(i).cell().folder()).resolve("encoder.onnx");
            assertEquals(m.encoder(), Sha256.hex(Files.readAllBytes(encoder)));
            assertEquals(
                    row.get("temperature"),
                    m.training().get("training.temperature").replace(".0", ""));
            assertFalse(Files.exists(encoder.resolveSibling("checkpoint")), "it is of no more use");
        }
        JsonObject json = JsonParser.parseString(Files.readString(out.resolve("grid.json")))
                .getAsJsonObject();
        assertEquals(50, json.getAsJsonObject("images").get("train").getAsInt());
        assertEquals(
                result.cells().get(2).measured().accuracy(),
                json.getAsJsonArray("cells")
                        .get(2)
                        .getAsJsonObject()
                        .get("accuracy")
                        .getAsDouble());
        assertTrue(Long.parseLong(rows.get(1).get("parameters"))
                > 3 * Long.parseLong(rows.get(0).get("parameters")));
        assertTrue(
                lines.stream().anyMatch(l -> l.matches("cell 2 of 4 \\(temperature 0.1, width 0.125\\): .*%, .*")),
                lines.toString());
        assertEquals(
                result.best().orElseThrow().measured().accuracy(),
                result.cells().stream()
                        .mapToDouble(c -> c.measured().accuracy())
                        .max()
                        .orElseThrow());
    }

    private static Map<String, String> removed(String name, Map<String, String> settings) {
        settings.remove(name);
        return settings;
    }

    @Test
    void theFeaturesBehindTheHeadAreProjections() throws IOException {
        Path out = dir.resolve("heads");
        StudyResult result = runner(grid("keep-head=0,2"), tiny("epochs", "1", "projection", "24"), images, out)
                .run();
        assertEquals(32, result.cells().get(0).measured().dimension());
        assertEquals(24, result.cells().get(1).measured().dimension());
        RgbImage image = images.read(0);
        float[][] features = new float[2][];
        for (int i = 0; i < 2; i++) {
            Path file = out.resolve(result.cells().get(i).cell().folder()).resolve("encoder.onnx");
            try (OnnxEncoder encoder = OnnxEncoder.open(file, 1)) {
                features[i] = encoder.embed(List.of(image))[0];
            }
        }
        assertEquals(32, features[0].length);
        assertEquals(24, features[1].length);
    }

    @Test
    void anInterruptedStudyContinuesInItsCellAndEndsWithTheSameTable() throws IOException {
        Study study = grid("temperature=0.1,0.5,1");
        Path whole = dir.resolve("uninterrupted");
        runner(study, tiny("epochs", "3"), images, whole).run();

        Path out = dir.resolve("interrupted");
        StudyRunner first = runner(study, tiny("epochs", "3"), images, out).progress(new Progress() {
            private int cell;

            @Override
            public void line(String text) {
                cell += text.matches("cell \\d of 3 .*\\)") ? 1 : 0;
                if (cell == 2 && text.contains("epoch 1")) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        InterruptedIOException e = assertThrows(InterruptedIOException.class, first::run);
        assertTrue(e.getMessage().startsWith("interrupted in cell 2 of 3 (temperature 0.5)"), e.getMessage());
        assertFalse(Thread.interrupted(), "the interrupt was answered");
        assertEquals(
                List.of("done", "open", "open"),
                table(out.resolve("grid.csv")).stream().map(r -> r.get("state")).toList());
        Path done = out.resolve(first.plan().cells().get(0).folder()).resolve("encoder.onnx");
        Object before = Files.getLastModifiedTime(done);

        runner(study, tiny("epochs", "3"), images, out).run();
        assertEquals(Files.readString(whole.resolve("grid.csv")), Files.readString(out.resolve("grid.csv")));
        assertEquals(before, Files.getLastModifiedTime(done), "the first cell is not trained again");
        assertTrue(lines.contains("1 of 3 cells were already done"), lines.toString());
        assertTrue(lines.stream().anyMatch(l -> l.contains("continu") || l.contains("resum")), lines.toString());
    }

    /** The progress of the last epoch interrupts; the encoder is written, and measuring it notices. */
    @Test
    void aStudyThatIsInterruptedInTheLastEpochOfACellStopsAndContinues() throws IOException {
        Study study = grid("temperature=0.1,0.5");
        Path whole = dir.resolve("not-interrupted");
        runner(study, tiny("epochs", "2"), images, whole).run();

        Path out = dir.resolve("interrupted-late");
        for (int cell = 1; cell <= 2; cell++) {
            StudyRunner late = runner(study, tiny("epochs", "2"), images, out).progress(new Progress() {
                @Override
                public void line(String text) {
                    if (text.contains("epoch 2")) {
                        Thread.currentThread().interrupt();
                    }
                }
            });
            InterruptedIOException e = assertThrows(InterruptedIOException.class, late::run);
            assertTrue(e.getMessage().startsWith("interrupted in cell " + cell + " of 2"), e.getMessage());
            assertFalse(Thread.interrupted(), "the interrupt was answered");
        }
        runner(study, tiny("epochs", "2"), images, out).run();
        assertEquals(Files.readString(whole.resolve("grid.csv")), Files.readString(out.resolve("grid.csv")));
    }

    @Test
    void aCellThatFailsIsReportedAndTheRestGoesOn() throws IOException {
        Path out = dir.resolve("failing");
        StudyResult result = runner(
                        grid("method=supervised,simclr", "learning-rate=0.001,1e30"),
                        tiny("epochs", "2", "batch", "4", "optimizer", "sgd", "clip", "0"),
                        bare,
                        out)
                .run();
        assertEquals(
                List.of("failed", "failed", "done", "failed"),
                result.cells().stream().map(CellResult::state).toList());
        assertTrue(
                result.cells().get(0).failure().contains("needs a label for each image"),
                result.cells().get(0).failure());
        assertNotNull(result.cells().get(3).failure());
        List<CSVRecord> rows = table(out.resolve("grid.csv"));
        assertEquals(
                List.of("failed", "failed", "done", "failed"),
                rows.stream().map(r -> r.get("state")).toList());
        assertEquals("", rows.get(3).get("accuracy"));
        assertEquals(result.cells().get(3).failure(), rows.get(3).get("failure"));
    }

    @Test
    void anotherStudyOrOtherSettingsAreRefused() throws IOException {
        Path out = dir.resolve("settings");
        runner(grid("temperature=0.1"), tiny("epochs", "1"), images, out).run();
        IOException e =
                assertThrows(IOException.class, runner(grid("temperature=0.1"), tiny("epochs", "2"), images, out)::run);
        assertTrue(
                e.getMessage().contains("with other settings (epochs 1, now 2): choose another folder"),
                e.getMessage());
        e = assertThrows(IOException.class, runner(grid("temperature=0.1"), tiny("epochs", "1"), bare, out)::run);
        assertTrue(e.getMessage().contains("images "), e.getMessage());
        e = assertThrows(IOException.class, runner(new LossStudy(), tiny("epochs", "1"), images, out)::run);
        assertTrue(e.getMessage().contains("holds the study grid, not losses"), e.getMessage());

        // More values are more cells of the same study.
        StudyResult more = runner(grid("temperature=0.1,0.2"), tiny("epochs", "1"), images, out)
                .run();
        assertEquals(2, more.done());
        assertTrue(lines.contains("1 of 2 cells were already done"), lines.toString());

        Files.writeString(out.resolve("study.json"), "{");
        e = assertThrows(IOException.class, runner(grid("temperature=0.1"), tiny("epochs", "1"), images, out)::run);
        assertTrue(e.getMessage().contains("study.json"), e.getMessage());
    }

    @Test
    void settingsThatCanNotBeAreRefusedBeforeAnythingBegins() {
        Path out = dir.resolve("refused");
        assertEquals(
                "The study temperature sets the setting temperature itself: leave it out",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> runner(new TemperatureStudy(), tiny("temperature", "1"), images, out))
                        .getMessage());
        for (String[] c : new String[][] {
            {"temperature=0.1", "queue", "64", "No cell of the study grid has the setting queue"},
            {"colour=red", "epochs", "1", "has no setting colour"},
            {"temperature=warm", "epochs", "1", "temperature must be above 0"},
            {"clip=many", "epochs", "1", "The setting clip must be a number, found many"},
            {"temperature=0.1", "epochs", "0", "Epochs must be at least 1"}
        }) {
            String message = assertThrows(
                            IllegalArgumentException.class, runner(grid(c[0]), tiny(c[1], c[2]), images, out)::run)
                    .getMessage();
            assertTrue(message.contains(c[3]), message);
        }
        assertFalse(Files.exists(out));
    }

    @Test
    void trainingsAreShortUnlessOtherwiseSaid() {
        Path out = dir.resolve("short");
        assertEquals("10", runner(new LossStudy(), tiny(), images, out).given().get("epochs"));
        assertEquals(
                "3",
                runner(new LossStudy(), tiny("epochs", "3"), images, out)
                        .given()
                        .get("epochs"));
        assertFalse(runner(grid("epochs=1,2"), tiny(), images, out).given().containsKey("epochs"));
    }

    @Test
    void aSettingThatSomeCellsHaveIsTheirs() throws IOException {
        StudyResult result = runner(
                        grid("method=simclr,mocov2"), tiny("epochs", "1", "queue", "64"), images, dir.resolve("some"))
                .run();
        assertEquals(2, result.done());
        assertEquals("64", result.cells().get(1).measured().training().get("training.queue"));
        assertFalse(result.cells().get(0).measured().training().containsKey("training.queue"));
    }
}
