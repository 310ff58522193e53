// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import com.github.jelmerk.hnswlib.core.DistanceFunctions;
import com.github.jelmerk.hnswlib.core.Item;
import com.github.jelmerk.hnswlib.core.SearchResult;
import com.github.jelmerk.hnswlib.core.hnsw.HnswIndex;
import io.github.simclr4j.util.Progress;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Finds nearest neighbours approximately by a hierarchical navigable small world graph (HNSW,
 * <a href="https://arxiv.org/abs/1603.09320">Malkov and Yashunin 2018</a>).
 */
final class IndexedSearch implements NearestSearch {
    /** Number of links per image (M); the library's recommendation. */
    private static final int LINKS = 16;
    /** Number of candidates during construction and search (ef). */
    private static final int LOOKED_AT = 200;
    /** Number of images between two checks for interruption. */
    private static final int PART = 1024;

    private record Image(Integer id, float[] vector) implements Item<Integer, float[]> {
        private static final long serialVersionUID = 1L;

        @Override
        public int dimensions() {
            return vector.length;
        }
    }

    /** The index returns equally near images in no particular order. */
    private static final Comparator<SearchResult<Image, Float>> NEAREST =
            Comparator.<SearchResult<Image, Float>, Float>comparing(SearchResult::distance)
                    .thenComparing(r -> r.item().id());

    private final Features set;
    private final Progress progress;
    private final HnswIndex<Integer, float[], Image, Float> index;

    IndexedSearch(Features set, Progress progress) {
        this.set = set;
        this.progress = progress;
        // Rows have length 1, so the inner product is the cosine.
        index = HnswIndex.newBuilder(set.dimension(), DistanceFunctions.FLOAT_INNER_PRODUCT, set.size())
                .withM(LINKS)
                .withEf(LOOKED_AT)
                .withEfConstruction(LOOKED_AT)
                .build();
        inParts("indexing features", set.size(), i -> index.add(new Image(i, set.rows()[i])));
    }

    @Override
    public Nearest nearest(Features asked, int k) {
        set.comparable(asked);
        return search(asked.rows(), Math.min(k, set.size()), false);
    }

    @Override
    public Nearest ofEach(int k) {
        return search(set.rows(), Math.min(k, set.size() - 1), true);
    }

    private Nearest search(float[][] asked, int k, boolean themselves) {
        int[][] images = new int[asked.length][];
        float[][] similarities = new float[asked.length][];
        inParts("searching features", asked.length, i -> {
            List<SearchResult<Image, Float>> found = index.findNearest(asked[i], themselves ? k + 1 : k).stream()
                    .filter(r -> !themselves || r.item().id() != i)
                    .sorted(NEAREST)
                    .limit(k)
                    .toList();
            images[i] = found.stream().mapToInt(r -> r.item().id()).toArray();
            similarities[i] = new float[found.size()];
            for (int j = 0; j < found.size(); j++) {
                similarities[i][j] = 1 - found.get(j).distance();
            }
        });
        return new Nearest(images, similarities);
    }

    private interface Step {
        void take(int i);
    }

    private void inParts(String task, int count, Step step) {
        AtomicInteger done = new AtomicInteger();
        progress.start(task, count);
        for (int from = 0; from < count; from += PART) {
            Interruption.check();
            IntStream.range(from, Math.min(count, from + PART)).parallel().forEach(i -> {
                step.take(i);
                done.incrementAndGet();
            });
            progress.at(done.get(), "");
        }
        progress.end();
    }
}
