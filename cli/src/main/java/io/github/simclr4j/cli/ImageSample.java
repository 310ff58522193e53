// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Holds a sample of an image set. Each access decodes the image, because many photos would not fit into memory at once.
 */
final class ImageSample extends AbstractList<RgbImage> {
    private final ImageSource source;
    private final List<Integer> chosen;

    private ImageSample(ImageSource source, List<Integer> chosen) {
        this.source = source;
        this.chosen = chosen;
    }

    /**
     * Chooses readable images at random.
     *
     * @param source closed by the caller, after the last use of the sample
     * @param path path of the source
     * @param most largest number of images
     * @param seed seed of the choice
     * @param skipped receives one message for each image that can't be read
     * @return the images; its {@code get} throws an {@link UncheckedIOException} if an image can no longer be read
     * @throws IOException if there is no readable image
     */
    static ImageSample of(ImageSource source, Path path, int most, long seed, List<String> skipped) throws IOException {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, source.size()).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        List<Integer> chosen = new ArrayList<>();
        for (int i : order) {
            if (chosen.size() == most) {
                break;
            }
            try {
                source.read(i);
                chosen.add(i);
            } catch (IOException e) {
                skipped.add(e.getMessage());
            }
        }
        if (chosen.isEmpty()) {
            throw new IOException("No readable image in " + path);
        }
        return new ImageSample(source, chosen);
    }

    @Override
    public RgbImage get(int i) {
        try {
            return source.read(chosen.get(i));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int size() {
        return chosen.size();
    }
}
