package io.github.simclr4j.util;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Values for some declared {@linkplain Option options}; an option without a value has its default. Immutable. */
public final class OptionValues {
    private final List<Option<?>> options;
    private final Map<String, Object> given;

    private OptionValues(List<Option<?>> options, Map<String, Object> given) {
        this.options = List.copyOf(options);
        this.given = given;
    }

    /** Returns the defaults of some options. */
    public static OptionValues defaults(List<? extends Option<?>> options) {
        return new OptionValues(List.copyOf(options), Map.of());
    }

    /**
     * Reads values by the options' names.
     *
     * @param options which there are
     * @param values texts by name; an absent or null value means the default
     * @throws IllegalArgumentException if a name is none of the options', or a value is out of range
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
     * Returns an option by name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public Option<?> option(String name) {
        return options.stream().filter(o -> o.name().equals(name)).findFirst().orElseThrow(() -> new IllegalArgumentException(
                "Unknown setting, expected " + (options.isEmpty() ? "none"
                        : options.stream().map(Option::name).collect(Collectors.joining(", "))) + ", found " + name));
    }

    /** Whether there is an option of this name. */
    public boolean has(String name) {
        return options.stream().anyMatch(o -> o.name().equals(name));
    }

    /** Whether the option's value was given rather than its default. */
    public boolean isGiven(String name) {
        return given.containsKey(name);
    }

    /**
     * Returns the value of an option. The declaration counts by its name, so that a variant with another default finds the same
     * value.
     *
     * @throws IllegalArgumentException if there is no option of its name
     */
    public <T> T get(Option<T> option) {
        return option.type().cast(given.getOrDefault(option.name(), option(option.name()).fallback()));
    }

    /** Returns these values with another one, read from a text. */
    public OptionValues with(Option<?> option, String text) {
        return put(option, option(option.name()).parse(text));
    }

    /**
     * Returns these values with another one.
     *
     * @throws IllegalArgumentException if it is out of range, or there is no such option
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

    /** Returns every value as text by the option's name, defaults included, in the order of the declarations. */
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
