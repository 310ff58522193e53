// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.util.logging.Logger;

/**
 * Receives the progress of long operations. Several threads may call {@link #at}.
 *
 * @since 0.1.0
 */
public interface Progress {
    /** Ignores all reports. */
    Progress NONE = new Progress() {};

    /**
     * Returns a receiver that logs lines at the level FINE and warnings at the level WARNING.
     *
     * @param logger the logger
     */
    static Progress logging(Logger logger) {
        return new Progress() {
            @Override
            public void line(String text) {
                logger.fine(text);
            }

            @Override
            public void warn(String text) {
                logger.warning(text);
            }
        };
    }

    /**
     * Called at the start of a task.
     *
     * @param task a description of the task
     * @param total number of parts of the task
     */
    default void start(String task, long total) {}

    /**
     * Called when some parts of the task are done.
     *
     * @param done number of parts done so far
     * @param detail a few words of detail, such as the number of files found; usually empty
     */
    default void at(long done, String detail) {}

    /** Called at the end of the task. */
    default void end() {}

    /**
     * Called with a line that should be kept, such as the result of an epoch.
     *
     * @param text the line
     */
    default void line(String text) {}

    /**
     * Called for a problem that does not stop the work.
     *
     * @param text the warning
     */
    default void warn(String text) {}
}
