// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.internal.Fingerprint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** The labels of images. Each is an index into the classes, or -1 for none. */
record Labels(List<String> classes, int[] of) {

    static Labels none(int size) {
        int[] none = new int[size];
        Arrays.fill(none, -1);
        return new Labels(List.of(), none);
    }

    OptionalInt get(int i) {
        return of[i] < 0 ? OptionalInt.empty() : OptionalInt.of(of[i]);
    }

    /** Makes labels from names of classes, or null for none. Classes are sorted, by value if all of them are integers. */
    static Labels ofNames(List<String> names) {
        List<String> classes = new ArrayList<>(
                names.stream().filter(Objects::nonNull).distinct().toList());
        boolean numbers = classes.stream().allMatch(c -> c.matches("-?\\d{1,18}"));
        classes.sort(numbers ? Comparator.comparingLong(Long::parseLong) : Comparator.naturalOrder());
        Map<String, Integer> index = new HashMap<>();
        classes.forEach(c -> index.put(c, index.size()));
        return new Labels(
                List.copyOf(classes),
                names.stream().mapToInt(n -> n == null ? -1 : index.get(n)).toArray());
    }

    /** Makes labels from numbers. There are as many classes as names, or else classes 0 to the largest label. */
    static Labels ofNumbers(int[] labels, List<String> named) {
        int count = Math.max(named.size(), Arrays.stream(labels).max().orElse(-1) + 1);
        return new Labels(
                IntStream.range(0, count)
                        .mapToObj(i -> i < named.size() ? named.get(i) : Integer.toString(i))
                        .toList(),
                labels);
    }

    /**
     * Makes labels from paths, whose first folder is the class.
     *
     * @param paths paths with slashes
     * @param dropShared whether to ignore folders above the class that all paths share
     */
    static Labels ofFolders(List<String> paths, boolean dropShared) {
        int level = 0;
        while (dropShared && sharedAndDeeper(paths, level)) {
            level++;
        }
        int first = level;
        return ofNames(paths.stream().map(p -> folder(p, first)).toList());
    }

    private static boolean sharedAndDeeper(List<String> paths, int level) {
        String shared = folder(paths.get(0), level);
        return shared != null
                && paths.stream().allMatch(p -> shared.equals(folder(p, level)) && folder(p, level + 1) != null);
    }

    /** Returns the folder of a path at a level, or null if the path is not that deep. */
    private static String folder(String path, int level) {
        int from = 0;
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', from)) {
            String name = path.substring(from, slash);
            from = slash + 1;
            // Names in an archive may begin with ./ or / or contain "..".
            if (!name.isEmpty() && !name.equals(".") && !name.equals("..") && level-- == 0) {
                return name;
            }
        }
        return null;
    }

    void addTo(Fingerprint fingerprint) {
        classes.forEach(fingerprint::add);
        for (int label : of) {
            fingerprint.add(label);
        }
    }
}
