// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * The images of a folder or an archive that are left out of the set, because their format is not supported.
 *
 * @param kinds number of images by kind: the extension in upper case, such as {@code HEIC}, {@link #NO_ENDING} or {@link #LINK}
 * @param links names of links in an archive whose target is not in the archive, or that form a cycle; at most 20
 * @since 0.1.0
 */
public record LeftOut(SortedMap<String, Integer> kinds, List<String> links) {
    /** The kind of files whose name has no extension and whose content is an image. */
    public static final String NO_ENDING = "without an ending";
    /** The kind of links in an archive without a target in it. */
    public static final String LINK = "link without a target";
    /** The value for sets from which nothing is left out. */
    public static final LeftOut NONE = new LeftOut(new TreeMap<>(), List.of());

    private static final int NAMED = 20;

    /** Copies the collections. */
    public LeftOut {
        kinds = Collections.unmodifiableSortedMap(new TreeMap<>(kinds));
        links = List.copyOf(links);
    }

    /** Returns the number of images that are left out. */
    public int count() {
        return kinds.values().stream().mapToInt(i -> i).sum();
    }

    /**
     * Returns the sum of these and other images.
     *
     * @param other the other images
     */
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
                + kinds.entrySet().stream()
                        .map(k -> k.getValue() + " " + k.getKey()
                                + (k.getKey().equals(LINK)
                                        ? " (" + String.join(", ", links) + (k.getValue() > links.size() ? ", ..." : "")
                                                + ")"
                                        : ""))
                        .collect(Collectors.joining(", "));
    }

    /** Counts images that are left out. */
    public static final class Counter {
        private final TreeMap<String, Integer> kinds = new TreeMap<>();
        private final List<String> links = new ArrayList<>();

        /**
         * Counts a file if it is an image in a format that is not supported and not hidden.
         *
         * @param name the name, with slashes
         * @param image returns whether the content begins like an image; called if the name has no extension
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

        /**
         * Counts a link without a target.
         *
         * @param name the name of the link
         */
        public void link(String name) {
            add(LINK);
            if (links.size() < NAMED) {
                links.add(name);
            }
        }

        private void add(String kind) {
            kinds.merge(kind, 1, Integer::sum);
        }

        /** Returns the images counted so far. */
        public LeftOut done() {
            return new LeftOut(kinds, links);
        }
    }
}
