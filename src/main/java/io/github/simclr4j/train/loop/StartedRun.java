package io.github.simclr4j.train.loop;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Map;

/**
 * A run that begins or continues.
 *
 * @param name the time at which it began at first, as ISO 8601 in UTC; a run that continues from a checkpoint has its old one
 * @param settings what it learns with and from, as the encoder's file records it
 * @param doneEpochs epochs that were done before, 0 for a fresh run
 * @param epochs how many there are to be
 * @param views draws what it learns from
 */
public record StartedRun(String name, Map<String, String> settings, int doneEpochs, int epochs, Views views) {
    /** Copies the map. */
    public StartedRun {
        settings = Map.copyOf(settings);
    }

    /** Draws some of the training's images beside random views of them. The views of the training itself stay as they are. */
    @FunctionalInterface
    public interface Views {
        /**
         * Reads the images and draws them.
         *
         * @return an RGB picture, with captions where Java has a font
         * @throws IOException if none of the images can be read
         */
        BufferedImage draw() throws IOException;
    }
}
