package io.github.simclr4j.train;

/**
 * The old name of {@link io.github.simclr4j.train.tribuo.FineTuneTrainer}, which configuration files and provenances have
 * that were written before it had its own package.
 *
 * @deprecated only for what was written before
 */
@Deprecated
public final class FineTuneTrainer extends io.github.simclr4j.train.tribuo.FineTuneTrainer {
    /** For OLCUT. */
    private FineTuneTrainer() {}
}
