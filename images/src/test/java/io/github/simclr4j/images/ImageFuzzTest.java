// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/**
 * Reads damaged and cut files of all formats: each is an image or an IOException within five seconds, and a cut file is not taken for
 * a picture that differs from the whole one. {@code -Dfuzz.images=N} damages and cuts N files altogether each, {@code -Dfuzz.formats}
 * names some of the matrix's archives.
 */
@Tag("slow")
class ImageFuzzTest {
    private static final int SECONDS = 5;
    private static final int IMAGES = Integer.getInteger("fuzz.images", 1500);
    private static final List<String> FORMATS =
            List.of(System.getProperty("fuzz.formats", "").split(","));
    private static final Path FAILED = Path.of("target/fuzz");
    private static final String CLASS_NAME = "(?s).*\\b(javax?|com|org|io)\\.\\w+\\..*|.*(Exception|Error)\\b.*";

    /** A file that can be read. */
    private record Whole(String name, byte[] file, RgbImage image) {}

    @TestFactory
    Stream<DynamicTest> damagedAndCutFilesGiveAnImageOrAnError() {
        List<String> archives = ImageMatrix.archives().stream()
                .filter(a -> FORMATS.equals(List.of("")) || FORMATS.contains(a.replace(".zip", "")))
                .toList();
        return archives.stream()
                .map(archive -> DynamicTest.dynamicTest(archive, () -> {
                    List<Whole> wholes = wholes(archive);
                    assumeTrue(!wholes.isEmpty(), "no file of " + archive + " is read");
                    Run run = new Run(archive, wholes);
                    run.all(Math.max(1, IMAGES / archives.size()));
                }));
    }

    /** The matrix's files of a format that are read, and pictures of the size of photographs. */
    private static List<Whole> wholes(String archive) throws IOException {
        List<Whole> wholes = new ArrayList<>();
        for (ImageMatrix.Row row : ImageMatrix.read(archive)) {
            try {
                wholes.add(new Whole(row.name(), row.file(), Images.read(row.file())));
            } catch (IOException e) {
                // ImageMatrixTest says whether it is right to refuse it.
            }
        }
        String format = archive.replace(".zip", "");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (ImageIO.write(photograph(), format, out)) {
            for (int i = 0; i < 5; i++) {
                wholes.add(new Whole("photograph." + format, out.toByteArray(), Images.read(out.toByteArray())));
            }
        }
        return wholes;
    }

    private static BufferedImage photograph() {
        BufferedImage image = new BufferedImage(500, 375, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(4);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int wave = (int) (127 + 60 * Math.sin(x / 31.0) + 60 * Math.cos(y / 17.0 + x / 90.0));
                image.setRGB(x, y, wave << 16 | (wave * y / 375) << 8 | (random.nextInt(12) + x / 3) & 255);
            }
        }
        return image;
    }

    /** One format's files. */
    private static final class Run {
        private final String archive;
        private final List<Whole> wholes;
        private final Map<String, Integer> outcomes = new TreeMap<>();
        private final List<String> wrong = new ArrayList<>();
        private double slowest;

        Run(String archive, List<Whole> wholes) {
            this.archive = archive;
            this.wholes = wholes;
        }

        void all(int count) throws Exception {
            ExecutorService reader = Executors.newSingleThreadExecutor(task -> {
                Thread t = new Thread(task, "fuzz-reader");
                t.setDaemon(true);
                return t;
            });
            long before = 0;
            try {
                for (int i = 0; i < count; i++) {
                    Whole whole = wholes.get(i % wholes.size());
                    Random random = new Random(31L * i + archive.hashCode());
                    one(reader, "damaged", i, whole, Mutations.mutate(whole.file, random));
                    one(reader, "cut", i, whole, Arrays.copyOf(whole.file, random.nextInt(whole.file.length)));
                    if (i == count / 4) {
                        before = usedMemory();
                    }
                }
            } finally {
                reader.shutdownNow();
            }
            long growth = usedMemory() - before >> 20;
            System.out.printf(
                    "%s: %s; slowest %.2f s, %d MB more heap in use at the end%n", archive, outcomes, slowest, growth);
            assertTrue(wrong.isEmpty(), wrong.size() + " are wrong:\n" + String.join("\n", wrong));
            assertTrue(growth < 32, "the heap has grown by " + growth + " MB");
        }

        private void one(ExecutorService reader, String how, int i, Whole whole, byte[] file) throws Exception {
            Future<RgbImage> future = reader.submit(() -> Images.read(file));
            long start = System.nanoTime();
            String outcome;
            String fault = null;
            try {
                RgbImage image = future.get(SECONDS, TimeUnit.SECONDS);
                boolean same = image.width() == whole.image.width() && Arrays.equals(image.rgb(), whole.image.rgb());
                outcome = same ? "the whole image" : "another image";
                if (how.equals("cut") && !same) {
                    fault = "accepted, and its pixels differ from the whole one's";
                }
            } catch (TimeoutException e) {
                outcome = "too slow";
                fault = "not read after " + SECONDS + " s";
            } catch (ExecutionException e) {
                boolean expected = e.getCause() instanceof IOException;
                String message = String.valueOf(e.getCause().getMessage());
                outcome = !expected
                        ? "crashed"
                        : message.contains("fit into a heap") ? "refused for the heap" : "refused";
                if (!expected || message.lines().count() != 1 || message.matches(CLASS_NAME)) {
                    fault = "thrown " + e.getCause();
                }
            }
            slowest = Math.max(slowest, (System.nanoTime() - start) / 1e9);
            outcomes.merge(how + ": " + outcome, 1, Integer::sum);
            if (fault != null) {
                Path saved = Files.createDirectories(FAILED).resolve(how + "-" + i + "-" + whole.name);
                Files.write(saved, file);
                wrong.add(saved + " (" + file.length + " of " + whole.file.length + " bytes): " + fault);
                assertTrue(!outcome.equals("too slow"), String.join("\n", wrong));
            }
        }

        private static long usedMemory() {
            System.gc();
            return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        }
    }
}
