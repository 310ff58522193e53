// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The composition of a random view: augmentations in the order in which they are applied.
 *
 * @param steps the augmentations of the image; without a crop among them, the whole image is resized first
 * @param patchSteps the augmentations of each patch by itself, for methods that train an encoder of patches (Hénaff et al. 2020,
 *     <a href="https://arxiv.org/abs/1905.09272">arXiv:1905.09272</a>, section 3); in the text they follow the word {@code patches}
 * @since 0.1.0
 */
public record AugmentationPipeline(List<AugmentationStep> steps, List<AugmentationStep> patchSteps) {
    /** The word of the text form after which augmentations change each patch by itself. */
    private static final String PATCHES = "patches";

    private static final Map<String, String> PRESETS = new TreeMap<>(Map.ofEntries(
            // Chen et al. 2020, appendix A: strength 1, blur.
            Map.entry("simclr", "crop:0.08,flip,jitter:1,grey,blur"),
            // Chen et al. 2020, appendix B.9: strength 0.5, no blur.
            Map.entry("simclr-cifar", "crop:0.08,flip,jitter:0.5,grey"),
            // He et al. 2020, section 3.3.
            Map.entry("mocov1", "crop-bilinear:0.2,grey,jitter:0.4/0.4/0.4/0.4@1,flip"),
            // Chen, Fan, Girshick and He 2020, table 1.
            Map.entry("mocov2", "crop-bilinear:0.2,jitter:0.4/0.4/0.4/0.1,grey,blur,flip"),
            // Grill et al. 2020, appendix B, table 6: the views T and T', of which only the second has solarisation.
            Map.entry("byol", "crop:0.08,flip,jitter:0.4/0.4/0.2/0.1,grey,blur@1"),
            Map.entry("byol2", "crop:0.08,flip,jitter:0.4/0.4/0.2/0.1,grey,blur@0.1,solarise"),
            // The same for images of about 32 pixels, without blur (solo-learn, configurations for CIFAR).
            Map.entry("byol-cifar", "crop:0.08,flip,jitter:0.4/0.4/0.2/0.1,grey"),
            Map.entry("byol2-cifar", "crop:0.08,flip,jitter:0.4/0.4/0.2/0.1,grey,solarise"),
            // VICReg for images of about 32 pixels, without blur.
            Map.entry("vicreg-cifar", "crop:0.2,flip,jitter:0.4/0.4/0.2/0.1,grey,solarise@0.1"),
            // MoCo v2 for images of about 32 pixels, without blur, which would remove too much detail.
            Map.entry("mocov2-cifar", "crop-bilinear:0.2,jitter:0.4/0.4/0.4/0.1,grey,flip"),
            Map.entry("supervised", "crop:0.08,flip"),
            Map.entry("autoaugment", "crop:0.08,flip,autoaugment"),
            Map.entry("autoaugment-imagenet", "crop:0.08,flip,autoaugment-imagenet")));

    /** Length of a line of the help in characters, and the column where descriptions begin. */
    private static final int LINE = 80;

    private static final int INDENT = 26;

    /**
     * Copies the lists.
     *
     * @throws IllegalArgumentException if there is more than one crop of the image or of a patch
     */
    public AugmentationPipeline {
        steps = checked(steps);
        patchSteps = checked(patchSteps);
    }

    /**
     * Creates a composition that changes the image as a whole.
     *
     * @param steps the augmentations in order
     * @throws IllegalArgumentException if there is more than one crop
     */
    public AugmentationPipeline(List<AugmentationStep> steps) {
        this(steps, List.of());
    }

    private static List<AugmentationStep> checked(List<AugmentationStep> steps) {
        if (steps.stream().filter(s -> s.factory().crops()).count() > 1) {
            throw new IllegalArgumentException("A view can be cropped only once, found " + steps);
        }
        return List.copyOf(steps);
    }

    /**
     * Returns this composition with another range of crop areas.
     *
     * @param least smallest share of the image's area, above 0
     * @param most largest share of the image's area, up to 1
     * @throws IllegalArgumentException if the composition has no crop
     */
    public AugmentationPipeline cropping(double least, double most) {
        if (steps.stream().noneMatch(s -> s.factory() instanceof Crop)) {
            throw new IllegalArgumentException("Small views need a crop among the augmentations, found " + this);
        }
        return new AugmentationPipeline(
                steps.stream()
                        .map(s -> s.factory() instanceof Crop
                                ? new AugmentationStep(s.name(), List.of(least, most), s.probability())
                                : s)
                        .toList(),
                patchSteps);
    }

    /** Returns the names of the presets. */
    public static List<String> presets() {
        return List.copyOf(PRESETS.keySet());
    }

    /**
     * Parses a composition.
     *
     * @param text the name of a preset, {@code none}, or augmentations separated by commas
     * @throws IllegalArgumentException if the text is none of these, or null
     */
    public static AugmentationPipeline of(String text) {
        if (text == null) {
            throw new IllegalArgumentException("Views are missing: expected one of " + String.join(", ", presets())
                    + ", none, or augmentations separated by commas, found null");
        }
        String known = PRESETS.getOrDefault(text.strip(), text);
        if (known.isBlank() || known.equals("none")) {
            return new AugmentationPipeline(List.of());
        }
        List<String> words =
                Arrays.stream(known.split(",", -1)).map(String::strip).toList();
        int cut = words.stream().map(w -> w.toLowerCase(Locale.ROOT)).toList().indexOf(PATCHES);
        return cut < 0
                ? new AugmentationPipeline(steps(words))
                : new AugmentationPipeline(steps(words.subList(0, cut)), steps(words.subList(cut + 1, words.size())));
    }

    private static List<AugmentationStep> steps(List<String> words) {
        return words.stream().map(AugmentationStep::of).toList();
    }

    /**
     * Returns a help text about all augmentations: each with its default strengths and probability, and its description. Lines have at most
     * 80 characters.
     */
    public static List<String> help() {
        List<String> lines = new ArrayList<>();
        for (AugmentationFactory factory : AugmentationFactory.all()) {
            entry(
                    AugmentationStep.of(factory.name()).toString().replaceAll("\\.0(?=[/@]|$)", ""),
                    factory.help(),
                    lines);
        }
        entry(PATCHES, "what follows changes each patch by itself; only with an encoder of patches, as of cpc", lines);
        return lines;
    }

    private static void entry(String name, String help, List<String> lines) {
        String line = "  " + name;
        if (line.length() > INDENT - 2) {
            lines.add(line);
            line = "";
        }
        line += " ".repeat(INDENT - 1 - line.length());
        for (String word : help.split(" ")) {
            if (line.length() + 1 + word.length() > LINE) {
                lines.add(line);
                line = " ".repeat(INDENT - 1);
            }
            line += " " + word;
        }
        lines.add(line);
    }

    /** Returns the text form that {@link #of} parses. */
    @Override
    public String toString() {
        List<String> words =
                new ArrayList<>(steps.stream().map(AugmentationStep::toString).toList());
        if (!patchSteps.isEmpty()) {
            words.add(PATCHES);
            patchSteps.forEach(step -> words.add(step.toString()));
        }
        return words.isEmpty() ? "none" : String.join(",", words);
    }
}
