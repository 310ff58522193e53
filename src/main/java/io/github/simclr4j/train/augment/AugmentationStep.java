// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An augmentation of a composition. Its text form is {@code name:strengths@probability}, where strengths and probability are optional:
 * {@code crop:0.08}, {@code jitter:0.5@0.8}, {@code jitter:0.4/0.4/0.4/0.1}.
 *
 * @param name name of an {@link AugmentationFactory}; case is ignored
 * @param strengths strengths as the factory declares them
 * @param probability probability that an image is transformed, 0 to 1
 * @since 0.1.0
 */
public record AugmentationStep(String name, List<Double> strengths, double probability) {

    /**
     * Checks the name and the ranges.
     *
     * @throws IllegalArgumentException if there is no such augmentation, or a number is out of range
     */
    public AugmentationStep {
        strengths = List.copyOf(strengths);
        AugmentationFactory factory = AugmentationFactory.named(name);
        name = factory.name();
        List<Strength> declared = declared(factory, strengths);
        for (int i = 0; i < declared.size(); i++) {
            if (!declared.get(i).allows(strengths.get(i))) {
                throw new IllegalArgumentException("A strength of " + name + " must be "
                        + declared.get(i).range() + ", found " + strengths.get(i));
            }
        }
        if (!(probability >= 0 && probability <= 1)) {
            throw new IllegalArgumentException("A probability must be from 0 to 1, found " + probability);
        }
    }

    /** Returns the declared list of strengths whose length is the given one. */
    private static List<Strength> declared(AugmentationFactory factory, List<Double> strengths) {
        List<List<Strength>> lists = Stream.concat(Stream.of(factory.strengths()), factory.alternatives().stream())
                .toList();
        return lists.stream()
                .filter(l -> l.size() == strengths.size())
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(factory.name() + " takes "
                        + lists.stream().map(l -> "" + l.size()).collect(Collectors.joining(" or "))
                        + " strengths, found "
                        + strengths));
    }

    /**
     * Parses {@code name:strengths@probability}.
     *
     * @throws IllegalArgumentException if the text has another form, the name is unknown or a number is out of range
     */
    public static AugmentationStep of(String text) {
        String[] chance = text.strip().split("@", 2);
        String[] parts = chance[0].split(":", 2);
        AugmentationFactory factory = AugmentationFactory.named(parts[0].strip());
        try {
            List<Double> strengths = parts.length == 1
                    ? factory.strengths().stream().map(Strength::standard).toList()
                    : Arrays.stream(parts[1].split("/")).map(Double::valueOf).toList();
            return new AugmentationStep(
                    factory.name(),
                    strengths,
                    chance.length == 1 ? factory.probability() : Double.parseDouble(chance[1]));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "Expected an augmentation as name:strength@probability, found " + text.strip(), e);
        }
    }

    /** Returns the declaration of this augmentation. */
    public AugmentationFactory factory() {
        return AugmentationFactory.named(name);
    }

    /** Returns the text form that {@link #of} parses. */
    @Override
    public String toString() {
        return name
                + (strengths.isEmpty()
                        ? ""
                        : ":" + strengths.stream().map(s -> "" + s).collect(Collectors.joining("/")))
                + "@" + probability;
    }
}
