package io.github.simclr4j.tribuo;

import org.tribuo.Output;

/**
 * The old name of {@link io.github.simclr4j.tribuo.source.ReadAheadDataSource},
 * which configuration files have that were written before it had its own package.
 *
 * @param <T> the output type
 * @deprecated only for what was written before
 */
@Deprecated
public final class ReadAheadDataSource<T extends Output<T>> extends io.github.simclr4j.tribuo.source.ReadAheadDataSource<T> {
    /** For OLCUT. */
    private ReadAheadDataSource() {}
}
