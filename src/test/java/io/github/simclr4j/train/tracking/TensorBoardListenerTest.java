// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.UnknownFieldSet;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.loop.Runs;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Interrupt;
import io.github.simclr4j.train.testing.Small;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event files, read by their formats' descriptions and by TensorBoard itself. */
class TensorBoardListenerTest {
    @TempDir
    Path dir;

    private void write(int from, int to) throws IOException {
        TensorBoardListener listener = new TensorBoardListener(dir);
        listener.runStarted(Told.run(from));
        for (int epoch = from + 1; epoch <= to; epoch++) {
            listener.epochFinished(Told.epoch(epoch));
        }
        listener.runEnded(null);
    }

    @Test
    void everyEpochHasItsFigures() throws IOException {
        write(0, 3);
        List<Path> files = EventFiles.below(dir);
        assertEquals(1, files.size());
        assertEquals(
                "mocov2-2026-11-29T06-38-12.345678Z",
                dir.relativize(files.get(0)).getName(0).toString());
        List<UnknownFieldSet> events = EventFiles.read(Files.readAllBytes(files.get(0)));
        assertEquals(5, events.size());
        assertEquals(
                "brain.Event:2",
                events.get(0).getField(3).getLengthDelimitedList().get(0).toStringUtf8());
        double seconds = Double.longBitsToDouble(
                events.get(0).getField(1).getFixed64List().get(0));
        assertEquals(System.currentTimeMillis() / 1000.0, seconds, 60);

        UnknownFieldSet value = EventFiles.values(events.get(1)).get(0);
        assertEquals("train/views", EventFiles.tag(value));
        UnknownFieldSet image = EventFiles.message(value, 4);
        assertEquals(List.of(5L), image.getField(1).getVarintList());
        assertEquals(List.of(7L), image.getField(2).getVarintList());
        BufferedImage picture = ImageIO.read(new ByteArrayInputStream(
                image.getField(4).getLengthDelimitedList().get(0).toByteArray()));
        assertEquals(0xff123456, picture.getRGB(3, 2));

        for (int epoch = 1; epoch <= 3; epoch++) {
            UnknownFieldSet event = events.get(1 + epoch);
            assertEquals(epoch, EventFiles.step(event));
            Map<String, Float> scalars = EventFiles.scalars(event);
            assertEquals(4.0 / epoch, scalars.get("train/loss"), 1e-6);
            assertEquals(0.1 * epoch, scalars.get("train/learning_rate"), 1e-7);
            assertEquals(3, scalars.get("train/code_use"));
            // What was not measured is missing: no zero, and no NaN.
            assertEquals(epoch == 2, scalars.containsKey("eval/knn"));
            assertTrue(scalars.containsKey("train/top1") && !scalars.containsKey("train/top5"), scalars.toString());
        }
    }

    @Test
    void whatIsWrittenSoFarCanBeReadWhereverItIsCutOff() throws IOException {
        write(0, 2);
        byte[] whole = Files.readAllBytes(EventFiles.below(dir).get(0));
        int before = -1;
        for (int length = 0; length <= whole.length; length++) {
            int events = EventFiles.read(Arrays.copyOf(whole, length)).size();
            assertTrue(events >= before && events <= before + 1);
            before = events;
        }
        assertEquals(4, before);
    }

    @Test
    void aRecordThatAFullDiskCutsOffIsTakenBack() throws IOException {
        try (FileSystem disk = Jimfs.newFileSystem(Configuration.unix().toBuilder()
                .setMaxSize(64 * 1024)
                .setBlockSize(512)
                .build())) {
            Path path = disk.getPath("/events");
            byte[] record = new byte[9_000];
            int written = 0;
            try (RecordFile file = new RecordFile(path)) {
                IOException e = null;
                while (e == null && written < 100) {
                    try {
                        file.add(record);
                        written++;
                    } catch (IOException full) {
                        e = full;
                    }
                }
                assertTrue(written > 0 && written < 100, "" + written);
                assertTrue(e.getMessage().startsWith("Can't write /events: "), e.getMessage());
                assertEquals(written * (9_000L + 16), Files.size(path));
                file.add(new byte[3]);
            }
            assertEquals(written * (9_000L + 16) + 19, Files.size(path));
        }
    }

    @Test
    void anExistingFileIsNotTouched() throws IOException {
        Path file = Files.writeString(dir.resolve("f"), "mine");
        assertThrows(IOException.class, () -> new RecordFile(file));
        assertEquals("mine", Files.readString(file));
    }

