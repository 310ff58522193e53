package io.github.simclr4j.train.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Names a run that goes wrong, with its likely cause. One instance a run. */
public final class Diagnosis {
    private static final double NO_SPREAD = 0.1;
    private static final double LOW_RANK = 1.5;
    private static final int LONG = 3;
    /** A loss that is as near to that of chance, as a share of it, is at chance. */
    private static final double NEAR = 0.02;

    private final double chance;
    private final double warmupEpochs;
    private final double settlingEpochs;
    private final boolean contrastive;
    private int atChance;
    private int rising;
    private double last = Double.NaN;
    private Verdict verdict = Verdict.NO_STEP;

    /**
     * @param chance the loss of a network that has learnt nothing, or NaN
     * @param warmupEpochs in which nothing is expected yet
     * @param settlingEpochs in which the loss may rise, such as those that fill a queue of noise
     * @param contrastive false where embeddings need not be spread, such as the logits of supervised training
     */
    public Diagnosis(double chance, double warmupEpochs, double settlingEpochs, boolean contrastive) {
        this.chance = chance;
        this.warmupEpochs = warmupEpochs;
        this.settlingEpochs = settlingEpochs;
        this.contrastive = contrastive;
    }

    /**
     * Goes on where an earlier part of the run was.
     *
     * @param loss of its last whole epoch, or NaN
     * @param epochsAtChance what {@link #atChance} was
     * @param epochsRising what {@link #rising} was
     */
    public void resume(double loss, int epochsAtChance, int epochsRising) {
        last = loss;
        atChance = epochsAtChance;
        rising = epochsRising;
    }

    /** Epochs in a row at whose end the loss was at chance. */
    public int atChance() {
        return atChance;
    }

    /** Returns the loss of a network that has learnt nothing, or NaN if it is not known. */
    public double lossAtChance() {
        return chance;
    }

    /** Returns how the run stands after the epoch that was looked at last. */
    public Verdict verdict() {
        return verdict;
    }

    /** Epochs in a row in which the loss rose. */
    public int rising() {
        return rising;
    }

    /**
     * Looks at an epoch.
     *
     * @param epoch how many are done, this one included
     * @return what is wrong, a sentence each; mostly nothing
     */
    public List<String> look(int epoch, Monitor.Figures f) {
        if (f.none()) {
            verdict = Verdict.NO_STEP;
            return List.of("nothing was learnt in this epoch: in mixed precision the gradients of all its steps overflowed, and"
                    + " they were left out; that is usual while the loss scale is found in the first steps of a run, and later"
                    + " likely a learning rate that is too high");
        }
        List<String> wrong = new ArrayList<>();
        if (contrastive && f.spread() < NO_SPREAD) {
            wrong.add(String.format(Locale.ROOT, "collapsed: all images have nearly the same embedding (spread %.3f of 1); likely"
                    + " a learning rate that is too high, no negatives that differ, or a head without batch norm", f.spread()));
        } else if (contrastive && f.effectiveRank() < LOW_RANK) {
            wrong.add(String.format(Locale.ROOT, "collapsed to a line: the embeddings fill %.1f directions; likely a learning"
                    + " rate that is too high, or views that share one shortcut such as colour (add colour jitter)",
                    f.effectiveRank()));
        }
        atChance = Math.abs(f.loss() - chance) < NEAR * chance && epoch > warmupEpochs ? atChance + 1 : 0;
        if (atChance == LONG) {
            wrong.add(String.format(Locale.ROOT, "nothing is learnt: the loss has stayed at chance (%.3f) for %d epochs; likely a"
                    + " learning rate that is far too low or too high, or views that have nothing in common (crops too small)",
                    chance, LONG));
        }
        // Losses of cosines, such as SimSiam's, are below 0.
        rising = f.loss() - last > 0.01 * Math.abs(last) && epoch > settlingEpochs ? rising + 1 : 0;
        if (rising == LONG) {
            wrong.add(String.format(Locale.ROOT, "diverging: the loss has risen for %d epochs to %.3f; likely a learning rate"
                    + " that is too high, or a warm-up that is too short", LONG, f.loss()));
        }
        last = f.loss();
        verdict = verdict(f);
        return wrong;
    }

    private Verdict verdict(Monitor.Figures f) {
        if (contrastive && (f.spread() < NO_SPREAD || f.effectiveRank() < LOW_RANK)) {
            return Verdict.COLLAPSED;
        }
        if (rising >= LONG) {
            return Verdict.DIVERGING;
        }
        // A loss over candidates that is above chance has learnt nothing either; other losses may begin far above theirs.
        boolean candidates = !Double.isNaN(f.top1());
        return Math.abs(f.loss() - chance) < NEAR * chance || candidates && f.loss() > chance ? Verdict.AT_CHANCE : Verdict.LEARNING;
    }
}
