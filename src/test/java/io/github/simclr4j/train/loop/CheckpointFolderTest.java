// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.OutputLock;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which checkpoints of a folder stay and which one counts, with damaged ones and strangers among them. */
class CheckpointFolderTest {
    private static final Map<String, String> SETTINGS = Map.of("training.batch", "8");

    @TempDir
    private Path dir;

    private NDManager manager;
    private NDArray tensor;
    private CheckpointFolder folder;

    @BeforeEach
    void open() {
        manager = Torch.engine().newBaseManager();
        tensor = manager.create(new float[] {1, 2, 3});
        folder = new CheckpointFolder(dir);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private void write(int number, int keep) throws IOException {
        folder.write(number, keep, new Checkpoint.State(number, 0, 0.5, 1, 0, 0, 0, SETTINGS), Map.of("t", tensor));
    }

    private Path file(int number) {
        return dir.resolve("step-" + "0".repeat(10 - ("" + number).length()) + number + ".ckpt");
    }

    private void damaged(int number) throws IOException {
        Path good = folder.newest();
        byte[] bytes = Files.readAllBytes(good);
        bytes[bytes.length / 2] ^= 4;
        Files.write(file(number), bytes);
    }

    private int epoch(List<String> warnings) throws IOException {
        return new CheckpointFolder(dir)
                .read(SETTINGS, Map.of("t", tensor), warnings::add)
                .epoch();
    }

    /** A version without small views wrote checkpoints without their number. */
    @Test
    void anOptionThatACheckpointDoesNotKnowMustBeOff() throws IOException {
        write(1, 1);
        for (String off : List.of("0", "0.0", "false")) {
            assertEquals(1, read("training.multi_crop", off).epoch());
        }
        for (String on : List.of("2", "true", "0.5")) {
            IOException e = assertThrows(IOException.class, () -> read("training.multi_crop", on));
            assertTrue(e.getMessage().contains("training.multi_crop was null, is now " + on), e.getMessage());
        }
    }

    private Checkpoint.State read(String key, String value) throws IOException {
        Map<String, String> now = new TreeMap<>(SETTINGS);
        now.put(key, value);
        return new CheckpointFolder(dir).read(now, Map.of("t", tensor), w -> {});
    }

    private List<Integer> numbers() throws IOException {
        return new CheckpointFolder(dir)
                .list().stream()
                        .map(p -> Integer.parseInt(p.getFileName().toString().replaceAll("\\D", "")))
                        .toList();
    }

    @Test
    void aDamagedNewerOneDoesNotTakeThePlaceOfAWholeOne() throws IOException {
        write(10, 1);
        Files.copy(Path.of("test/resources/damaged/step-0000000030.ckpt"), file(30));
        damaged(35);
        Files.write(file(40), new byte[0]);
        Files.write(file(50), new byte[] {1, 2, 3});
        List<String> warnings = new ArrayList<>();
        assertEquals(10, epoch(warnings));
        assertEquals(
                List.of(
                        file(50) + " is damaged, trying the previous one",
                        file(40) + " is damaged, trying the previous one",
                        file(35) + " is damaged, trying the previous one",
                        file(30) + " is damaged, trying the previous one"),
                warnings);
        write(20, 1);
        assertEquals(List.of(20), numbers());
        assertEquals(20, epoch(warnings));
        assertEquals(file(20), new CheckpointFolder(dir).newest());
    }

    @Test
    void aDamagedOlderOneDoesNotTakeThePlaceOfAWholeOne() throws IOException {
        write(10, 3);
        write(20, 3);
        damaged(15);
        // As damage comes about later: of a file that was whole when it was written.
        byte[] bytes = Files.readAllBytes(file(20));
        bytes[bytes.length - 1] ^= 1;
        Files.write(file(20), bytes);
        Files.setLastModifiedTime(file(20), FileTime.fromMillis(1));
        write(30, 2);
        assertEquals(List.of(10, 30), numbers());
    }

    @Test
    void whatIsWrittenStaysEvenBesideNewerOnes() throws IOException {
        write(10, 1);
        write(5, 1);
        assertTrue(Files.exists(file(5)));
        write(12, 3);
        assertEquals(12, epoch(new ArrayList<>()));
    }

    @Test
    void aFolderOrALinkToNothingOfThatNameIsPassedOver() throws IOException {
        Files.createDirectories(file(90).resolve("inner"));
        Files.createSymbolicLink(file(80), dir.resolve("nowhere"));
        assertNull(folder.read(SETTINGS, Map.of("t", tensor), w -> {}));
        write(10, 1);
        write(20, 1);
        assertEquals(List.of(20), numbers());
        assertEquals(20, epoch(new ArrayList<>()));
        IOException e = assertThrows(IOException.class, () -> write(90, 1));
        assertTrue(e.getMessage().contains(file(90) + " is a folder: choose a file"), e.getMessage());
        assertEquals(List.of(20), numbers());
        assertTrue(Files.isDirectory(file(90).resolve("inner")));
        IOException none = assertThrows(IOException.class, () -> Checkpoint.tensors(file(90)));
        assertEquals(file(90) + " is not a complete checkpoint: expected a step-*.ckpt file", none.getMessage());
    }

    @Test
    void whereNoneIsWholeTheNewestIsSaidToBeMissing() throws IOException {
        assertTrue(assertThrows(IOException.class, folder::newest)
                .getMessage()
                .startsWith("No checkpoint in " + dir + ": expected"));
        Files.write(file(1), new byte[100]);
        assertEquals(
                "All checkpoints in " + dir + " are damaged",
                assertThrows(IOException.class, folder::newest).getMessage());
        assertThrows(IOException.class, () -> epoch(new ArrayList<>()));
    }

    @Test
    void aSecondRunInAFolderIsRefusedAndTheFirstOnesFilesStay() throws IOException {
        write(10, 1);
        OutputLock lock = OutputLock.of(dir);
        RunOptions options = RunOptions.checkpoints(dir);
        try (CheckpointPolicy second = new CheckpointPolicy(options, Map.of("t", tensor), Progress.NONE)) {
            IOException e = assertThrows(IOException.class, () -> second.read(SETTINGS));
            assertTrue(e.getMessage().contains("is writing to " + dir), e.getMessage());
        }
        lock.close();
        try (CheckpointPolicy second = new CheckpointPolicy(options, Map.of("t", tensor), Progress.NONE)) {
            assertEquals(10, second.read(SETTINGS).epoch());
        }
        assertEquals(List.of(10), numbers());
        Path made = dir.resolve("made");
        try (CheckpointPolicy p = new CheckpointPolicy(RunOptions.checkpoints(made), Map.of(), Progress.NONE)) {
            assertNull(p.read(SETTINGS));
            assertTrue(Files.exists(made));
        }
        assertFalse(Files.exists(made), "nothing was saved");
    }

    @Test
    void whatAKilledRunLeftHalfWrittenIsDeleted() throws IOException {
        Files.write(dir.resolve(file(7).getFileName() + ".0123456789abcdef.part"), new byte[1000]);
        Files.write(dir.resolve("other.0123456789abcdef.part"), new byte[10]);
        folder.deleteAbandoned();
        try (var left = Files.list(dir)) {
            assertEquals(List.of(dir.resolve("other.0123456789abcdef.part")), left.toList());
        }
    }
}
