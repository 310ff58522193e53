// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/**
 * The training methods on the class path.
 *
 * @since 0.1.0
 */
public final class Methods {
    private Methods() {}

    /** Returns all methods: first those of this library in the order of its service file, then others. */
    public static List<MethodFactory> all() {
        List<MethodFactory> all = new ArrayList<>();
        ServiceLoader.load(MethodFactory.class).forEach(all::add);
        Module own = Methods.class.getModule();
        all.sort(Comparator.comparing((MethodFactory f) -> f.getClass().getModule() != own
                || !f.getClass().getPackageName().equals(Methods.class.getPackageName())));
        return all;
    }

    /**
     * Returns the method with a name.
     *
     * @throws IllegalArgumentException if there is no method with this name
     */
    public static MethodFactory named(String name) {
        return all().stream()
                .filter(f -> f.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown method, expected "
                        + all().stream().map(MethodFactory::name).collect(Collectors.joining(", ")) + ", found "
                        + name));
    }
}
