package io.github.simclr4j.util;

import java.util.logging.Logger;

/** Told how long work goes on; {@link #at} may come from several threads. */
public interface Progress {
    /** Says nothing. */
    Progress NONE = new Progress() {};

    /** Returns a progress whose lines go to a log at FINE and its warnings at WARNING. */
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
     * A stretch of work begins.
     *
     * @param task what it is
     * @param total how many parts it has
     */
    default void start(String task, long total) {}

    /**
     * Some parts are done.
     *
     * @param done how many in all
     * @param detail a few words on it, such as how many files were found; mostly empty
     */
    default void at(long done, String detail) {}

    /** The stretch is over. */
    default void end() {}

    /** A line worth keeping, such as an epoch's result. */
    default void line(String text) {}

    /** Something went wrong that does not stop the work. */
    default void warn(String text) {}
}
