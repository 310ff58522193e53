// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.cli.report.DataImage;
import io.github.simclr4j.cli.report.page.EvaluationPictures;
import io.github.simclr4j.cli.report.page.ImageSheet;
import io.github.simclr4j.cli.report.page.Picture;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.evaluation.Confusions;
import io.github.simclr4j.tribuo.evaluation.FeatureSets;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.explore.EmbeddingMap;
import io.github.simclr4j.tribuo.explore.Features;
import io.github.simclr4j.tribuo.explore.Nearest;
import io.github.simclr4j.tribuo.explore.NearestSearch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;

/**
 * Selects the images for the reports of evaluations: test images for the map, examples of confusions, and neighbours.
 * They are the same for all encoders that are evaluated on the same images.
 */
final class ReportImages {
    /** Number of images on the map. */
    private static final int MAP = 2000;
    /** Number of images whose neighbours are shown, and number of neighbours of each. */
    private static final int QUERIES = 10;

    private static final int NEAREST = 8;
    /** Number of images of each confusion. */
    private static final int EXAMPLES = 8;
    /** With more encoders than this, fewer images of each are shown, so that the page does not grow further. */
    private static final int ENCODERS = 3;

    private static final int LEAST = 3;
    /** Side of a picture on the map in pixels. */
    private static final int TILE = 32;

    private final ImageSource train;
    private final ImageSource test;
    private final int encoders;
    private final long seed;
    private final Progress progress;
    private final Map<String, Integer> trainNumbers;
    private final Map<String, Integer> testNumbers;
    private ImageSheet sheet;

    /**
     * Selects the images.
     *
     * @param encoders number of encoders
     * @param seed seed of the choice of images
     */
    ReportImages(LabelledImages train, LabelledImages test, int encoders, long seed, Progress progress) {
        this.train = train.source();
        this.test = test.source();
        this.encoders = encoders;
        this.seed = seed;
        this.progress = progress;
        trainNumbers = numbers(this.train);
        testNumbers = numbers(this.test);
    }

    private int some(int most) {
        return Math.max(LEAST, most * Math.min(ENCODERS, encoders) / encoders);
    }

    private static Map<String, Integer> numbers(ImageSource source) {
        Map<String, Integer> numbers = new HashMap<>();
        IntStream.range(0, source.size()).forEach(i -> numbers.putIfAbsent(source.name(i), i));
        return numbers;
    }

    /**
     * Collects the pictures for one encoder. If an image can no longer be read, returns none with a warning, because
     * the figures are already computed.
     *
     * @param features features by the encoder
     * @param encoder identifier of the encoder
     * @param confusions confusions of its classifier, or null
     * @param json receives the neighbours
     */
    EvaluationPictures of(FeatureSets features, String encoder, Confusions confusions, Map<String, Object> json) {
        progress.line("selecting images for the report");
        try {
            return gather(features, encoder, confusions, json);
        } catch (IOException e) {
            progress.warn("the report has no pictures: " + e.getMessage());
            return EvaluationPictures.NONE;
        }
    }

    private EvaluationPictures gather(
            FeatureSets features, String encoder, Confusions confusions, Map<String, Object> json) throws IOException {
        MutableDataset<Label> tested = features.test();
        List<List<Picture>> examples = new ArrayList<>();
        if (confusions != null) {
            for (Confusions.Confusion c : confusions
                    .commonest()
                    .subList(
                            0,
                            Math.min(
                                    EvaluationDetails.COMMONEST,
                                    confusions.commonest().size()))) {
                examples.add(pictures(
                        test,
                        testNumbers,
                        c.images().stream()
                                .limit(some(EXAMPLES))
                                .map(i -> name(tested, i))
                                .toList()));
            }
        }
        List<List<Picture>> neighbours = neighbours(features, encoder, json);
        int[] shown = ImageSource.draw(tested.size(), Math.min(some(MAP), tested.size()), seed);
        if (sheet == null) {
            sheet = sheet(tested, shown, features.classes());
        }
        EmbeddingMap map = EmbeddingMap.of(some(tested, shown, encoder), seed, progress);
        return new EvaluationPictures(examples, neighbours, sheet, map);
    }

