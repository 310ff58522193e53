package io.github.simclr4j.tribuo.extraction;

import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * An encoder with a count of its uses: one an extractor, one a call in progress. The last that ends closes it, so a session
 * is never freed under a running call, and closing never waits.
 */
final class SharedEncoder {
    private final OnnxEncoder encoder;
    private int uses = 1;

    /** Takes over an encoder, for one extractor. */
    SharedEncoder(OnnxEncoder encoder) {
        this.encoder = encoder;
    }

    OnnxEncoder encoder() {
        return encoder;
    }

    /** One use more. */
    synchronized SharedEncoder retain() {
        if (uses == 0) {
            throw new IllegalStateException("The extractor is closed");
        }
        uses++;
        return this;
    }

    /** One use less. */
    void release() {
        boolean last;
        synchronized (this) {
            last = --uses == 0;
        }
        if (last) {
            encoder.close();
        }
    }

    /** Embeddings of images that the encoder's preprocessing was applied to. */
    float[][] embed(List<RgbImage> prepared) {
        ByteBuffer pixels = ByteBuffer.allocate(prepared.stream().mapToInt(i -> i.rgb().length).sum());
        prepared.forEach(i -> pixels.put(i.rgb()));
        retain();
        try {
            return encoder.embed(pixels.flip());
        } finally {
            release();
        }
    }
}
