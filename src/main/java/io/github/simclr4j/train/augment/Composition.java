package io.github.simclr4j.train.augment;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * How a random view of an image is made: augmentations in the order in which they are done.
 *
 * @param parts in order; without a crop the whole image is resized first
 */
public record Composition(List<Augmentation> parts) {
    private static final Map<String, String> PRESETS = new TreeMap<>(Map.of(
            // Chen et al. 2020, appendix A: strength 1, blur.
            "simclr", "crop:0.08,flip,jitter:1,grey,blur",
            // Chen et al. 2020, appendix B.9: strength 0.5, no blur.
            "simclr-cifar", "crop:0.08,flip,jitter:0.5,grey",
            // He et al. 2020, section 3.3.
            "mocov1", "crop-bilinear:0.2,grey,jitter:0.4/0.4/0.4/0.4@1,flip",
            // Chen, Fan, Girshick and He 2020, table 1.
            "mocov2", "crop-bilinear:0.2,jitter:0.4/0.4/0.4/0.1,grey,blur,flip",
            // The same for images of about 32 pixels, which a blur takes too much from.
            "mocov2-cifar", "crop-bilinear:0.2,jitter:0.4/0.4/0.4/0.1,grey,flip",
            "supervised", "crop:0.08,flip",
            "autoaugment", "crop:0.08,flip,autoaugment",
            "autoaugment-imagenet", "crop:0.08,flip,autoaugment-imagenet"));

    /** Copies the list. */
    public Composition {
        parts = List.copyOf(parts);
        if (parts.stream().filter(p -> p.kind().crops()).count() > 1) {
            throw new IllegalArgumentException("A view is cropped once at most, found " + parts);
        }
    }

    /** Names of the presets. */
    public static List<String> presets() {
        return List.copyOf(PRESETS.keySet());
    }

    /**
     * Parses the name of a preset, {@code none}, or augmentations separated by commas.
     *
     * @throws IllegalArgumentException if it is none of these, or null
     */
    public static Composition of(String text) {
        if (text == null) {
            throw new IllegalArgumentException("Views are missing: expected one of " + String.join(", ", presets())
                    + ", none, or augmentations separated by commas, found null");
        }
        String known = PRESETS.getOrDefault(text.strip(), text);
        if (known.isBlank() || known.equals("none")) {
            return new Composition(List.of());
        }
        return new Composition(Arrays.stream(known.split(",", -1)).map(Augmentation::of).toList());
    }

    /** As {@link #of} reads it. */
    @Override
    public String toString() {
        return parts.isEmpty() ? "none" : parts.stream().map(Augmentation::toString).collect(Collectors.joining(","));
    }
}
