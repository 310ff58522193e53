// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * Declares an option of a method, an architecture, an augmentation or a protocol: its name, type, default, range, help and source. The
 * command line, help texts, checks, metadata and documentation are derived from this declaration.
 *
 * @param <T> {@link Double}, {@link Integer}, {@link Boolean}, {@link String} or {@link Path}
 * @param name lower-case words joined by dashes, such as {@code momentum-encoder}; the metadata key has underscores instead
 * @param type the class of the values
 * @param fallback the default
 * @param range the allowed values, in words that can follow "must be", such as {@code above 0 and finite}
 * @param valid returns whether a value is allowed
 * @param choices the allowed texts of a choice; empty for other types
 * @param help a description in one sentence, without the default
 * @param source the source of the default, such as {@code He et al. 2020}; empty if it is this project's choice
 * @since 0.1.0
 */
public record Option<T>(
        String name,
        Class<T> type,
        T fallback,
        String range,
        Predicate<T> valid,
        List<String> choices,
        String help,
        String source) {

    /**
     * Checks the name and the default.
     *
     * @throws IllegalArgumentException if the name has characters other than a to z, 0 to 9 and dashes, if the help is empty, or if the
     *     default is out of range
     */
    public Option {
        choices = List.copyOf(choices);
        if (!name.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*")) {
            throw new IllegalArgumentException(
                    "An option's name must consist of lower-case words joined by dashes, found " + name);
        }
        if (help.isBlank()) {
            throw new IllegalArgumentException("The option " + name + " has no help");
        }
        if (!valid.test(fallback)) {
            throw new IllegalArgumentException("The default of " + name + " must be " + range + ", found " + fallback);
        }
    }

    /**
     * Declares a number that must be above a bound and finite.
     *
     * @param name lower-case words joined by dashes
     * @param fallback the default
     * @param bound the lower bound, exclusive
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Double> above(String name, double fallback, double bound, String help, String source) {
        return new Option<>(
                name,
                Double.class,
                fallback,
                "above " + text(bound) + " and finite",
                v -> v > bound && Double.isFinite(v),
                List.of(),
                help,
                source);
    }

    /**
     * Declares a number that must be at least a bound and finite.
     *
     * @param name lower-case words joined by dashes
     * @param fallback the default
     * @param bound the lower bound, inclusive
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Double> atLeast(String name, double fallback, double bound, String help, String source) {
        return new Option<>(
                name,
                Double.class,
                fallback,
                "at least " + text(bound) + " and finite",
                v -> v >= bound && Double.isFinite(v),
                List.of(),
                help,
                source);
    }

    /**
     * Declares a number in a half-open range.
     *
     * @param name lower-case words joined by dashes
     * @param fallback the default
     * @param from the lower bound, inclusive
     * @param below the upper bound, exclusive
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Double> below(
            String name, double fallback, double from, double below, String help, String source) {
        return new Option<>(
                name,
                Double.class,
                fallback,
                "from " + text(from) + " to below " + text(below),
                v -> v >= from && v < below,
                List.of(),
                help,
                source);
    }

    /**
     * Declares a number in a closed range.
     *
     * @param name lower-case words joined by dashes
     * @param fallback the default
     * @param from the lower bound, inclusive
     * @param to the upper bound, inclusive
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Double> between(
            String name, double fallback, double from, double to, String help, String source) {
        return new Option<>(
                name,
                Double.class,
                fallback,
                "from " + text(from) + " to " + text(to),
                v -> v >= from && v <= to,
                List.of(),
                help,
                source);
    }

    /**
     * Declares an integer in a closed range.
     *
     * @param name lower-case words joined by dashes
     * @param fallback the default
     * @param from the lower bound, inclusive
     * @param to the upper bound, inclusive
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Integer> whole(String name, int fallback, int from, int to, String help, String source) {
        String range = to == Integer.MAX_VALUE ? "at least " + from : "from " + from + " to " + to;
        return new Option<>(name, Integer.class, fallback, range, v -> v >= from && v <= to, List.of(), help, source);
    }

    /**
     * Declares a choice of several texts.
     *
     * @param name lower-case words joined by dashes
     * @param choices the texts; the first is the default
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<String> choice(String name, List<String> choices, String help, String source) {
        return new Option<>(
                name,
                String.class,
                choices.get(0),
                "one of " + String.join(", ", choices),
                choices::contains,
                choices,
                help,
                source);
    }

    /**
     * Declares a switch that is off by default.
     *
     * @param name lower-case words joined by dashes
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Boolean> flag(String name, String help, String source) {
        return new Option<>(name, Boolean.class, false, "true or false", v -> true, List.of(), help, source);
    }

    /**
     * Declares a file or folder. The default, an empty path, means none. Metadata do not contain the path, since the location of a file
     * does not matter; the code that reads the file adds a description of its content to the metadata.
     *
     * @param name lower-case words joined by dashes
     * @param help a description in one sentence, without the default
     * @param source the source of the default; empty if it is this project's choice
     */
    public static Option<Path> path(String name, String help, String source) {
        return new Option<>(name, Path.class, Path.of(""), "a path", v -> true, List.of(), help, source);
    }

    /**
     * Returns this option with another default, for example for a second version of a method.
     *
     * @param value the default
     * @param itsSource the source of the default; empty if it is this project's choice
     */
    public Option<T> withDefault(T value, String itsSource) {
        return new Option<>(name, type, value, range, valid, choices, help, itsSource);
    }

    /** Returns the key of this option in metadata: the name with underscores instead of dashes. */
    public String key() {
        return name.replace('-', '_');
    }

    /**
     * Parses a value.
     *
     * @param text the text of the value
     * @throws IllegalArgumentException if the text is not a value of the type or is out of range; the message names the option
     */
    public T parse(String text) {
        Object value;
        try {
            if (type == Double.class) {
                value = Double.valueOf(text.strip());
            } else if (type == Integer.class) {
                value = Integer.valueOf(text.strip());
            } else if (type == Boolean.class) {
                value = flag(text.strip().toLowerCase(Locale.ROOT));
            } else if (type == Path.class) {
                value = Path.of(text.strip());
            } else {
                value = text.strip();
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " must be " + range + ", found " + text, e);
        }
        return check(type.cast(value));
    }

    private Boolean flag(String text) {
        if (!text.equals("true") && !text.equals("false")) {
            throw new IllegalArgumentException(name + " must be true or false, found " + text);
        }
        return text.equals("true");
    }

    /**
     * Checks that a value is in range, and returns it.
     *
     * @param value the value
     * @throws IllegalArgumentException if it is out of range; the message names the option
     */
    public T check(T value) {
        if (!valid.test(value)) {
            throw new IllegalArgumentException(name + " must be " + range + ", found " + value);
        }
        return value;
    }

    private static String text(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }
}
