// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.internal;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.MapProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Writes an encoder's settings into a provenance, and finds facts about encoders in nested provenances. */
public final class EncoderFacts {
    private static final String NEXT = ", (?:" + String.join("|", EncoderSettings.NAMES) + ")=";
    /** The source at the end of a setting. Both the value before it and a file name in it may contain parentheses. */
    private static final Pattern SOURCE = Pattern.compile(" \\((?:(?!\\) \\(|" + NEXT + ").)*\\)(?=" + NEXT + "|$)");

    private EncoderFacts() {}

    /** Returns settings in one line, each with its source: {@code name=value (source)}. */
    public static String withSources(EncoderSettings settings) {
        return line(settings, v -> v.text() + " (" + v.source() + ")");
    }

    /** Returns settings in one line. */
    public static String withoutSources(EncoderSettings settings) {
        return line(settings, EncoderSettings.Value::text);
    }

    private static String line(EncoderSettings settings, Function<EncoderSettings.Value, String> text) {
        return settings.values().entrySet().stream()
                .map(e -> e.getKey() + "=" + text.apply(e.getValue()))
                .collect(Collectors.joining(", "));
    }

    /** Removes the sources from a line of settings. */
    public static String withoutSources(String settings) {
        return SOURCE.matcher(settings).replaceAll("");
    }

    /** Returns the texts with a key at any depth of a provenance. */
    public static Set<String> of(Provenance provenance, String key) {
        Set<String> texts = new TreeSet<>();
        collect(provenance, key, texts);
        return texts;
    }

    private static void collect(Provenance provenance, String key, Set<String> into) {
        if (provenance instanceof StringProvenance s) {
            if (s.getKey().equals(key)) {
                into.add(s.getValue());
            }
        } else if (provenance instanceof ObjectProvenance o) {
            o.forEach(p -> collect(p.getB(), key, into));
        } else if (provenance instanceof MapProvenance<?> m) {
            m.getMap().values().forEach(p -> collect(p, key, into));
        } else if (provenance instanceof ListProvenance<?> l) {
            l.getList().forEach(p -> collect(p, key, into));
        }
    }
}
