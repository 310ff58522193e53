// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.images.load.ImageSizes;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.settings.Preset;
import io.github.simclr4j.train.settings.PresetDefaults;
import io.github.simclr4j.train.settings.Presets;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** Suggests a preset if images are far larger than the views and the user chose no image size. */
final class PresetSuggestion {
    private PresetSuggestion() {}

    /**
     * Reads the headers of some images.
     *
     * @param settings settings of a run with the default image size
     * @return a warning; empty if the images are not far larger than the views, or none of the headers can be read
     */
    static Optional<String> of(ImageSource source, PretrainSettings settings) {
        OptionalInt side = ImageSizes.medianShortSide(source);
        return side.isEmpty() || !settings.isFarSmallerThan(side.getAsInt())
                ? Optional.empty()
                : Optional.of(warning(side.getAsInt(), settings));
    }

    private static String warning(int side, PretrainSettings settings) {
        List<Preset> fitting = Presets.all().stream()
                .filter(p -> imageSize(p, settings) > settings.imageSize() && imageSize(p, settings) <= side)
                .toList();
        String presets = fitting.stream()
                .map(p -> "--preset " + p.name() + " (" + imageSize(p, settings) + " pixels)")
                .collect(Collectors.joining(" or "));
        return "at least half of the images have a short side of " + side
                + " pixels or more, and the default --image-size shrinks them to "
                + settings.imageSize() + ": give " + (fitting.isEmpty() ? "" : presets + " for photographs, or ")
                + "another --image-size";
    }

    private static int imageSize(Preset preset, PretrainSettings settings) {
        PresetDefaults defaults = new PresetDefaults(settings.method(), preset.encoder());
        preset.defaults(defaults);
        return defaults.get("imageSize", Integer.class).orElse(settings.imageSize());
    }
}
