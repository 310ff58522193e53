// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.onnx.runtime.EncoderSettings.Pooling;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * The parsed setting {@code pooling}. {@code class+mean} concatenates the results of two poolings; {@code class,mean} has one entry for
 * each of two outputs.
 *
 * @param entries the poolings of each output in order, or a single entry for all outputs that are not vectors
 */
record PoolingRules(List<List<Pooling>> entries) {

    /**
     * Parses the setting.
     *
     * @throws IllegalArgumentException if a pooling is unknown or repeated in an entry, or {@code none} is combined with another pooling
     */
    static PoolingRules parse(String text) {
        List<List<Pooling>> entries = new ArrayList<>();
        for (String entry : text.split(",", -1)) {
            List<Pooling> poolings = new ArrayList<>();
            for (String name : entry.split("\\+", -1)) {
                poolings.add(SettingTexts.choice(Pooling.class, name.strip()));
            }
            if (new HashSet<>(poolings).size() < poolings.size()
                    || poolings.size() > 1 && poolings.contains(Pooling.NONE)) {
                throw new IllegalArgumentException(
                        "expected different poolings joined by +, such as class+mean, found " + entry.strip());
            }
            entries.add(List.copyOf(poolings));
        }
        return new PoolingRules(List.copyOf(entries));
    }

    /** Returns whether each output has its own entry. */
    boolean areSeparate() {
        return entries.size() > 1;
    }

    /** Returns the poolings of the output with this index. */
    List<Pooling> of(int output) {
        return entries.get(areSeparate() ? output : 0);
    }

    /** Returns a pooling's name in the settings, such as {@code mean-patches}. */
    static String name(Pooling pooling) {
        return pooling.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
