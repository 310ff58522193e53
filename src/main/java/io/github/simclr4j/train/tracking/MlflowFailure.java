// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tracking;

import java.io.IOException;

/** A failed request to a tracking server. */
final class MlflowFailure extends IOException {
    private static final long serialVersionUID = 1;

    private final boolean lasting;
    private final String code;

    /**
     * Creates a failure.
     *
     * @param message reason
     * @param lasting whether retrying is useless
     * @param code MLflow's error code, or an empty string
     */
    MlflowFailure(String message, boolean lasting, String code) {
        super(message);
        this.lasting = lasting;
        this.code = code;
    }

    boolean isLasting() {
        return lasting;
    }

    String code() {
        return code;
    }
}
