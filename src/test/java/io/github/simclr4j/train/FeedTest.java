package io.github.simclr4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.data.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeedTest {
    @Test
    void imagesInJavasMemoryAndOnTheDeviceAreTheSame() throws IOException {
        ImageSet set = Small.labelled(20);
        int[] order = IntStream.range(0, 20).map(i -> 19 - i).toArray();
        int[] slots = {3, 0, 2};
        try (NDManager m = Torch.engine().newBaseManager(Device.cpu());
                Feed memory = new Feed.InMemory(set);
                Feed device = new Feed.Resident(set, m)) {
            for (Feed f : List.of(memory, device)) {
                f.begin(order, 4, 2);
                // The third batch of the order, in which image 11 comes first.
                assertArrayEquals(new int[] {11, 10, 9, 8}, f.next());
                float[] x = f.images(m, slots).toFloatArray();
                for (int i = 0; i < slots.length; i++) {
                    byte[] rgb = set.pixels().get(11 - slots[i]);
                    for (int p = 0; p < 1024; p++) {
                        for (int c = 0; c < 3; c++) {
                            assertEquals((rgb[3 * p + c] & 255) / 255f, x[(3 * i + c) * 1024 + p], 1e-7f);
                        }
                    }
                }
            }
        }
    }

    /** The same array for each image takes the memory of one; on the device they would be 2.2 GB. */
    @Test
    void moreThanTwoGigabytesOfImagesAreFed() throws IOException {
        int side = 448;
        byte[] image = new byte[side * side * 3];
        image[0] = (byte) 255;
        int n = Integer.MAX_VALUE / image.length + 10;
        ImageSet set = new ImageSet(side, Collections.nCopies(n, image), null, List.of(), List.of(), "");
        try (NDManager m = Torch.engine().newBaseManager(Device.cpu()); Feed feed = Feed.of(set, m)) {
            feed.begin(IntStream.range(0, n).toArray(), 2, (n - 2) / 2);
            feed.next();
            assertEquals(1, feed.images(m, new int[] {1}).sum().toFloatArray()[0]);
        }
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
            try (NDManager m = Torch.engine().newBaseManager(Device.cpu()); Feed feed = Feed.of(images, m)) {
                for (int epoch = 0; epoch < 3; epoch++) {
                    feed.begin(IntStream.range(0, 12).toArray(), 4, 0);
                    for (int k = 0; k < 3; k++) {
                        assertEquals(4, feed.next().length);
                    }
                }
            }
            assertEquals(1, images.skipped().size());
            assertEquals(1, warnings.size(), warnings.toString());
        }
    }
}
