package io.github.simclr4j.tribuo.extraction;

import io.github.simclr4j.images.RgbImage;

/**
 * An image on its way into an extractor: decoded and resized, or its features known already. Made by
 * {@link ImageFeatureExtractor#prepare}, in any thread, and used by the same extractor's
 * {@link ImageFeatureExtractor#encode}.
 */
public final class PreparedImage {
    /** What the encoder gets; null where the features are known. */
    final RgbImage pixels;
    /** The features; null where the encoder has to run. */
    final float[] known;
    /** SHA-256 of the image's content; null without a cache. */
    final String key;
    final long decodeNanos;
    final long preprocessNanos;

    PreparedImage(RgbImage pixels, float[] known, String key, long decodeNanos, long preprocessNanos) {
        this.pixels = pixels;
        this.known = known;
        this.key = key;
        this.decodeNanos = decodeNanos;
        this.preprocessNanos = preprocessNanos;
    }
}
