// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import java.io.IOException;

/**
 * Observes the results of a study.
 *
 * @since 0.1.0
 */
@FunctionalInterface
public interface StudyListener {
    /**
     * Called when a cell is done or has failed, and at the start of the study with the results of earlier runs.
     *
     * @param soFar the current results
     * @throws IOException to stop the study; finished cells are kept
     */
    void changed(StudyResult soFar) throws IOException;
}
