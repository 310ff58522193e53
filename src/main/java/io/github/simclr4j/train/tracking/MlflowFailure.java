package io.github.simclr4j.train.tracking;

import java.io.IOException;

/** Why a tracking server did not do what it was asked for. */
final class MlflowFailure extends IOException {
    private static final long serialVersionUID = 1;

    private final boolean lasting;
    private final String code;

    /**
     * Says what went wrong.
     *
     * @param lasting whether asking again is of no use
     * @param code MLflow's own name of the error, or an empty text
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
