// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The {@linkplain Study studies} on the class path.
 *
 * @since 0.1.0
 */
public final class Studies {
    private Studies() {}

    /** Returns all studies, those of this library first. */
    public static List<Study> all() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        List<Study> all = new ArrayList<>();
        ServiceLoader.load(Study.class, context == null ? Studies.class.getClassLoader() : context)
                .forEach(all::add);
        all.sort(Comparator.comparing(
                (Study s) -> !s.getClass().getPackageName().equals(Studies.class.getPackageName())));
        return all;
    }

    /**
     * Returns the study with a name.
     *
     * @throws IllegalArgumentException if there is no study with this name; the message lists the names
     */
    public static Study named(String name) {
        return all().stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown study, expected "
                        + all().stream().map(Study::name).collect(Collectors.joining(", ")) + ", found " + name));
    }
}
