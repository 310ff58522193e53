// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train;

/**
 * The old name of {@link io.github.simclr4j.train.tribuo.DistillationTrainer}, for configuration files and provenances that were
 * written before the class moved to its own package.
 *
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.train.tribuo.DistillationTrainer}
 */
@Deprecated
public final class DistillationTrainer extends io.github.simclr4j.train.tribuo.DistillationTrainer {
    /** For OLCUT. */
    private DistillationTrainer() {}
}
