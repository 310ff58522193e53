// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import io.github.simclr4j.onnx.runtime.EncoderSettings.Pooling;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * What the setting {@code pooling} says: {@code class+mean} concatenates the results of two poolings, {@code class,mean} has an entry for
 * each of two outputs.
 *
 * @param entries the poolings, in order, of each output, or one entry that holds for every output of tokens or a map
 */
record PoolingRules(List<List<Pooling>> entries) {

    /**
     * Parses a setting.
     *
     * @throws IllegalArgumentException if a pooling is unknown, stands twice in an entry, or {@code none} stands beside another
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

    /** Whether there is an entry for each output, not one for all. */
    boolean areSeparate() {
        return entries.size() > 1;
    }

    /** Returns the poolings of an output, by its number. */
    List<Pooling> of(int output) {
        return entries.get(areSeparate() ? output : 0);
    }

    /** Returns a pooling's name as one writes it. */
    static String name(Pooling pooling) {
        return pooling.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
