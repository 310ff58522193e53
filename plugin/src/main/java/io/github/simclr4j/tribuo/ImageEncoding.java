// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

/**
 * The former name of {@link io.github.simclr4j.tribuo.source.ImageEncoding}.
 *
 * <p>It is kept so that provenances that contain the name can still be read.
 *
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.source.ImageEncoding}
 */
@Deprecated
public enum ImageEncoding {
    /** A path or a URI. */
    FILE,
    /** Base64. */
    BASE64,
    /** Hexadecimal digits. */
    HEX
}