    private static String name(MutableDataset<Label> dataset, int i) {
        return dataset.getExample(i)
                .getMetadataValue(Example.NAME)
                .orElseThrow()
                .toString();
    }

    private static String label(MutableDataset<Label> dataset, int i) {
        return dataset.getExample(i).getOutput().getLabel();
    }

    private static Features some(MutableDataset<Label> dataset, int[] images, String encoder) {
        MutableDataset<Label> some = new MutableDataset<>(dataset.getSourceProvenance(), dataset.getOutputFactory());
        IntStream.of(images).forEach(i -> some.add(dataset.getExample(i)));
        return Features.of(encoder, some);
    }

    private static RgbImage read(ImageSource source, Map<String, Integer> numbers, String name) throws IOException {
        return source.read(numbers.get(name));
    }

    private static List<Picture> pictures(ImageSource source, Map<String, Integer> numbers, List<String> names)
            throws IOException {
        List<Picture> pictures = new ArrayList<>();
        for (String name : names) {
            pictures.add(new Picture(name, DataImage.exact(read(source, numbers, name))));
        }
        return pictures;
    }

    private ImageSheet sheet(MutableDataset<Label> tested, int[] shown, List<String> classes) throws IOException {
        List<RgbImage> images = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Integer> kinds = new ArrayList<>();
        for (int i : shown) {
            // Large images are reduced at once, because thousands of them would not fit into memory.
            images.add(DataImage.square(read(test, testNumbers, name(tested, i)), TILE));
            names.add(name(tested, i));
            kinds.add(classes.indexOf(label(tested, i)));
        }
        int columns = (int) Math.ceil(Math.sqrt(images.size()));
        return new ImageSheet(DataImage.sheet(images, columns, TILE), TILE, columns, names, kinds, classes);
    }

    /** Returns test images of as many classes as possible, each with its nearest training images. */
    private List<List<Picture>> neighbours(FeatureSets features, String encoder, Map<String, Object> json)
            throws IOException {
        MutableDataset<Label> tested = features.test();
        MutableDataset<Label> trained = features.train();
        int[] queries = queries(tested);
        Features bank = Features.of(encoder, trained);
        Nearest nearest = NearestSearch.exact(bank, Progress.NONE).nearest(some(tested, queries, encoder), NEAREST);
        List<List<Picture>> rows = new ArrayList<>();
        List<Map<String, Object>> figures = new ArrayList<>();
        for (int q = 0; q < queries.length; q++) {
            List<Picture> row = new ArrayList<>(pictures(test, testNumbers, List.of(name(tested, queries[q]))));
            List<Map<String, Object>> found = new ArrayList<>();
            for (int k = 0; k < nearest.images()[q].length; k++) {
                int image = nearest.images()[q][k];
                row.addAll(pictures(train, trainNumbers, List.of(name(trained, image))));
                Map<String, Object> one = new LinkedHashMap<>();
                one.put("path", name(trained, image));
                one.put("class", label(trained, image));
                one.put("similarity", nearest.similarities()[q][k]);
                found.add(one);
            }
            rows.add(row);
            Map<String, Object> query = new LinkedHashMap<>();
            query.put("query", name(tested, queries[q]));
            query.put("class", label(tested, queries[q]));
            query.put("nearest", found);
            figures.add(query);
        }
        json.put("neighbours", figures);
        return rows;
    }

    /** Returns indices of test images: one of each class in turn, in an order that depends on the seed. */
    private int[] queries(MutableDataset<Label> tested) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, tested.size()).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        Map<String, Integer> taken = new HashMap<>();
        List<int[]> ranked = new ArrayList<>();
        for (int i : order) {
            ranked.add(new int[] {taken.merge(label(tested, i), 1, Integer::sum), i});
        }
        ranked.sort(Comparator.comparingInt(r -> r[0]));
        return ranked.stream().limit(some(QUERIES)).mapToInt(r -> r[1]).toArray();
    }
}
