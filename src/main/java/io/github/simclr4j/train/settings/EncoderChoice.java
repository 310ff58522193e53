// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.EncoderFamilies;
import io.github.simclr4j.onnx.network.EncoderFamily;
import io.github.simclr4j.util.Option;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Which architecture a run has: a whole one, or a name and some options of its family, which a preset may add to.
 *
 * @param architecture null where it is chosen by its name
 * @param name null where a preset or the common default names it
 * @param options values by the names of the family's options; a null value means the default
 */
record EncoderChoice(Architecture architecture, String name, Map<String, String> options) {
    /** Without a preset. */
    static final String USUAL = "resnet18";

    /** Nothing chosen. */
    static final EncoderChoice NONE = new EncoderChoice(null, null, Map.of());

    /** Returns the architecture's name in lower case; the preset may be null. */
    String name(Preset preset) {
        String usual = preset == null ? USUAL : preset.encoder();
        return (architecture != null ? architecture.name() : name != null ? name : usual).toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the architecture. A ResNet has a quarter of the published width unless another is given.
     *
     * @param preset may be null
     * @param usual options that the preset has
     * @throws IllegalArgumentException if there is no such architecture or option, or a value is out of range
     */
    Architecture architecture(Preset preset, Map<String, String> usual) {
        if (architecture != null) {
            return architecture;
        }
        String chosen = name(preset);
        EncoderFamily family = EncoderFamilies.family(chosen);
        Map<String, String> all = new LinkedHashMap<>();
        if (PretrainSettings.isNarrowByDefault(family)) {
            all.put("width", Double.toString(PretrainSettings.WIDTH));
        }
        usual.forEach((option, value) -> {
            if (takes(family.options(), option, value)) {
                all.put(option, value);
            }
        });
        options.forEach((option, value) -> {
            if (value != null) {
                all.put(option, value);
            }
        });
        return EncoderFamilies.of(chosen, all);
    }

    private static boolean takes(List<Option<?>> options, String name, String value) {
        return options.stream()
                .anyMatch(o -> o.name().equals(name)
                        && (o.choices().isEmpty() || o.choices().contains(value)));
    }
}
