// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.util.List;

/**
 * Square images in memory as a source without labels.
 *
 * @param side side in pixels
 * @param pixels one array per image, [side, side, 3], unsigned bytes
 * @param fingerprint hash of the content
 */
record Squares(int side, List<byte[]> pixels, String fingerprint) implements ImageSource {
    @Override
    public int size() {
        return pixels.size();
    }

    @Override
    public String name(int i) {
        return "image " + i;
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        size.check(side, side);
        return new RgbImage(side, side, pixels.get(i));
    }

    @Override
    public void close() {
        // Nothing is open.
    }
}
