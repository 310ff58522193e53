package io.github.simclr4j.train;

/**
 * The old name of {@link io.github.simclr4j.train.tribuo.DistillationTrainer}, which configuration files and provenances have
 * that were written before it had its own package.
 *
 * @deprecated only for what was written before
 */
@Deprecated
public final class DistillationTrainer extends io.github.simclr4j.train.tribuo.DistillationTrainer {
    /** For OLCUT. */
    private DistillationTrainer() {}
}