    @Test
    @Tag("slow")
    void aTrainingThatIsInterruptedAndContinuedHasEveryEpochOnce() throws IOException {
        ImageSet images = Small.labelled(32);
        PretrainSettings settings = Small.build(Small.settings("simclr", "sgd", 0.05, 8, 3));
        RunOptions options =
                RunOptions.checkpoints(dir.resolve("state")).withListener(new TensorBoardListener(dir.resolve("tb")));
        assertThrows(
                InterruptedIOException.class,
                () -> new EncoderTrainer(settings, "cpu", 1, Interrupt.after(6)).run(images, options));
        EncoderTrainer.Result result = Runs.run(settings, images, options);
        // A third run has nothing left to do, and writes nothing.
        Runs.run(settings, images, options);
        List<Path> files = EventFiles.below(dir.resolve("tb"));
        assertEquals(2, files.size());
        assertEquals(files.get(0).getParent(), files.get(1).getParent());
        List<Long> steps = new ArrayList<>();
        float loss = 0;
        for (Path file : files) {
            List<UnknownFieldSet> events = EventFiles.read(Files.readAllBytes(file));
            for (UnknownFieldSet event : events) {
                Map<String, Float> scalars = EventFiles.scalars(event);
                if (!scalars.isEmpty()) {
                    steps.add(EventFiles.step(event));
                    loss = scalars.get("train/loss");
                }
            }
            BufferedImage views = views(events);
            assertTrue(views.getWidth() > 1000 && views.getHeight() > 600, views.toString());
        }
        assertEquals(List.of(1L, 2L, 3L), steps);
        assertEquals(result.finalLoss(), loss, 1e-5);
    }

    private static BufferedImage views(List<UnknownFieldSet> events) throws IOException {
        for (UnknownFieldSet event : events) {
            for (UnknownFieldSet value : EventFiles.values(event)) {
                if (value.hasField(4)) {
                    return ImageIO.read(new ByteArrayInputStream(EventFiles.message(value, 4)
                            .getField(4)
                            .getLengthDelimitedList()
                            .get(0)
                            .toByteArray()));
                }
            }
        }
        throw new AssertionError("no picture");
    }

    /** Runs where a Python has the package tensorboard: {@code -Dsimclr.tensorboard.python=FILE}, or python3 of the path. */
    @Test
    @Tag("slow")
    void tensorBoardReadsTheSameFigures() throws Exception {
        String python = System.getProperty("simclr.tensorboard.python", "python3");
        assumeTrue(
                runs(python, "-c", "import tensorboard.backend.event_processing.event_accumulator"),
                "no tensorboard in " + python
                        + ": pip install tensorboard, or name another Python by -Dsimclr.tensorboard.python");
        write(0, 4);
        // Epoch 4 is done again: what the run wrote of it before is taken back.
        write(3, 6);
        Path script = dir.resolve("read.py");
        Files.writeString(script, """
                import json, sys
                from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
                a = EventAccumulator(sys.argv[1])
                a.Reload()
                tags = a.Tags()
                print(json.dumps({
                    "scalars": {t: [[e.step, e.value] for e in a.Scalars(t)] for t in tags["scalars"]},
                    "images": {t: [[e.step, e.width, e.height, e.encoded_image_string[:4].hex()] for e in a.Images(t)]
                               for t in tags["images"]}}))
                """);
        Process process = new ProcessBuilder(
                        python,
                        script.toString(),
                        EventFiles.below(dir).get(0).getParent().toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor());
        JsonObject read = JsonParser.parseString(text).getAsJsonObject();
        JsonObject scalars = read.getAsJsonObject("scalars");
        assertEquals(
                Set.of(
                        "train/loss",
                        "train/learning_rate",
                        "train/top1",
                        "train/alignment",
                        "train/uniformity",
                        "train/spread",
                        "train/effective_rank",
                        "train/views_per_second",
                        "train/code_use",
                        "eval/knn"),
                scalars.keySet());
        JsonArray loss = scalars.getAsJsonArray("train/loss");
        assertEquals(6, loss.size());
        for (int i = 0; i < 6; i++) {
            assertEquals(i + 1, loss.get(i).getAsJsonArray().get(0).getAsInt());
            assertEquals(4.0 / (i + 1), loss.get(i).getAsJsonArray().get(1).getAsDouble(), 1e-6);
        }
        assertEquals(3, scalars.getAsJsonArray("eval/knn").size());
        JsonArray image = read.getAsJsonObject("images")
                .getAsJsonArray("train/views")
                .get(0)
                .getAsJsonArray();
        assertEquals("[0,7,5,\"89504e47\"]", image.toString());
    }

    private static boolean runs(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
