package io.github.simclr4j.tribuo;

/**
 * The old name of {@link io.github.simclr4j.tribuo.source.OnUnreadable},
 * which provenances have that were written before it had its own package.
 *
 * @deprecated only for what was written before
 */
@Deprecated
public enum Unreadable {
    /** Throw. */
    FAIL,
    /** Leave the image out. */
    SKIP,
    /** Give it zeros for features. */
    ZERO
}
