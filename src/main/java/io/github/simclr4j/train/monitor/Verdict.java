// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import java.util.Locale;

/**
 * A one-word verdict on a run after an epoch.
 *
 * @since 0.1.0
 */
public enum Verdict {
    /** The loss is below that of an untrained network, and the embeddings differ. */
    LEARNING,
    /** The loss is that of an untrained network. */
    AT_CHANCE,
    /** All images have nearly the same embedding, or the embeddings lie on a line. */
    COLLAPSED,
    /** The loss has risen for several epochs. */
    DIVERGING,
    /** No step was made: in float16 the gradients of all steps overflowed. */
    NO_STEP;

    /** Returns the verdict in lower case, such as {@code at chance}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
