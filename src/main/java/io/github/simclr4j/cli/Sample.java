package io.github.simclr4j.cli;

import io.github.simclr4j.onnx.Images;
import io.github.simclr4j.onnx.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Some images of a folder. */
final class Sample {
    private Sample() {}

    /**
     * Reads images chosen at random.
     *
     * @param folder where they are, at any depth
     * @param most how many at most
     * @param seed of the choice
     * @param skipped gets a line for each that can't be read
     * @throws IOException if there is no readable image
     */
    static List<RgbImage> read(Path folder, int most, long seed, List<String> skipped) throws IOException {
        List<Path> files = new ArrayList<>(Images.find(folder));
        Collections.shuffle(files, new Random(seed));
        List<RgbImage> images = new ArrayList<>();
        for (Path file : files) {
            if (images.size() == most) {
                break;
            }
            try {
                images.add(Images.read(file));
            } catch (IOException e) {
                skipped.add("skipped " + e.getMessage());
            }
        }
        if (images.isEmpty()) {
            throw new IOException("No readable image in " + folder);
        }
        return images;
    }
}
