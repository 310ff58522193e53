package io.github.simclr4j.tribuo.extraction;

/**
 * Is told how long an extractor's work took. It is called by the thread that extracts, after the work and outside of any
 * lock; several threads may call it at once. What it throws reaches the caller of the extractor.
 *
 * @see SimCLRFeatureExtractor#setListener
 */
public interface ExtractionListener {

    /** The encoder ran once: {@code timings} are of the images in that run, none of them cached. */
    default void batch(Timings timings) {}

    /** A call of the extractor is done: {@code timings} are of all its images, those of its runs together. */
    default void call(Timings timings) {}

    /**
     * What was done, and how long it took. Images may be decoded and preprocessed by several threads at once and before the
     * call: those times are summed over images, and may exceed the time that has passed.
     *
     * @param images how many images, at least 1 in a batch
     * @param cached for how many of them the features came from the cache, without inference
     * @param decodeNanos from an image file's bytes to pixels, in nanoseconds; 0 for images that came as pixels
     * @param preprocessNanos cropping and resizing, in nanoseconds
     * @param inferenceNanos inside the encoder, in nanoseconds
     */
    record Timings(int images, int cached, long decodeNanos, long preprocessNanos, long inferenceNanos) {
        /** How many images the encoder ran on. */
        public int encoded() {
            return images - cached;
        }
    }
}
