// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.images.source.Samples;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The median of the shorter sides of some images. */
class ImageSizesTest {
    @TempDir
    Path dir;

    private static OptionalInt median(Path set) throws IOException {
        try (ImageSource source = ImageSource.open(set)) {
            return ImageSizes.medianShortSide(source);
        }
    }

    private void write(String name, int width, int height) throws IOException {
        Samples.write(dir.resolve("set").resolve(name), Samples.png(1, width, height));
    }

    @Test
    void halfOfTheImagesAreAtLeastSoLargeWhateverTheSetIs() throws IOException {
        write("0.png", 90, 40);
        write("1.png", 300, 400);
        write("2.png", 50, 60);
        write("3.png", 70, 71);
        Path folder = dir.resolve("set");
        assertEquals(OptionalInt.of(50), median(folder), "of 40, 50, 70 and 300");
        Path table = Files.writeString(dir.resolve("table.csv"), "path\nset/0.png\nset/1.png\nset/3.png\n");
        assertEquals(OptionalInt.of(70), median(table));
        Path zip = dir.resolve("set.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            for (String name : new String[] {"1.png", "2.png", "3.png"}) {
                out.putNextEntry(new ZipEntry(name));
                out.write(Files.readAllBytes(folder.resolve(name)));
            }
        }
        assertEquals(OptionalInt.of(70), median(zip));
    }

    @Test
    void whatCannotBeReadDoesNotCount() throws IOException {
        Samples.write(dir.resolve("set/0.png"), "not an image".getBytes(StandardCharsets.UTF_8));
        assertEquals(OptionalInt.empty(), median(dir.resolve("set")));
        write("1.png", 20, 30);
        assertEquals(OptionalInt.of(20), median(dir.resolve("set")));
    }

    /** Of a million images 64 are looked at, from the first to nearly the last, and no pixel is decoded. */
    @Test
    void theLookIsShort() {
        AtomicInteger looks = new AtomicInteger();
        AtomicInteger last = new AtomicInteger();
        ImageSource million = new ImageSource() {
            @Override
            public int size() {
                return 1_000_000;
            }

            @Override
            public String name(int i) {
                return "image " + i;
            }

            @Override
            public RgbImage read(int i, SizeCheck size) throws IOException {
                looks.incrementAndGet();
                last.set(i);
                size.check(1000 + i / 100_000, 2000);
                throw new AssertionError("decoded");
            }

            @Override
            public String fingerprint() {
                return "";
            }

            @Override
            public void close() {}
        };
        assertEquals(OptionalInt.of(1004), ImageSizes.medianShortSide(million));
        assertEquals(64, looks.get());
        assertTrue(last.get() > 980_000, "" + last);
    }
}
