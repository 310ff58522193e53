// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.teacher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.testing.Pictures;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The features of a teacher that are kept on disk. */
class TeacherFeaturesTest {
    private static final int IMAGES = 40;
    private static final Path FILE = (Path) Small.option("teacher");

    @TempDir
    Path dir;

    private Path cache;
    private Counted source;

    /** Counts which images are read. */
    private static final class Counted implements ImageSource {
        private final ImageSource all;
        private final Set<Integer> read = ConcurrentHashMap.newKeySet();
        private int missing = -1;

        Counted(ImageSource all) {
            this.all = all;
        }

        @Override
        public int size() {
            return all.size();
        }

        @Override
        public String name(int i) {
            return all.name(i);
        }

        @Override
        public RgbImage read(int i, SizeCheck size) throws IOException {
            read.add(i);
            if (i == missing) {
                throw new IOException(name(i) + ": gone");
            }
            return all.read(i, size);
        }

        @Override
        public String fingerprint() throws IOException {
            return all.fingerprint();
        }

        @Override
        public void close() throws IOException {
            all.close();
        }
    }

    @BeforeEach
    void open() throws IOException {
        cache = dir.resolve("cache");
        source = new Counted(ImageSource.open(Pictures.write(dir.resolve("photos"), IMAGES, 48, 40)));
    }

