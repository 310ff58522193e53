// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import io.github.simclr4j.images.RgbImage;

/**
 * An image that is ready to be encoded: either decoded and resized, or with features from a cache.
 * {@link ImageFeatureExtractor#prepare} makes it, in any thread, for the same extractor's {@link ImageFeatureExtractor#encode}.
 *
 * @since 0.1.0
 */
public final class PreparedImage {
    /** The encoder's input, or null if the features are known. */
    final RgbImage pixels;
    /** The features, or null if the encoder has to run. */
    final float[] known;
    /** SHA-256 of the image's content, or null without a cache. */
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
