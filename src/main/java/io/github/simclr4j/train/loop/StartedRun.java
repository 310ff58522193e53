// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Map;

/**
 * A run that begins or continues.
 *
 * @param name time at which the run first began, as ISO 8601 in UTC; a continued run keeps its name
 * @param settings settings and images of the run, as in the metadata of the encoder file
 * @param doneEpochs number of epochs that were already done, 0 for a fresh run
 * @param epochs number of epochs of the run
 * @param views draws training images beside their views
 * @since 0.1.0
 */
public record StartedRun(String name, Map<String, String> settings, int doneEpochs, int epochs, Views views) {
    /** Copies the map. */
    public StartedRun {
        settings = Map.copyOf(settings);
    }

    /** Draws some of the training images beside random views of them. It does not affect the views of the training. */
    @FunctionalInterface
    public interface Views {
        /**
         * Reads the images and draws them.
         *
         * @return an RGB picture, with captions if Java has a font
         * @throws IOException if none of the images can be read
         */
        BufferedImage draw() throws IOException;
    }
}
