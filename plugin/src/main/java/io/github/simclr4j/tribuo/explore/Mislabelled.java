package io.github.simclr4j.tribuo.explore;

import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.util.Progress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.dataset.DatasetView;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/**
 * Labels that may be wrong: for each image, how improbable its label is to a linear classifier that was trained on other images of
 * the set (the self-confidence of Northcutt, Jiang and Chuang, 2021, "Confident learning", with {@value #FOLDS}-fold
 * cross-validation). On CIFAR-10's test images it finds planted wrong labels better than a vote of the nearest images does.
 */
public final class Mislabelled {
    /** Each image is judged by a classifier that was trained on the others of these parts. */
    public static final int FOLDS = 5;

    /**
     * How doubtful a label is.
     *
     * @param image number of the image
     * @param suggested the most probable label of the others
     * @param score 1 minus the probability of the image's own label, 0 to 1
     */
    public record Doubt(int image, String suggested, double score) {}

    private Mislabelled() {}

    /**
     * Ranks all images, the most doubtful label first. The label of a class's only image is as doubtful as can be.
     *
     * @param features of the images, n of them
     * @param labels theirs, [n]
     * @param seed shares the images out to the parts and trains
     * @param progress told how many parts are done
     * @throws IllegalArgumentException if there are fewer than two classes
     * @throws java.util.concurrent.CancellationException if the thread is interrupted
     */
    public static List<Doubt> rank(Features features, List<String> labels, long seed, Progress progress) {
        if (labels.size() != features.size()) {
            throw new IllegalArgumentException("Expected a label an image, found " + labels.size() + " for " + features.size());
        }
        if (labels.stream().distinct().count() < 2) {
            throw new IllegalArgumentException("Expected images of at least two classes, found "
                    + labels.stream().distinct().toList());
        }
        MutableDataset<Label> dataset = dataset(features, labels);
        int[] part = parts(labels, seed);
        Doubt[] doubts = new Doubt[labels.size()];
        AtomicInteger done = new AtomicInteger();
        progress.start("train", FOLDS);
        IntStream.range(0, FOLDS).parallel().forEach(fold -> {
            Interruption.check();
            judge(dataset, part, fold, seed, doubts);
            progress.at(done.incrementAndGet(), "");
        });
        progress.end();
        List<Doubt> ranked = new ArrayList<>(List.of(doubts));
        ranked.sort(Comparator.comparingDouble(Doubt::score).reversed().thenComparingInt(Doubt::image));
        return ranked;
    }

    private static MutableDataset<Label> dataset(Features features, List<String> labels) {
        LabelFactory factory = new LabelFactory();
        MutableDataset<Label> dataset =
                new MutableDataset<>(new SimpleDataSourceProvenance("features of " + features.size() + " images", factory), factory);
        String[] names = names(features.dimension());
        Map<String, Label> known = new HashMap<>();
        for (int i = 0; i < labels.size(); i++) {
            float[] row = features.rows()[i];
            double[] values = new double[row.length];
            for (int j = 0; j < row.length; j++) {
                values[j] = row[j];
            }
            dataset.add(new ArrayExample<>(known.computeIfAbsent(labels.get(i), Label::new), names, values));
        }
        return dataset;
    }

    private static String[] names(int dimension) {
        return io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor.names("h", dimension);
    }

    /** The part of each image, 0 to {@value #FOLDS} - 1: each class is spread evenly. */
    private static int[] parts(List<String> labels, long seed) {
        Map<String, List<Integer>> byClass = new TreeMap<>();
        for (int i = 0; i < labels.size(); i++) {
            byClass.computeIfAbsent(labels.get(i), k -> new ArrayList<>()).add(i);
        }
        Random random = new Random(seed);
        int[] part = new int[labels.size()];
        int next = 0;
        for (List<Integer> images : byClass.values()) {
            Collections.shuffle(images, random);
            for (int i : images) {
                part[i] = next++ % FOLDS;
            }
        }
        return part;
    }

    private static void judge(MutableDataset<Label> dataset, int[] part, int fold, long seed, Doubt[] doubts) {
        int[] others = IntStream.range(0, part.length).filter(i -> part[i] != fold).toArray();
        int[] judged = IntStream.range(0, part.length).filter(i -> part[i] == fold).toArray();
        if (judged.length == 0) {
            return;
        }
        DatasetView<Label> train = new DatasetView<>(dataset, others, "all but part " + fold);
        Model<Label> model = LinearEvaluation.trainer(train, seed).train(train);
        for (int i : judged) {
            Prediction<Label> prediction = model.predict(dataset.getExample(i));
            String own = dataset.getExample(i).getOutput().getLabel();
            double probability = 0;
            Label best = null;
            for (Label label : prediction.getOutputScores().values()) {
                if (label.getLabel().equals(own)) {
                    probability = label.getScore();
                } else if (best == null || label.getScore() > best.getScore()) {
                    best = label;
                }
            }
            doubts[i] = new Doubt(i, best == null ? own : best.getLabel(), 1 - probability);
        }
    }
}
