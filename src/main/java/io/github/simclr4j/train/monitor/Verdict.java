package io.github.simclr4j.train.monitor;

import java.util.Locale;

/** How a run stands after an epoch, in a word. */
public enum Verdict {
    /** The loss is below that of a network that has learnt nothing, and the embeddings differ. */
    LEARNING,
    /** The loss is that of a network that has learnt nothing. */
    AT_CHANCE,
    /** All images have nearly the same embedding, or the embeddings fill a line alone. */
    COLLAPSED,
    /** The loss has risen for several epochs. */
    DIVERGING,
    /** No step was taken: in float16 the gradients of all steps overflowed. */
    NO_STEP;

    /** Returns the word in lower case, such as {@code at chance}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
