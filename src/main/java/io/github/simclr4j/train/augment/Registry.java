// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;

/** The augmentations on the class path. */
final class Registry {
    static final List<AugmentationFactory> ALL = load();

    private Registry() {}

    private static List<AugmentationFactory> load() {
        Package own = Registry.class.getPackage();
        List<AugmentationFactory> all =
                ServiceLoader.load(AugmentationFactory.class, AugmentationFactory.class.getClassLoader()).stream()
                        .map(ServiceLoader.Provider::get)
                        // Those of this library come first; the stable sort keeps the rest in order.
                        .sorted(Comparator.comparing(f -> f.getClass().getPackage() != own))
                        .toList();
        Set<String> names = new HashSet<>();
        for (AugmentationFactory f : all) {
            if (!f.name().matches("[a-z0-9]+(-[a-z0-9]+)*") || !names.add(f.name())) {
                throw new ServiceConfigurationError(
                        "The name of an augmentation must be unique and consist of lower-case words joined"
                                + " by dashes, found " + f.name() + " of "
                                + f.getClass().getName());
            }
        }
        return all;
    }

    static AugmentationFactory named(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return ALL.stream()
                .filter(f -> f.name().equals(lower))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown augmentation, expected one of "
                        + ALL.stream().map(AugmentationFactory::name).collect(Collectors.joining(", ")) + ", found "
                        + name));
    }
}
