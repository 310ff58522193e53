// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * Finds {@linkplain Protocol protocols} on the class path by {@link ServiceLoader}.
 *
 * @since 0.1.0
 */
public final class Protocols {
    private Protocols() {}

    /**
     * Returns all protocols: first those of this package, then those of other jars in the order in which they are registered.
     *
     * @throws java.util.ServiceConfigurationError if a registered protocol can't be instantiated
     */
    public static List<Protocol> all() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        List<Protocol> all = new ArrayList<>();
        ServiceLoader.load(Protocol.class, context == null ? Protocols.class.getClassLoader() : context)
                .forEach(all::add);
        all.sort(Comparator.comparing(p -> !p.getClass().getPackageName().equals(Protocols.class.getPackageName())));
        return List.copyOf(all);
    }

    /**
     * Returns the protocol with a name.
     *
     * @param name the name of the protocol
     * @throws IllegalArgumentException if there is no such protocol; the message lists the names
     */
    public static Protocol named(String name) {
        List<Protocol> all = all();
        return all.stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown protocol, expected "
                        + all.stream().map(Protocol::name).collect(Collectors.joining(", ")) + ", found " + name));
    }
}
