package io.github.simclr4j.tribuo;

/**
 * The old name of {@link io.github.simclr4j.tribuo.extraction.FeatureCache},
 * which configuration files have that were written before it had its own package.
 *
 * @deprecated only for what was written before
 */
@Deprecated
public final class FeatureCache extends io.github.simclr4j.tribuo.extraction.FeatureCache {
    /** For OLCUT. */
    private FeatureCache() {}
}
