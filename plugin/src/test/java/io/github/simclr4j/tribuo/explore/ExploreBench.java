// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.util.Progress;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/**
 * Times each algorithm on random features, 50,000 images x 128 in ten groups if no numbers are given:
 * {@code java -Xmx1g ... ExploreBench [images] [dimension]}.
 */
public final class ExploreBench {
    private ExploreBench() {}

    private static void time(String name, Callable<?> work) throws Exception {
        long start = System.nanoTime();
        work.call();
        System.gc();
        Runtime r = Runtime.getRuntime();
        System.out.printf(
                "%-24s %6.1f s, heap after it %4d MB%n",
                name, (System.nanoTime() - start) / 1e9, (r.totalMemory() - r.freeMemory()) >> 20);
    }

    /** Prints a line for each algorithm. */
    public static void main(String[] args) throws Exception {
        java.util.logging.Logger.getLogger("org.tribuo").setLevel(java.util.logging.Level.SEVERE);
        int n = args.length > 0 ? Integer.parseInt(args[0]) : 50_000;
        int d = args.length > 1 ? Integer.parseInt(args[1]) : 128;
        Features features = RandomFeatures.grouped(n, 10, d, 2, 1);
        List<String> labels =
                IntStream.range(0, n).mapToObj(i -> "class" + i % 10).toList();
        time(
                "10 neighbours of each",
                () -> NearestSearch.exact(features, Progress.NONE).ofEach(10));
        time("outliers", () -> Outliers.rank(NearestSearch.exact(features, Progress.NONE)));
        time("select 300", () -> Selection.select(features, 300, null, 1, Progress.NONE));
        time("mislabelled", () -> Mislabelled.rank(features, labels, 1, Progress.NONE));
        byte[][] thumbnails = new byte[1000][3 * Thumbnails.SIZE * Thumbnails.SIZE];
        Random random = new Random(1);
        for (byte[] t : thumbnails) {
            random.nextBytes(t);
        }
        time(
                "pixels of 400,000 pairs",
                () -> IntStream.range(0, 400_000)
                        .parallel()
                        .filter(p -> PixelComparison.compare(thumbnails[p % 1000], thumbnails[p / 1000 % 1000])
                                .isCopy())
                        .count());
    }
}
