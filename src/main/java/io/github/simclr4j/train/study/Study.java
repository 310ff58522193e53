// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * Declares a study: what it varies, and how its result is drawn. {@link java.util.ServiceLoader} finds the studies, so that a study in
 * another jar can be named like those of this library.
 *
 * @since 0.1.0
 */
public interface Study {
    /** Returns the name, such as {@code temperature}. */
    String name();

    /** Returns the question of the study in one sentence without a full stop. */
    String summary();

    /** Returns the source of the study, such as {@code Chen et al. 2020, table 5}; empty if it is this library's. */
    String source();

    /** Returns the study's own options; none by default. */
    default List<Option<?>> options() {
        return List.of();
    }

    /** Returns the cells. */
    StudyPlan plan(OptionValues options);
}
