package io.github.simclr4j.tribuo.source;

/** What to do about an image that is missing or damaged. */
public enum OnUnreadable {
    /** Throw {@link java.io.UncheckedIOException}, which names the file or the row and the reason. */
    FAIL,
    /** Leave the image out, and count and report it. */
    SKIP,
    /** Give it zeros for features, and count and report it. */
    ZERO
}
