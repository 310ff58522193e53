// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.SizeCheck;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;

/** Decoded images of any size as a source without labels. */
record DecodedImages(List<RgbImage> images) implements ImageSource {
    DecodedImages {
        images = List.copyOf(images);
        if (images.isEmpty()) {
            throw new IllegalArgumentException("Expected at least one image, found none");
        }
    }

    @Override
    public int size() {
        return images.size();
    }

    @Override
    public String name(int i) {
        return "image " + i;
    }

    @Override
    public RgbImage read(int i, SizeCheck size) throws IOException {
        RgbImage image = images.get(i);
        size.check(image.width(), image.height());
        return image;
    }

    @Override
    public String fingerprint() {
        return Sha256.hex(() -> images.stream()
                .flatMap(i -> Stream.of(
                        ByteBuffer.allocate(8)
                                .putInt(i.width())
                                .putInt(i.height())
                                .array(),
                        i.rgb()))
                .iterator());
    }

    @Override
    public void close() {
        // Nothing is open.
    }
}
