// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.util;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The values of declared {@linkplain Option options}. An option without a given value has its default. Immutable.
 *
 * @since 0.1.0
 */
public final class OptionValues {
    private final List<Option<?>> options;
    private final Map<String, Object> given;

    private OptionValues(List<Option<?>> options, Map<String, Object> given) {
        this.options = List.copyOf(options);
        this.given = given;
    }

    /**
     * Returns the default values of options.
     *
     * @param options the declarations
     */
    public static OptionValues defaults(List<? extends Option<?>> options) {
        return new OptionValues(List.copyOf(options), Map.of());
    }

    /**
     * Parses values by the names of their options.
     *
     * @param options the declarations
     * @param values texts by name; an absent or null value means the default
     * @throws IllegalArgumentException if there is no option of a name, or if a value is out of range
     */
    public static OptionValues of(List<? extends Option<?>> options, Map<String, String> values) {
        OptionValues all = defaults(options);
        for (Map.Entry<String, String> e : values.entrySet()) {
            if (e.getValue() != null) {
                all = all.with(all.option(e.getKey()), e.getValue());
            }
        }
        return all;
    }

    /** Returns the declarations, in order. */
    public List<Option<?>> options() {
        return options;
    }

    /**
     * Returns the option with a name.
     *
     * @param name the name of the option
     * @throws IllegalArgumentException if there is no such option; the message lists the names
     */
    public Option<?> option(String name) {
        return options.stream()
                .filter(o -> o.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown setting, expected "
                        + (options.isEmpty()
                                ? "none"
                                : options.stream().map(Option::name).collect(Collectors.joining(", ")))
                        + ", found " + name));
    }

    /**
     * Returns whether there is an option with a name.
     *
     * @param name the name of the option
     */
    public boolean has(String name) {
        return options.stream().anyMatch(o -> o.name().equals(name));
    }

    /**
     * Returns whether the value of an option was given, instead of being the default.
     *
     * @param name the name of the option
     */
    public boolean isGiven(String name) {
        return given.containsKey(name);
    }

    /**
     * Returns the value of an option. Options are identified by name, so a variant with another default has the same value.
     *
     * @param <T> the type of the value
     * @param option the option
     * @throws IllegalArgumentException if there is no option of this name
     */
    public <T> T get(Option<T> option) {
        return option.type()
                .cast(given.getOrDefault(option.name(), option(option.name()).fallback()));
    }

    /**
     * Returns these values with another value of an option, which is parsed from a text.
     *
     * @param option the option
     * @param text the text of the value
     * @throws IllegalArgumentException if the value is out of range, or there is no such option
     */
    public OptionValues with(Option<?> option, String text) {
        return put(option, option(option.name()).parse(text));
    }

    /**
     * Returns these values with another value of an option.
     *
     * @param <T> the type of the value
     * @param option the option
     * @param value the value
     * @throws IllegalArgumentException if the value is out of range, or there is no such option
     */
    public <T> OptionValues with(Option<T> option, T value) {
        return put(option, option.check(value));
    }

    private OptionValues put(Option<?> option, Object value) {
        option(option.name());
        Map<String, Object> more = new LinkedHashMap<>(given);
        more.put(option.name(), value);
        return new OptionValues(options, more);
    }

    /** Returns all values, including defaults, as texts by the options' names, in the order of the declarations. */
    public Map<String, String> texts() {
        Map<String, String> all = new LinkedHashMap<>();
        options.forEach(o -> all.put(o.name(), String.valueOf(get(o))));
        return all;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof OptionValues v && texts().equals(v.texts());
    }

    @Override
    public int hashCode() {
        return texts().hashCode();
    }

    @Override
    public String toString() {
        return texts().toString();
    }
}
