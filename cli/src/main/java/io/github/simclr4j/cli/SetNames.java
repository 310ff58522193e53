// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.source.ImageSource;
import java.io.File;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The names of a set's images, divided into what depends on the path that the set was opened by and what does not.
 *
 * @param base start of the names that are not absolute paths outside of it; empty if the names do not start alike
 * @param separator separator of the names; that of the relative names is a slash
 * @param relative names without the base
 */
record SetNames(String base, String separator, List<String> relative) {
    private static final Pattern ABSOLUTE = Pattern.compile("(?:/|[A-Za-z]:/).*", Pattern.DOTALL);

    /**
     * Divides the names of a set.
     *
     * @param images path that the set was opened by
     */
    static SetNames of(ImageSource source, Path images) {
        return of(IntStream.range(0, source.size()).mapToObj(source::name).toList(), images);
    }

    /** Divides names in such a way that {@link #full} returns each of them. */
    static SetNames of(List<String> names, Path images) {
        for (String base : bases(images)) {
            if (base.isEmpty() || names.stream().anyMatch(n -> n.startsWith(base))) {
                for (String separator : new LinkedHashSet<>(List.of(File.separator, "/"))) {
                    SetNames divided = new SetNames(
                            base,
                            separator,
                            names.stream().map(n -> relative(n, base)).toList());
                    if (divided.restores(names)) {
                        return divided;
                    }
                }
            }
        }
        return new SetNames("", "/", names);
    }

    /** Returns what names may start with: the path of the set, or of its folder as given or as an absolute path. */
    private static Set<String> bases(Path images) {
        Set<String> bases = new LinkedHashSet<>();
        bases.add(folder(images));
        if (images.getParent() != null) {
            bases.add(folder(images.getParent()));
        }
        if (images.toAbsolutePath().getParent() != null) {
            bases.add(folder(images.toAbsolutePath().getParent()));
        }
        bases.add("");
        return bases;
    }

    private static String folder(Path path) {
        String text = path.toString();
        return text.endsWith(File.separator) ? text : text + File.separator;
    }

    private static String relative(String name, String base) {
        return (name.startsWith(base) ? name.substring(base.length()) : name).replace(File.separatorChar, '/');
    }

    private boolean restores(List<String> names) {
        return IntStream.range(0, names.size())
                .allMatch(i -> full(base, separator, relative.get(i)).equals(names.get(i)));
    }

    /** Returns a relative name as a set with this base and separator names it. Absolute paths have no base. */
    static String full(String base, String separator, String relative) {
        return (ABSOLUTE.matcher(relative).matches() ? "" : base) + relative.replace("/", separator);
    }
}
