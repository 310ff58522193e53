// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import org.tribuo.Output;

/**
 * The former name of {@link io.github.simclr4j.tribuo.source.ReadAheadDataSource}.
 *
 * <p>It is kept so that configuration files that contain the name can still be read.
 *
 * @param <T> the output type
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.source.ReadAheadDataSource}
 */
@Deprecated
public final class ReadAheadDataSource<T extends Output<T>>
        extends io.github.simclr4j.tribuo.source.ReadAheadDataSource<T> {
    /** Required by OLCUT. */
    private ReadAheadDataSource() {}
}
