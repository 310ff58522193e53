// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

/**
 * Receives the timings of a feature extractor, for example to record them as metrics. The extracting thread calls it after the work
 * and without holding a lock. Several threads may call it at once. An exception that it throws reaches the caller of the extractor.
 *
 * @since 0.1.0
 * @see SimCLRFeatureExtractor#setListener
 */
public interface ExtractionListener {

    /**
     * Called after each run of the encoder.
     *
     * @param timings the timings of the images in that run, none of which was cached
     */
    default void batch(Timings timings) {}

    /**
     * Called at the end of each call of the extractor.
     *
     * @param timings the timings of all images of the call
     */
    default void call(Timings timings) {}

    /**
     * The work done and the time that it took. Several threads may decode and preprocess images at once, even before the call. These
     * times are sums over images and may exceed the elapsed time.
     *
     * @param images number of images, at least 1 in a batch
     * @param cached number of these images whose features came from the cache, without inference
     * @param decodeNanos time to decode image files, in nanoseconds; 0 for images that were passed as pixels
     * @param preprocessNanos time to crop and resize, in nanoseconds
     * @param inferenceNanos time inside the encoder, in nanoseconds
     */
    record Timings(int images, int cached, long decodeNanos, long preprocessNanos, long inferenceNanos) {
        /** Returns the number of images that the encoder ran on. */
        public int encoded() {
            return images - cached;
        }
    }
}