    private TeacherFeatures features(Progress progress) throws IOException {
        try (Teacher teacher = Teacher.open(FILE, null, "cpu", 2, false)) {
            return TeacherFeatures.of(teacher, source, cache, progress);
        }
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all.toString());
            return all.get(0);
        }
    }

    private void assertAllAreRight() throws IOException {
        try (TeacherFeatures features = features(Progress.NONE);
                OnnxEncoder encoder = OnnxEncoder.open(FILE, 1)) {
            for (int i = 0; i < IMAGES; i++) {
                assertArrayEquals(encoder.embed(List.of(source.all.read(i)))[0], features.get(i), "image " + i);
            }
        }
    }

    /** In any order. */
    @Test
    void theyAreThoseOfTheEncoderToTheBit() throws IOException {
        assertAllAreRight();
        try (TeacherFeatures features = features(Progress.NONE)) {
            float[] last = features.get(IMAGES - 1);
            features.get(0);
            assertArrayEquals(last, features.get(IMAGES - 1));
        }
    }

    @Test
    void aSecondRunComputesNothing() throws IOException {
        features(Progress.NONE).close();
        source.read.clear();
        features(Progress.NONE).close();
        assertEquals(Set.of(), source.read);
    }

    @Test
    void whatWasInterruptedGoesOnWithoutComputingARowAgain() throws IOException {
        InterruptedIOException e = assertThrows(
                InterruptedIOException.class,
                () -> features(new Progress() {
                    @Override
                    public void at(long done, String detail) {
                        if (done == 9) {
                            Thread.currentThread().interrupt();
                        }
                    }
                }));
        assertFalse(Thread.interrupted(), "the mark is in the exception");
        assertTrue(e.getMessage().contains(file().toString()), e.getMessage());
        int kept = (int) ((Files.size(file()) - 48) / (4 * (Small.NET.dimension() + 1)));
        assertTrue(kept >= 9 && kept < IMAGES, "" + kept);
        source.read.clear();
        features(Progress.NONE).close();
        for (int i = 0; i < IMAGES; i++) {
            assertEquals(i >= kept, source.read.contains(i), "image " + i);
        }
        assertAllAreRight();
    }

    /** As a kill leaves it, or a disk that has lost a block. */
    @Test
    void rowsThatAreNotWholeAreComputedAgain() throws IOException {
        features(Progress.NONE).close();
        try (RandomAccessFile f = new RandomAccessFile(file().toFile(), "rw")) {
            f.setLength(f.length() - 7);
        }
        source.read.clear();
        features(Progress.NONE).close();
        assertEquals(Set.of(IMAGES - 1), source.read);
        long size = Files.size(file());
        try (RandomAccessFile f = new RandomAccessFile(file().toFile(), "rw")) {
            f.seek(size / 2);
            int b = f.read();
            f.seek(size / 2);
            f.write(b ^ 1);
        }
        assertAllAreRight();
        assertEquals(size, Files.size(file()));
    }

    @Test
    void otherImagesHaveAFileOfTheirOwn() throws IOException {
        features(Progress.NONE).close();
        Path first = file();
        cache = dir.resolve("second");
        source = new Counted(source.all.only(new int[] {0, 1, 2}));
        features(Progress.NONE).close();
        assertNotEquals(first.getFileName(), file().getFileName());
    }

    /** Which of the two a run has depends on its heap. They differ by rounding. */
    @Test
    void featuresWithAndWithoutWinogradsConvolutionsAreKeptApart() throws IOException {
        Path wide = Files.write(
                dir.resolve("wide.onnx"), EncoderExport.untrained(new ResNet(18, 0.5, ResNet.Stem.CIFAR), 32, 9));
        source = new Counted(source.all.only(new int[] {0, 1, 2}));
        boolean differ = false;
        for (boolean winograd : new boolean[] {true, false}) {
            RuntimeSettings runtime = RuntimeSettings.DEFAULT.withThreads(1).withWinograd(winograd);
            try (Teacher teacher = new Teacher(OnnxEncoder.open(wide, EncoderSettings.none(), runtime), "cpu", 1)) {
                differ |= teacher.usesWinograd();
                TeacherFeatures.of(teacher, source, cache, Progress.NONE).close();
            }
        }
        assertEquals(Set.of("amd64", "x86_64").contains(System.getProperty("os.arch")), differ);
        try (Stream<Path> files = Files.list(cache)) {
            assertEquals(differ ? 2 : 1, files.count());
        }
    }

    @Test
    void anImageThatCantBeReadHasNone() throws IOException {
        source.missing = 5;
        try (TeacherFeatures features = features(Progress.NONE)) {
            assertNull(features.get(5));
            assertEquals(Small.NET.dimension(), features.get(6).length);
        }
    }

    /** A lost connection that has come back. */
    @Test
    void imagesThatWereUnreadableAreTriedAgainByTheNextRun() throws IOException {
        source.missing = 5;
        features(Progress.NONE).close();
        source.read.clear();
        features(Progress.NONE).close();
        assertEquals(Set.of(5), source.read, "it is still unreadable");
        source.missing = -1;
        assertAllAreRight();
        source.read.clear();
        features(Progress.NONE).close();
        assertEquals(Set.of(), source.read);
    }

    @Test
    void anInterruptedRunTriesUnreadableImagesAgainAndContinues() throws IOException {
        source.missing = 2;
        assertThrows(
                InterruptedIOException.class,
                () -> features(new Progress() {
                    @Override
                    public void at(long done, String detail) {
                        if (done == 9) {
                            Thread.currentThread().interrupt();
                        }
                    }
                }));
        source.missing = -1;
        assertAllAreRight();
    }

    @Test
    void twoRunsDoNotComputeTheSameAtOnce() throws IOException {
        String message = assertThrows(
                        UncheckedIOException.class,
                        () -> features(new Progress() {
                            @Override
                            public void start(String task, long total) {
                                try {
                                    features(Progress.NONE).close();
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e.getMessage(), e);
                                }
                            }
                        }))
                .getMessage();
        assertTrue(message.matches("This process is writing to .*\\.features: wait until it has ended.*"), message);
    }

    @Test
    void withoutAFolderNothingStays() throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        cache = null;
        long before = count(temporary);
        try (TeacherFeatures features = features(Progress.NONE)) {
            assertEquals(Small.NET.dimension(), features.get(0).length);
        }
        assertEquals(before, count(temporary));
    }

    private static long count(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("simclr-teacher"))
                    .count();
        }
    }
}
