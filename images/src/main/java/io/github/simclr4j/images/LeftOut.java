package io.github.simclr4j.images;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Images that a folder or an archive holds and that are left out of the set, since they are in a format that is not read.
 *
 * @param kinds how many there are of each kind: the ending of their names in upper case, such as {@code HEIC},
 *     {@link #NO_ENDING} or {@link #LINK}
 * @param links names of links in an archive whose target is not in it, or that lead round in a circle; 20 at most
 */
public record LeftOut(SortedMap<String, Integer> kinds, List<String> links) {
    /** The kind of a file whose name has no ending and whose content is an image. */
    public static final String NO_ENDING = "without an ending";
    /** The kind of a link in an archive that leads to no file in it. */
    public static final String LINK = "link without a target";
    /** Nothing is left out. */
    public static final LeftOut NONE = new LeftOut(new TreeMap<>(), List.of());

    private static final int NAMED = 20;

    /** Takes copies. */
    public LeftOut {
        kinds = Collections.unmodifiableSortedMap(new TreeMap<>(kinds));
        links = List.copyOf(links);
    }

    /** Returns how many images are left out. */
    public int count() {
        return kinds.values().stream().mapToInt(i -> i).sum();
    }

    /** Returns these and others. */
    public LeftOut plus(LeftOut other) {
        TreeMap<String, Integer> sum = new TreeMap<>(kinds);
        other.kinds.forEach((kind, count) -> sum.merge(kind, count, Integer::sum));
        List<String> named = new ArrayList<>(links);
        named.addAll(other.links);
        return new LeftOut(sum, named.subList(0, Math.min(NAMED, named.size())));
    }

    /** Returns the number and the kinds in words, such as {@code 3 image files left out: 2 HEIC, 1 PPM}. */
    @Override
    public String toString() {
        return count() + (count() == 1 ? " image file" : " image files") + " left out: "
                + kinds.entrySet().stream().map(k -> k.getValue() + " " + k.getKey()
                        + (k.getKey().equals(LINK) ? " (" + String.join(", ", links) + (k.getValue() > links.size() ? ", ..." : "")
                                + ")" : ""))
                        .collect(Collectors.joining(", "));
    }

    /** Counts. */
    public static final class Counter {
        private final TreeMap<String, Integer> kinds = new TreeMap<>();
        private final List<String> links = new ArrayList<>();

        /**
         * Counts a file if it is an image that is not read. A hidden one, or one that is read, is not counted.
         *
         * @param name with slashes
         * @param image whether its content begins as an image, asked where the name has no ending
         */
        public void file(String name, BooleanSupplier image) {
            if (ImageNames.isImageName(name) || ImageNames.isHidden(name)) {
                return;
            }
            ImageNames.unreadKind(name).ifPresent(this::add);
            if (ImageNames.isWithoutEnding(name) && image.getAsBoolean()) {
                add(NO_ENDING);
            }
        }

        /** Counts a link that leads to no file. */
        public void link(String name) {
            add(LINK);
            if (links.size() < NAMED) {
                links.add(name);
            }
        }

        private void add(String kind) {
            kinds.merge(kind, 1, Integer::sum);
        }

        /** Returns what was counted. */
        public LeftOut done() {
            return new LeftOut(kinds, links);
        }
    }
}
