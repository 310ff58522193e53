// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A reference-counted encoder. Each extractor and each call in progress holds one reference; releasing the last one closes the
 * encoder. So a session is never freed during a call, and closing an extractor never waits.
 */
final class SharedEncoder {
    private final OnnxEncoder encoder;
    private int uses = 1;

    /** Takes ownership of an encoder, with one reference. */
    SharedEncoder(OnnxEncoder encoder) {
        this.encoder = encoder;
    }

    OnnxEncoder encoder() {
        return encoder;
    }

    /** Adds a reference. */
    synchronized SharedEncoder retain() {
        if (uses == 0) {
            throw new IllegalStateException("The extractor is closed");
        }
        uses++;
        return this;
    }

    /** Drops a reference, and closes the encoder if it was the last one. */
    void release() {
        boolean last;
        synchronized (this) {
            last = --uses == 0;
        }
        if (last) {
            encoder.close();
        }
    }

    /** Returns the embeddings of preprocessed images. */
    float[][] embed(List<RgbImage> prepared) {
        ByteBuffer pixels = ByteBuffer.allocate(
                prepared.stream().mapToInt(i -> i.rgb().length).sum());
        prepared.forEach(i -> pixels.put(i.rgb()));
        retain();
        try {
            return encoder.embed(pixels.flip());
        } finally {
            release();
        }
    }
}
