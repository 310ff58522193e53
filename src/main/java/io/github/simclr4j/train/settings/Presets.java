// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The {@linkplain Preset presets} on the class path.
 *
 * @since 0.1.0
 */
public final class Presets {
    private Presets() {}

    /** Returns all presets, those of this library first. */
    public static List<Preset> all() {
        List<Preset> all = new ArrayList<>();
        ServiceLoader.load(Preset.class).forEach(all::add);
        all.sort(Comparator.comparing(
                (Preset p) -> !p.getClass().getPackageName().equals(Presets.class.getPackageName())));
        return all;
    }

    /**
     * Returns the preset of a name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static Preset named(String name) {
        return all().stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown preset, expected "
                        + all().stream().map(Preset::name).collect(Collectors.joining(", ")) + ", found " + name));
    }
}
