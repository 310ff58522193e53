// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Groups of near-duplicates: copies of one image that were re-encoded, resized, cropped to 90% or recoloured, and photographs of the
 * same moment. Candidates are the nearest images by features, and by a sketch of their pixels. Since features alone confuse similar
 * images with copies, a comparison of the pixels decides. Immutable.
 *
 * @since 0.1.0
 */
public final class Duplicates {
    /** Number of candidates per image by features, and also by pixels. */
    private static final int CANDIDATES = 4;
    /** Number of pairs between two checks for interruption. */
    private static final int PART = 4096;

    /**
     * An image of a group.
     *
     * @param image the index of the image
     * @param similarity similarity of its pixels to those of the group's first image, 0 to 1
     */
    public record Member(int image, double similarity) {}

    private final List<List<Member>> groups;
    private final int size;

    private Duplicates(List<List<Member>> groups, int size) {
        this.groups = List.copyOf(groups);
        this.size = size;
    }

    /**
     * Finds the near-duplicates among images.
     *
     * @param features features of n images
     * @param thumbnails thumbnails of the set that the images were read from
     * @param numbers the index of each image in that set, [n]
     * @param progress receives the number of pairs compared
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    public static Duplicates find(Features features, Thumbnails thumbnails, int[] numbers, Progress progress) {
        long[] pairs = candidates(features, thumbnails, numbers, progress);
        boolean[] copies = new boolean[pairs.length];
        progress.start("comparing pixels", pairs.length);
        for (int from = 0; from < pairs.length; from += PART) {
            Interruption.check();
            int to = Math.min(pairs.length, from + PART);
            IntStream.range(from, to)
                    .parallel()
                    .forEach(p -> copies[p] = PixelComparison.compare(
                                    thumbnails.pixels(numbers[first(pairs[p])]),
                                    thumbnails.pixels(numbers[second(pairs[p])]))
                            .isCopy());
            progress.at(to, "");
        }
        progress.end();
        int[] root = IntStream.range(0, features.size()).toArray();
        for (int p = 0; p < pairs.length; p++) {
            if (copies[p]) {
                root[rootOf(root, second(pairs[p]))] = rootOf(root, first(pairs[p]));
            }
        }
        Map<Integer, List<Integer>> together = new TreeMap<>();
        for (int i = 0; i < root.length; i++) {
            together.computeIfAbsent(rootOf(root, i), r -> new ArrayList<>()).add(i);
        }
        return new Duplicates(
                together.values().stream()
                        .filter(g -> g.size() > 1)
                        .map(g -> group(g, thumbnails, numbers))
                        .sorted(Comparator.comparingInt(g -> g.get(0).image()))
                        .toList(),
                features.size());
    }

    /** Returns distinct pairs of images, with the smaller index in the upper 32 bits. */
    private static long[] candidates(Features features, Thumbnails thumbnails, int[] numbers, Progress progress) {
        float[][] sketches = new float[features.size()][];
        Arrays.setAll(sketches, i -> PixelSketch.of(thumbnails.pixels(numbers[i])));
        int[][] byFeatures =
                NearestSearch.of(features, progress).ofEach(CANDIDATES).images();
        int[][] byPixels = NearestSearch.of(new Features("pixels", features.names(), sketches), progress)
                .ofEach(CANDIDATES)
                .images();
        return IntStream.range(0, features.size())
                .boxed()
                .flatMapToLong(i -> IntStream.concat(IntStream.of(byFeatures[i]), IntStream.of(byPixels[i]))
                        .mapToLong(j -> (long) Math.min(i, j) << 32 | Math.max(i, j)))
                .sorted()
                .distinct()
                .toArray();
    }

    private static int first(long pair) {
        return (int) (pair >> 32);
    }

    private static int second(long pair) {
        return (int) pair;
    }

    private static int rootOf(int[] root, int image) {
        int i = image;
        while (root[i] != i) {
            root[i] = root[root[i]];
            i = root[i];
        }
        return i;
    }

    /** Orders a group: first the image with the most pixels (of several, the first), then the others by similarity. */
    private static List<Member> group(List<Integer> images, Thumbnails thumbnails, int[] numbers) {
        int kept = images.stream()
                .max(Comparator.<Integer>comparingLong(i -> thumbnails.area(numbers[i]))
                        .thenComparing(Comparator.reverseOrder()))
                .orElseThrow();
        List<Member> members = new ArrayList<>(List.of(new Member(kept, 1)));
        images.stream()
                .filter(i -> i != kept)
                .map(i -> new Member(
                        i,
                        PixelComparison.compare(thumbnails.pixels(numbers[kept]), thumbnails.pixels(numbers[i]))
                                .overall()))
                .sorted(Comparator.comparingDouble(Member::similarity).reversed())
                .forEach(members::add);
        return List.copyOf(members);
    }

    /**
     * Returns the groups.
     *
     * @return groups of at least two images, each with the image to keep first, in the order of that image
     */
    public List<List<Member>> groups() {
        return groups;
    }

    /** Returns the indices of the images that remain if one of each group is kept, in ascending order. */
    public int[] kept() {
        boolean[] dropped = new boolean[size];
        groups.forEach(g -> g.stream().skip(1).forEach(m -> dropped[m.image()] = true));
        return IntStream.range(0, size).filter(i -> !dropped[i]).toArray();
    }
}
