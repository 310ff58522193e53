// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

/**
 * The former name of {@link io.github.simclr4j.tribuo.source.ImageFieldProcessor}.
 *
 * <p>It is kept so that configuration files that contain the name can still be read.
 *
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.source.ImageFieldProcessor}
 */
@Deprecated
public final class ImageFieldProcessor extends io.github.simclr4j.tribuo.source.ImageFieldProcessor {
    /** Required by OLCUT. */
    private ImageFieldProcessor() {}
}
