// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.imageio.ImageIO;

/** Images of one colour each, slightly noisy: whatever looks at them tells their classes apart. */
final class Colours {
    private static final Map<String, Integer> CLASSES =
            new TreeMap<>(Map.of("black", 0x101010, "white", 0xe0e0e0, "red", 0xe01010, "blue", 0x1010e0));

    private Colours() {}

    /** Writes a sub-folder a class, of images of 32x32 pixels. */
    static Path write(Path folder, int each, long seed) throws IOException {
        Random random = new Random(seed);
        for (Map.Entry<String, Integer> colour : CLASSES.entrySet()) {
            Path to = Files.createDirectories(folder.resolve(colour.getKey()));
            for (int i = 0; i < each; i++) {
                BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_INT_RGB);
                for (int p = 0; p < 32 * 32; p++) {
                    image.setRGB(p % 32, p / 32, colour.getValue() + random.nextInt(16) * 0x010101);
                }
                ImageIO.write(image, "png", to.resolve(i + ".png").toFile());
            }
        }
        return folder;
    }
}
