// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Interrupt;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How images come to the trainer. */
class BatchLoaderTest {
    @Test
    void batchesFollowTheOrderFromTheStepAskedFor() throws IOException {
        ImageSet set = Small.labelled(20);
        int[] order = IntStream.range(0, 20).map(i -> 19 - i).toArray();
        try (BatchLoader loader = BatchLoader.of(set)) {
            assertInstanceOf(BatchLoader.InMemory.class, loader);
            loader.begin(order, 4, 2);
            // The third batch of the order, in which image 11 comes first.
            assertArrayEquals(new int[] {11, 10, 9, 8}, loader.next());
            for (int slot : new int[] {3, 0, 2}) {
                assertArrayEquals(set.pixels().get(11 - slot), loader.pixels(slot));
            }
            assertArrayEquals(new int[] {7, 6, 5, 4}, loader.next());
            assertEquals(32, loader.side());
        }
    }

    @Test
    void streamedBatchesAreThoseInMemory(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir, 2, 1);
        int[] order = IntStream.range(0, 20).map(i -> 7 * i % 20).toArray();
        try (ImageSource source = ImageSource.open(dir);
                BatchLoader memory = BatchLoader.of(TrainingSets.of(source, 32, 0, 6, 1, Progress.NONE));
                BatchLoader streamed = BatchLoader.of(new StreamedImages(source, 32, 1, 6, 2, Progress.NONE))) {
            assertInstanceOf(BatchLoader.Streamed.class, streamed);
            for (int first : new int[] {0, 1}) {
                memory.begin(order, 6, first);
                streamed.begin(order, 6, first);
                for (int step = first; step < 3; step++) {
                    int[] which = memory.next();
                    assertArrayEquals(which, streamed.next());
                    for (int slot = 0; slot < 6; slot++) {
                        assertArrayEquals(memory.pixels(slot), streamed.pixels(slot));
                    }
                }
            }
            assertEquals(memory.side(), streamed.side());
        }
    }

    /** The same array for each image takes the memory of one; in one piece they would be 2.2 GB. */
    @Test
    void moreThanTwoGigabytesOfImagesAreLoaded() throws IOException {
        int side = 448;
        byte[] image = new byte[side * side * 3];
        image[0] = (byte) 255;
        int n = Integer.MAX_VALUE / image.length + 10;
        ImageSet set = new ImageSet(side, Collections.nCopies(n, image), null, List.of(), List.of(), "");
        try (BatchLoader loader = BatchLoader.of(set)) {
            loader.begin(IntStream.range(0, n).toArray(), 2, (n - 2) / 2);
            loader.next();
            assertEquals(
                    255,
                    IntStream.range(0, image.length)
                            .map(i -> loader.pixels(1)[i] & 255)
                            .sum());
        }
    }

    /** Which it is depends on how full the heap happens to be when the run is continued. */
    @Test
    void aRunThatBeganInMemoryContinuesStreamed(@TempDir Path dir) throws IOException {
        Path images = dir.resolve("images");
        BuiltInImages.write(images, 2, 1);
        PretrainSettings s = Small.build(Small.settings("simclr", "adamw", 1e-3, 10, 2));
        List<TrainingImages> kinds = new ArrayList<>();
        try (ImageSource source = ImageSource.open(images)) {
            kinds.add(TrainingSets.of(source, 32, 0, 10, 1, Progress.NONE));
            kinds.add(new StreamedImages(source, 32, 1, 10, 1, Progress.NONE));
            assertInstanceOf(ImageSet.class, kinds.get(0));
            byte[] whole = new EncoderTrainer(s, "cpu", 1, Progress.NONE)
                    .run(kinds.get(0), RunOptions.checkpoints(null))
                    .onnx();
            RunOptions options = RunOptions.checkpoints(dir.resolve("checkpoints"));
            assertThrows(
                    InterruptedIOException.class,
                    () -> new EncoderTrainer(s, "cpu", 1, Interrupt.after(3)).run(kinds.get(0), options));
            EncoderTrainer.Result rest = new EncoderTrainer(s, "cpu", 1, Progress.NONE).run(kinds.get(1), options);
            assertEquals(1, rest.resumedAt());
            assertArrayEquals(whole, rest.onnx());
        }
        // Another image is seen by both.
        Path one;
        try (Stream<Path> files = Files.walk(images)) {
            one = files.filter(Files::isRegularFile).sorted().findFirst().orElseThrow();
        }
        byte[] png = Files.readAllBytes(one);
        png[png.length - 1] ^= 1;
        Files.write(one, png);
        try (ImageSource source = ImageSource.open(images)) {
            TrainingImages streamed = new StreamedImages(source, 32, 1, 10, 1, Progress.NONE);
            assertNotEquals(kinds.get(1).fingerprint(), streamed.fingerprint());
            assertEquals(
                    streamed.fingerprint(),
                    TrainingSets.of(source, 32, 0, 10, 1, Progress.NONE).fingerprint());
        }
    }

    @Test
    void noMoreIsDecodedAheadThanThereIsRoomFor() throws IOException {
        // As many pixels as do not fit, in a source that draws each when it is asked for.
        int n = (int) Math.min(Integer.MAX_VALUE - 8, ResidentImages.available() / (64 * 64 * 3) * 2 + 2);
        List<String> lines = new ArrayList<>();
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
        try {
            Progress progress = new Progress() {
                @Override
                public void line(String text) {
                    lines.add(text);
                }
            };
            StreamedImages images =
                    (StreamedImages) TrainingSets.of(new Grey(n, 64), 64, Integer.MAX_VALUE, 10, 1, progress);
            long room = Runtime.getRuntime().maxMemory() >> 20;
            assertTrue(images.megabytes() > 0 && images.megabytes() < room, images.megabytes() + " of " + room);
        } finally {
            Locale.setDefault(before);
        }
        assertTrue(lines.get(0).startsWith(n + " images of 64x64 pixels"), lines.get(0));
    }

    @Test
    void someImagesOfASetExist() {
        ImageSet set = Small.labelled(4);
        assertEquals(
                List.of(3, 0),
                IntStream.of(set.only(new int[] {3, 0}).labels()).boxed().toList());
        for (int wrong : new int[] {-1, 4}) {
            String message = assertThrows(IllegalArgumentException.class, () -> set.only(new int[] {0, wrong}))
                    .getMessage();
            assertEquals("Expected images from 0 to 3, found " + wrong, message);
        }
    }

    /** Grey squares. */
    private record Grey(int size, int side) implements ImageSource {
        @Override
        public String name(int i) {
            return "grey " + i;
        }

        @Override
        public RgbImage read(int i, SizeCheck check) throws IOException {
            check.check(side, side);
            return new RgbImage(side, side, new byte[3 * side * side]);
        }

        @Override
        public String fingerprint() {
            return "grey";
        }

        @Override
        public void close() {}
    }

    @Test
    void anImageThatCantBeReadIsReportedOnceInAllEpochs(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir, 11, 1);
        Files.writeString(dir.resolve("broken.png"), "no image");
        List<String> warnings = Collections.synchronizedList(new ArrayList<>());
        Progress listener = new Progress() {
            @Override
            public void warn(String text) {
                warnings.add(text);
            }
        };
        try (ImageSource source = ImageSource.open(dir)) {
            StreamedImages images = new StreamedImages(source, 32, 1, 4, 2, listener);
            try (BatchLoader loader = BatchLoader.of(images)) {
                for (int epoch = 0; epoch < 3; epoch++) {
                    loader.begin(IntStream.range(0, 12).toArray(), 4, 0);
                    for (int k = 0; k < 3; k++) {
                        assertEquals(4, loader.next().length);
                    }
                }
            }
            assertEquals(1, images.skipped().size());
            assertEquals(1, warnings.size(), warnings.toString());
        }
    }
}
