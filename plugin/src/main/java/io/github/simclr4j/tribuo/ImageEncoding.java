package io.github.simclr4j.tribuo;

/**
 * The old name of {@link io.github.simclr4j.tribuo.source.ImageEncoding},
 * which provenances have that were written before it had its own package.
 *
 * @deprecated only for what was written before
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
