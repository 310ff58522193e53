// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import io.github.simclr4j.tribuo.source.OnUnreadable;
import java.io.DataInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;

class FeatureCacheTest {
    private static final String ENCODER = "e".repeat(64);
    private static final long MIB = 1 << 20;

    @TempDir
    Path dir;

    private static String key(int n) {
        return String.format("%064x", new BigInteger("12345678901").pow(6).add(BigInteger.valueOf(n)));
    }

    private static float[] features(int n, int dimension) {
        float[] f = new float[dimension];
        for (int i = 0; i < dimension; i++) {
            f[i] = n + i / 1024f;
        }
        return f;
    }

    private static List<Path> entries(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void aSecondPassRunsNoInferenceAndGivesTheSame() throws IOException {
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        Path images = Fixture.images(dir.resolve("images"), 4, 2);
        Path folder = dir.resolve("cache");
        List<Example<Label>> first;
        try (Pass pass = new Pass(encoder, folder)) {
            first = pass.read(images);
            assertEquals(12, pass.recorder.encoded());
        }
        try (Pass pass = new Pass(encoder, folder)) {
            assertEquals(first, pass.read(images));
            assertEquals(0, pass.recorder.encoded());
            assertEquals(12, pass.cache.stats().hits());
            assertEquals(0, pass.recorder.calls.get(0).decodeNanos(), "nor is anything decoded");
            assertEquals(12, pass.recorder.calls.get(0).cached());
        }
        // By content: a copy is known, a changed file of the same name is not, nor is any by another encoder.
        Files.copy(images.resolve("red/0.png"), images.resolve("red/copy.png"));
        Files.copy(images.resolve("red/2.png"), images.resolve("red/1.png"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(
                Fixture.images(dir.resolve("other"), 1, 9).resolve("red/0.png"),
                images.resolve("red/3.png"),
                StandardCopyOption.REPLACE_EXISTING);
        try (Pass pass = new Pass(encoder, folder)) {
            assertEquals(13, pass.read(images).size());
            assertEquals(1, pass.recorder.encoded());
        }
        try (Pass pass = new Pass(Fixture.encoder(dir.resolve("encoder2.onnx"), 2), folder)) {
            pass.read(images);
            assertEquals(13, pass.recorder.encoded());
        }
    }

    /** An extractor with a cache, and a count of what it does. */
    private static final class Pass implements AutoCloseable {
        final SimCLRFeatureExtractorTest.Recorder recorder = new SimCLRFeatureExtractorTest.Recorder();
        final FeatureCache cache;
        final SimCLRFeatureExtractor<Label> extractor;

        Pass(Path encoder, Path folder) {
            cache = new FeatureCache(folder, 10 * MIB);
            extractor = new SimCLRFeatureExtractor<>(
                    Fixture.LABELS, encoder, EncoderSettings.none(), RuntimeSettings.DEFAULT.withThreads(1), cache);
            extractor.setListener(recorder);
        }

        List<Example<Label>> read(Path images) {
            List<Example<Label>> examples = new ArrayList<>();
            new ImageFolderDataSource<>(images, extractor, OnUnreadable.FAIL).forEach(examples::add);
            return examples;
        }

        @Override
        public void close() {
            extractor.close();
        }
    }

    @Test
    void pixelsAreKnownByTheirContentToo() throws IOException {
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        try (Pass pass = new Pass(encoder, dir.resolve("cache"))) {
            byte[] rgb = new byte[3 * 16 * 20];
            new Random(1).nextBytes(rgb);
            RgbImage wide = new RgbImage(20, 16, rgb);
            double[][] expected = pass.extractor.features(List.of(wide));
            assertArrayEquals(expected, pass.extractor.features(List.of(wide)));
            assertEquals(1, pass.recorder.encoded());
            pass.extractor.features(List.of(new RgbImage(16, 20, rgb)));
            assertEquals(2, pass.recorder.encoded(), "the same bytes in another shape");
        }
    }

    @Test
    void anEntryIsWhatTheDocumentationSays() throws IOException {
        FeatureCache cache = new FeatureCache(dir, MIB);
        cache.put(ENCODER, key(1), new float[] {1.5f, -2});
        Path file = dir.resolve("v1")
                .resolve(ENCODER)
                .resolve(key(1).substring(0, 2))
                .resolve(key(1));
        byte[] bytes = Files.readAllBytes(file);
        try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
            assertEquals("SC4F", new String(in.readNBytes(4)));
            assertEquals(1, in.readInt());
            assertEquals(2, in.readInt());
            assertEquals(ENCODER, HexFormat.of().formatHex(in.readNBytes(32)));
            assertEquals(key(1), HexFormat.of().formatHex(in.readNBytes(32)));
            assertEquals(1.5f, in.readFloat());
            assertEquals(-2f, in.readFloat());
            CRC32C crc = new CRC32C();
            crc.update(bytes, 0, bytes.length - 4);
            assertEquals((int) crc.getValue(), in.readInt());
            assertEquals(-1, in.read());
        }
        assertEquals(List.of(file), entries(dir), "and nothing else is left");
    }

    @Test
    void everyDamageIsFoundAndMadeGood() throws IOException {
        FeatureCache cache = new FeatureCache(dir, MIB);
        cache.put(ENCODER, key(1), features(1, 8));
        Path file = entries(dir).get(0);
        byte[] good = Files.readAllBytes(file);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= (byte) (1 << i % 8);
            Files.write(file, bad);
            assertNull(cache.get(ENCODER, key(1), 8), "byte " + i);
            Files.write(file, Arrays.copyOf(good, i));
            assertNull(cache.get(ENCODER, key(1), 8), "cut to " + i);
        }
        Files.write(file, Arrays.copyOf(good, good.length + 1));
        assertNull(cache.get(ENCODER, key(1), 8));
        assertEquals(2 * good.length + 1, cache.stats().corrupt());
        Files.write(file, good);
        assertNull(cache.get(ENCODER, key(1), 9), "another dimension");
        assertArrayEquals(features(1, 8), cache.get(ENCODER, key(1), 8));
        // A whole entry in the place of another.
        Files.createDirectories(dir.resolve("v1/" + ENCODER + "/" + key(2).substring(0, 2)));
        Files.write(dir.resolve("v1/" + ENCODER + "/" + key(2).substring(0, 2) + "/" + key(2)), good);
        assertNull(cache.get(ENCODER, key(2), 8));
        cache.put(ENCODER, key(2), features(2, 8));
        assertArrayEquals(features(2, 8), cache.get(ENCODER, key(2), 8));
    }

    @Test
    void whatWasNotUsedForLongestGoes() throws IOException {
        FeatureCache cache = new FeatureCache(dir, MIB);
        // An entry takes one block of 4 KiB: 256 of them fill a MiB.
        for (int i = 0; i < 200; i++) {
            cache.put(ENCODER, key(i), features(i, 512));
        }
        Instant anHourAgo = Instant.now().minus(Duration.ofHours(1));
        for (Path entry : entries(dir)) {
            Files.setLastModifiedTime(entry, FileTime.from(anHourAgo));
        }
        for (int i = 0; i < 50; i++) {
            assertNotNull(cache.get(ENCODER, key(i), 512));
        }
        for (int i = 200; i < 300; i++) {
            cache.put(ENCODER, key(i), features(i, 512));
        }
        assertTrue(entries(dir).size() <= 256, entries(dir).size() + " entries");
        assertTrue(cache.stats().evicted() >= 44, cache.stats().toString());
        for (int i = 0; i < 50; i++) {
            assertNotNull(cache.get(ENCODER, key(i), 512), "used lately: " + i);
        }
        for (int i = 200; i < 300; i++) {
            assertNotNull(cache.get(ENCODER, key(i), 512), "new: " + i);
        }
        // Another process' cache counts what is there already, and a killed one's half-written file goes.
        Path part = Files.write(entries(dir).get(0).resolveSibling("x.part"), new byte[10]);
        Files.setLastModifiedTime(part, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        FeatureCache other = new FeatureCache(dir, MIB);
        for (int i = 300; i < 400; i++) {
            other.put(ENCODER, key(i), features(i, 512));
        }
        assertTrue(entries(dir).size() <= 256, entries(dir).size() + " entries");
        assertTrue(Files.notExists(part));
    }

    @Test
    void twoJvmsMayWriteAtOnce() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Writer.class.getName(),
                            dir.toString(),
                            "" + i)
                    .redirectErrorStream(true)
                    .start());
        }
        for (Process p : processes) {
            String output = new String(p.getInputStream().readAllBytes());
            assertEquals(0, p.waitFor(), output);
            assertTrue(output.contains("corrupt=0, failedWrites=0"), output);
        }
        FeatureCache cache = new FeatureCache(dir, MIB);
        List<Path> entries = entries(dir);
        assertTrue(entries.size() <= 256 * 9 / 8, entries.size() + " entries");
        int found = 0;
        for (int n = 0; n < 400; n++) {
            float[] f = cache.get(ENCODER, key(n), 64);
            if (f != null) {
                assertArrayEquals(features(n, 64), f);
                found++;
            }
        }
        assertEquals(entries.size(), found, "nothing half-written is left");
        assertEquals(0, cache.stats().corrupt());
    }

    /** Reads and writes the same 400 entries in its own order, in a cache that is too small for them. */
    static final class Writer {
        public static void main(String[] args) {
            FeatureCache cache = new FeatureCache(Path.of(args[0]), MIB);
            Random random = new Random(Long.parseLong(args[1]));
            for (int i = 0; i < 1500; i++) {
                int n = random.nextInt(400);
                float[] f = cache.get(ENCODER, key(n), 64);
                if (f == null) {
                    cache.put(ENCODER, key(n), features(n, 64));
                } else if (!Arrays.equals(f, features(n, 64))) {
                    throw new IllegalStateException("Entry " + n + " is wrong");
                }
            }
            System.out.println(cache.stats());
        }
    }

    @Test
    void aFullDiskCostsSpeedAlone() throws IOException {
        Path encoder = Fixture.encoder(dir.resolve("encoder.onnx"), 1);
        Path images = Fixture.images(dir.resolve("images"), 4, 2);
        List<Example<Label>> expected;
        try (SimCLRFeatureExtractor<Label> plain = new SimCLRFeatureExtractor<>(Fixture.LABELS, encoder, 1)) {
            expected = new MutableDataset<>(new ImageFolderDataSource<>(images, plain)).getData();
        }
        try (FileSystem disk = Jimfs.newFileSystem(Configuration.unix().toBuilder()
                .setBlockSize(64)
                .setMaxSize(64 * 14)
                .build())) {
            Path folder = disk.getPath("/cache");
            try (Pass pass = new Pass(encoder, folder)) {
                assertEquals(expected, pass.read(images));
                assertTrue(
                        pass.cache.stats().failedWrites() > 0,
                        pass.cache.stats().toString());
                assertTrue(pass.cache.stats().failedWrites() < 12, "some fit: " + pass.cache.stats());
            }
            try (Pass pass = new Pass(encoder, folder)) {
                assertEquals(expected, pass.read(images));
                assertEquals(12 - pass.recorder.encoded(), pass.cache.stats().hits());
                assertTrue(pass.cache.stats().hits() > 0 && pass.cache.stats().corrupt() == 0);
                assertTrue(entries(folder).stream().noneMatch(f -> f.toString().endsWith(".part")));
            }
        }
    }

    @Test
    void aFolderThatCannotBeWrittenCostsSpeedAlone() throws IOException {
        FeatureCache cache = new FeatureCache(dir.resolve("cache"), MIB);
        cache.put(ENCODER, key(1), features(1, 4));
        // In the place of the entries' folder there is a file: whoever runs the test, it can't be written to.
        Files.writeString(dir.resolve("cache/v1/" + "f".repeat(64)), "in the way");
        cache.put("f".repeat(64), key(1), features(1, 4));
        assertNull(cache.get("f".repeat(64), key(1), 4));
        assertEquals(1, cache.stats().failedWrites());
        assertArrayEquals(features(1, 4), cache.get(ENCODER, key(1), 4));

        Path file = Files.writeString(dir.resolve("file"), "no folder");
        for (Path bad : List.of(file, file.resolve("below"))) {
            PropertyException e = assertThrows(PropertyException.class, () -> new FeatureCache(bad, MIB));
            assertTrue(e.getMessage().contains(bad.toString()), e.getMessage());
        }
        assertThrows(PropertyException.class, () -> new FeatureCache(dir, 100));
        assertEquals("no folder", Files.readString(file));
    }
}
