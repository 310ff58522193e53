package io.github.simclr4j.train.study;

import java.io.IOException;

/** Is told of a study's results. */
@FunctionalInterface
public interface StudyListener {
    /**
     * A cell is done or has failed, or the study begins with what an earlier run has done.
     *
     * @param soFar what is known by now
     * @throws IOException ends the study; what is done stays
     */
    void changed(StudyResult soFar) throws IOException;
}
