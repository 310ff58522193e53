// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Detects failing runs and names the likely cause. Use one instance per run.
 *
 * @since 0.1.0
 */
public final class Diagnosis {
    private static final double NO_SPREAD = 0.1;
    private static final double LOW_RANK = 1.5;
    private static final int LONG = 3;
    /** Relative distance from the loss of chance below which a loss counts as being at chance. */
    private static final double NEAR = 0.02;

    private final double chance;
    private final double warmupEpochs;
    private final double settlingEpochs;
    private final boolean contrastive;
    private int atChance;
    private int rising;
    private double last = Double.NaN;
    private double alignment = Double.NaN;
    private double uniformity = Double.NaN;
    private Verdict verdict = Verdict.NO_STEP;

    /**
     * Starts the diagnosis of a run.
     *
     * @param chance loss of an untrained network, or NaN if unknown
     * @param warmupEpochs epochs of learning rate warm-up, in which no progress is expected
     * @param settlingEpochs epochs in which a rising loss is normal, such as those that fill a queue of noise
     * @param contrastive {@code false} if embeddings need not be spread, such as the logits of supervised training
     */
    public Diagnosis(double chance, double warmupEpochs, double settlingEpochs, boolean contrastive) {
        this.chance = chance;
        this.warmupEpochs = warmupEpochs;
        this.settlingEpochs = settlingEpochs;
        this.contrastive = contrastive;
    }

    /**
     * Restores the state of an interrupted run. Alignment and uniformity of its last epoch are not part of it: if the loss rises in the next
     * epoch, that epoch counts.
     *
     * @param loss loss of its last complete epoch, or NaN
     * @param epochsAtChance saved value of {@link #atChance}
     * @param epochsRising saved value of {@link #rising}
     */
    public void resume(double loss, int epochsAtChance, int epochsRising) {
        last = loss;
        atChance = epochsAtChance;
        rising = epochsRising;
    }

    /** Returns the number of consecutive epochs, up to the last one, whose loss was at chance. */
    public int atChance() {
        return atChance;
    }

    /** Returns the loss of an untrained network, or NaN if it is unknown. */
    public double lossAtChance() {
        return chance;
    }

    /** Returns the verdict on the last epoch. */
    public Verdict verdict() {
        return verdict;
    }

    /** Returns the number of consecutive epochs, up to the last one, in which the loss rose while alignment or uniformity did not improve. */
    public int rising() {
        return rising;
    }

    /**
     * Examines an epoch.
     *
     * @param epoch number of finished epochs, this one included
     * @param f metrics of the epoch
     * @return one sentence per problem; usually empty
     */
    public List<String> look(int epoch, Monitor.Figures f) {
        if (f.none()) {
            verdict = Verdict.NO_STEP;
            return List.of(
                    "nothing was learned in this epoch: in mixed precision the gradients of all its steps overflowed, so that the"
                            + " steps were skipped; this is normal in the first steps of a run, until the loss scale is found; later the learning"
                            + " rate is likely too high");
        }
        List<String> wrong = new ArrayList<>();
        if (contrastive && f.spread() < NO_SPREAD) {
            wrong.add(String.format(
                    Locale.ROOT,
                    "collapsed: all images have nearly the same embedding (spread %.3f of 1); likely"
                            + " a learning rate that is too high, too few different negatives, or a head without batch norm",
                    f.spread()));
        } else if (contrastive && f.effectiveRank() < LOW_RANK) {
            wrong.add(String.format(
                    Locale.ROOT,
                    "collapsed to a line: the embeddings fill only %.1f directions; likely a learning"
                            + " rate that is too high, or views that share one shortcut such as colour (add colour jitter)",
                    f.effectiveRank()));
        }
        atChance = Math.abs(f.loss() - chance) < NEAR * chance && epoch > warmupEpochs ? atChance + 1 : 0;
        if (atChance == LONG) {
            wrong.add(String.format(
                    Locale.ROOT,
                    "nothing is learned: the loss has stayed at chance (%.3f) for %d epochs; likely a"
                            + " learning rate that is far too low or too high, or views that have nothing in common (crops too small)",
                    chance,
                    LONG));
        }
        rising = isWorse(f) && epoch > settlingEpochs ? rising + 1 : 0;
        if (rising == LONG) {
            wrong.add(String.format(
                    Locale.ROOT,
                    "diverging: the loss has risen for %d epochs to %.3f; likely a learning rate"
                            + " that is too high, or a warm-up that is too short",
                    LONG,
                    f.loss()));
        }
        last = f.loss();
        alignment = f.alignment();
        uniformity = f.uniformity();
        verdict = verdict(f);
        return wrong;
    }

    /**
     * Tells whether the loss rose because the embeddings became worse.
     *
     * <p>A loss over earlier keys, as in MoCo, also rises because its task becomes harder: when a lower learning rate makes the queue
     * more consistent, for example. Then alignment and uniformity, both of which should fall, improve at the same time.
     */
    private boolean isWorse(Monitor.Figures f) {
        boolean better = f.alignment() < alignment && f.uniformity() < uniformity;
        // Losses of cosines, such as SimSiam's, are below 0.
        return f.loss() - last > 0.01 * Math.abs(last) && !better;
    }

    private Verdict verdict(Monitor.Figures f) {
        if (contrastive && (f.spread() < NO_SPREAD || f.effectiveRank() < LOW_RANK)) {
            return Verdict.COLLAPSED;
        }
        if (rising >= LONG) {
            return Verdict.DIVERGING;
        }
        // A loss over candidates that is above chance shows no learning either, but other losses may start far above
        // theirs.
        boolean candidates = !Double.isNaN(f.top1());
        return Math.abs(f.loss() - chance) < NEAR * chance || candidates && f.loss() > chance
                ? Verdict.AT_CHANCE
                : Verdict.LEARNING;
    }
}
