package io.github.simclr4j.train.study;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * Declares a study: what is varied, and how the result is drawn. Studies are found by {@link java.util.ServiceLoader}; one in another
 * jar can be named like those of this library.
 */
public interface Study {
    /** Returns the name, such as {@code temperature}. */
    String name();

    /** Returns what the study asks, as one sentence without a full stop. */
    String summary();

    /** Returns where the study is from, such as {@code Chen et al. 2020, table 5}; empty if it is this library's. */
    String source();

    /** Returns the study's own options; none by default. */
    default List<Option<?>> options() {
        return List.of();
    }

    /** Returns the cells. */
    StudyPlan plan(OptionValues options);
}
