// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Finds {@linkplain EncoderFamily families of encoders} on the class path by {@link ServiceLoader}.
 *
 * @since 0.1.0
 */
public final class EncoderFamilies {
    private EncoderFamilies() {}

    /**
     * Returns all families, those of this library first.
     *
     * @throws java.util.ServiceConfigurationError if a registered family can't be instantiated
     */
    public static List<EncoderFamily> all() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        ServiceLoader<EncoderFamily> found = ServiceLoader.load(
                EncoderFamily.class, context == null ? EncoderFamilies.class.getClassLoader() : context);
        return found.stream().map(ServiceLoader.Provider::get).toList();
    }

    /** Returns the names of all architectures. */
    public static List<String> names() {
        return names(all());
    }

    static List<String> names(List<EncoderFamily> families) {
        return families.stream().flatMap(f -> f.names().stream()).distinct().toList();
    }

    /**
     * Returns the family of an architecture.
     *
     * @param name the name of the architecture; case is ignored
     * @throws IllegalArgumentException if there is no such architecture; the message lists the names
     */
    public static EncoderFamily family(String name) {
        return find(name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "Unknown encoder, expected one of " + String.join(", ", names()) + ", found " + name));
    }

    private static Optional<EncoderFamily> find(String name) {
        return all().stream()
                .filter(f -> f.names().contains(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /**
     * Creates an architecture.
     *
     * @param name the name of the architecture; case is ignored
     * @param settings values by the names of the family's options; an absent or null value means the default
     * @throws IllegalArgumentException if there is no such architecture or setting, or a value is out of range
     */
    public static Architecture of(String name, Map<String, String> settings) {
        EncoderFamily family = family(name);
        Map<String, String> values = new LinkedHashMap<>();
        settings.forEach((k, v) -> values.put(k, v != null && isChoice(family, k) ? v.toLowerCase(Locale.ROOT) : v));
        return family.create(name.toLowerCase(Locale.ROOT), OptionValues.of(family.options(), values));
    }

    private static boolean isChoice(EncoderFamily family, String option) {
        return family.options().stream()
                .anyMatch(o -> o.name().equals(option) && !o.choices().isEmpty());
    }

    /**
     * Returns the architecture that the metadata of a file describe.
     *
     * @param metadata the key {@code architecture}, and the family's options by their {@linkplain Option#key() keys}
     * @return the architecture; empty if the metadata do not name a known architecture or lack one of its settings
     */
    public static Optional<Architecture> fromMetadata(Map<String, String> metadata) {
        String name = metadata.getOrDefault("architecture", "");
        Optional<EncoderFamily> family = name.isEmpty() ? Optional.empty() : find(name);
        Map<String, String> values = new LinkedHashMap<>();
        for (Option<?> o : family.map(EncoderFamily::options).orElse(List.of())) {
            values.put(o.name(), metadata.get(o.key()));
        }
        try {
            return family.isEmpty() || values.containsValue(null) ? Optional.empty() : Optional.of(of(name, values));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
