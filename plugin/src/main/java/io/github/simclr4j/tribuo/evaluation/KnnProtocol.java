// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.evaluation;

import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.classification.Label;

/**
 * Evaluates fixed features by weighted k-nearest-neighbour classification
 * (<a href="https://arxiv.org/abs/1805.01978">Wu et al. 2018</a>, section 3.4). The k training images with the largest cosine
 * similarity vote for their class with weight {@code exp(cosine / t)}. Nothing is trained.
 *
 * @since 0.1.0
 */
public final class KnnProtocol implements Protocol {
    /** The number k of training images that vote; all of them if there are fewer. */
    public static final Option<Integer> NEIGHBOURS = Option.whole(
            "neighbours",
            200,
            1,
            Integer.MAX_VALUE,
            "Number of nearest training images that vote for the class of a test image",
            "Wu et al. 2018");
    /** The temperature t that the cosine similarities are divided by. */
    public static final Option<Double> TEMPERATURE = Option.above(
            "knn-temperature",
            0.1,
            0,
            "Temperature of the votes: the lower it is, the more weight the nearest images have",
            "Wu et al. 2018");

    @Override
    public String name() {
        return "knn";
    }

    @Override
    public String help() {
        return "the training images with the nearest features vote for the class";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1805.01978";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(NEIGHBOURS, TEMPERATURE);
    }

    @Override
    public Accuracies run(ProtocolContext context) throws IOException {
        FeatureSets features = context.features();
        float[][] bank = rows(features.train());
        float[][] asked = rows(features.test());
        List<String> known = FeatureSets.labels(features.train());
        List<String> classes = known.stream().distinct().sorted().toList();
        int[] expected = FeatureSets.labels(features.test()).stream()
                .mapToInt(classes::indexOf)
                .toArray();
        int k = context.options().get(NEIGHBOURS);
        double t = context.options().get(TEMPERATURE);
        return Accuracies.measure(context, (share, seed) -> {
            int[] voters = LinearEvaluation.share(known, share, seed);
            float[][] some = Arrays.stream(voters).mapToObj(i -> bank[i]).toArray(float[][]::new);
            int[] labels = Arrays.stream(voters)
                    .map(i -> classes.indexOf(known.get(i)))
                    .toArray();
            int[] found = Neighbours.classify(some, labels, classes.size(), asked, k, t);
            int right = 0;
            for (int i = 0; i < found.length; i++) {
                right += found[i] == expected[i] ? 1 : 0;
            }
            return (double) right / found.length;
        });
    }

    /** Returns the features as the encoder computed them. */
    private static float[][] rows(Dataset<Label> dataset) {
        float[][] rows = new float[dataset.size()][];
        for (int i = 0; i < rows.length; i++) {
            Example<Label> example = dataset.getExample(i);
            rows[i] = new float[example.size()];
            int j = 0;
            for (Feature f : example) {
                rows[i][j++] = (float) f.getValue();
            }
        }
        return rows;
    }
}
