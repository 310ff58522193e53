package io.github.simclr4j.tribuo.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** The {@linkplain Protocol protocols} that {@link ServiceLoader} finds on the class path. */
public final class Protocols {
    private Protocols() {}

    /**
     * Returns all of them: those of this package first, then others, each jar's in the order of its list.
     *
     * @throws java.util.ServiceConfigurationError if one that is registered can't be made
     */
    public static List<Protocol> all() {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        List<Protocol> all = new ArrayList<>();
        ServiceLoader.load(Protocol.class, context == null ? Protocols.class.getClassLoader() : context).forEach(all::add);
        all.sort(Comparator.comparing(p -> !p.getClass().getPackageName().equals(Protocols.class.getPackageName())));
        return List.copyOf(all);
    }

    /**
     * Returns the protocol of a name.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static Protocol named(String name) {
        List<Protocol> all = all();
        return all.stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow(() -> new IllegalArgumentException(
                "Unknown protocol, expected " + all.stream().map(Protocol::name).collect(Collectors.joining(", "))
                        + ", found " + name));
    }
}
