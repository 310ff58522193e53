package io.github.simclr4j.cli;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Some images of a folder, decoded whenever they are asked for: many photos at once would not fit into memory. */
final class Sample {
    private Sample() {}

    /**
     * Chooses readable images at random.
     *
     * @param folder where they are, at any depth
     * @param most how many at most
     * @param seed of the choice
     * @param skipped gets a line for each that can't be read
     * @return the images; one that can no longer be read is an {@link UncheckedIOException}
     * @throws IOException if there is no readable image
     */
    static List<RgbImage> read(Path folder, int most, long seed, List<String> skipped) throws IOException {
        List<Path> files = new ArrayList<>(Images.find(folder));
        Collections.shuffle(files, new Random(seed));
        List<Path> images = new ArrayList<>();
        for (Path file : files) {
            if (images.size() == most) {
                break;
            }
            try {
                Images.read(file);
                images.add(file);
            } catch (IOException e) {
                skipped.add(e.getMessage());
            }
        }
        if (images.isEmpty()) {
            throw new IOException("No readable image in " + folder);
        }
        return new AbstractList<>() {
            @Override
            public RgbImage get(int i) {
                try {
                    return Images.read(images.get(i));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public int size() {
                return images.size();
            }
        };
    }
}
