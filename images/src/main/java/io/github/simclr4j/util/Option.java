package io.github.simclr4j.util;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * Declares one setting of a method, an architecture, an augmentation or a protocol: its name, type, default, range, help and
 * source. The command line, the help texts, the checks, the metadata and the documentation are made from this declaration.
 *
 * @param <T> {@link Double}, {@link Integer}, {@link Boolean}, {@link String} or {@link Path}
 * @param name lower case words joined by dashes, such as {@code momentum-encoder}; the metadata key has underscores instead
 * @param type class of the values
 * @param fallback the default
 * @param range what is allowed, in words that follow "must be", such as {@code above 0 and finite}
 * @param valid whether a value is in the range
 * @param choices the allowed texts of a choice; empty for other types
 * @param help one sentence without the default
 * @param source where the default is from, such as {@code He et al. 2020}; empty if it is this project's choice
 */
public record Option<T>(String name, Class<T> type, T fallback, String range, Predicate<T> valid, List<String> choices,
        String help, String source) {

    /**
     * Checks the name and the default.
     *
     * @throws IllegalArgumentException if the name has other characters than a to z, 0 to 9 and dashes, the help is empty, or the
     *     default is out of range
     */
    public Option {
        choices = List.copyOf(choices);
        if (!name.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*")) {
            throw new IllegalArgumentException("An option's name has lower case words joined by dashes, found " + name);
        }
        if (help.isBlank()) {
            throw new IllegalArgumentException("The option " + name + " has no help");
        }
        if (!valid.test(fallback)) {
            throw new IllegalArgumentException("The default of " + name + " must be " + range + ", found " + fallback);
        }
    }

    /** Declares a number that must be above a bound and finite. */
    public static Option<Double> above(String name, double fallback, double bound, String help, String source) {
        return new Option<>(name, Double.class, fallback, "above " + text(bound) + " and finite",
                v -> v > bound && Double.isFinite(v), List.of(), help, source);
    }

    /** Declares a number that must be at least a bound and finite. */
    public static Option<Double> atLeast(String name, double fallback, double bound, String help, String source) {
        return new Option<>(name, Double.class, fallback, "at least " + text(bound) + " and finite",
                v -> v >= bound && Double.isFinite(v), List.of(), help, source);
    }

    /** Declares a number from a bound up to, not including, another. */
    public static Option<Double> below(String name, double fallback, double from, double below, String help, String source) {
        return new Option<>(name, Double.class, fallback, "from " + text(from) + " to below " + text(below),
                v -> v >= from && v < below, List.of(), help, source);
    }

    /** Declares a number between two bounds that are both allowed. */
    public static Option<Double> between(String name, double fallback, double from, double to, String help, String source) {
        return new Option<>(name, Double.class, fallback, "from " + text(from) + " to " + text(to),
                v -> v >= from && v <= to, List.of(), help, source);
    }

    /** Declares a whole number between two bounds that are both allowed. */
    public static Option<Integer> whole(String name, int fallback, int from, int to, String help, String source) {
        String range = to == Integer.MAX_VALUE ? "at least " + from : "from " + from + " to " + to;
        return new Option<>(name, Integer.class, fallback, range, v -> v >= from && v <= to, List.of(), help, source);
    }

    /** Declares a choice of several texts; the first is the default. */
    public static Option<String> choice(String name, List<String> choices, String help, String source) {
        return new Option<>(name, String.class, choices.get(0), "one of " + String.join(", ", choices), choices::contains, choices,
                help, source);
    }

    /** Declares a switch that is off by default. */
    public static Option<Boolean> flag(String name, String help, String source) {
        return new Option<>(name, Boolean.class, false, "true or false", v -> true, List.of(), help, source);
    }

    /**
     * Declares a file or folder; the default, an empty path, means none. Where a file is says nothing of a result, so that metadata
     * don't have the value: whoever reads the file describes its content there.
     */
    public static Option<Path> path(String name, String help, String source) {
        return new Option<>(name, Path.class, Path.of(""), "a path", v -> true, List.of(), help, source);
    }

    /** Returns the same option with another default, such as that of a second version of a method. */
    public Option<T> withDefault(T value, String itsSource) {
        return new Option<>(name, type, value, range, valid, choices, help, itsSource);
    }

    /** Returns the key of this option in metadata: the name with underscores in place of dashes. */
    public String key() {
        return name.replace('-', '_');
    }

    /**
     * Reads a value from a text.
     *
     * @throws IllegalArgumentException if it is no value of the type, or out of range; the message names the option
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
     * Returns the value if it is in range.
     *
     * @throws IllegalArgumentException if it is not; the message names the option
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
