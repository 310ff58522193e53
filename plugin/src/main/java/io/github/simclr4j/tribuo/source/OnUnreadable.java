// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

/**
 * The policy for images that are missing or damaged.
 *
 * @since 0.1.0
 */
public enum OnUnreadable {
    /** Throws {@link java.io.UncheckedIOException}, whose message names the file or row and the reason. */
    FAIL,
    /** Leaves the image out, and counts and reports it. */
    SKIP,
    /** Sets all features of the image to 0, and counts and reports it. */
    ZERO
}
