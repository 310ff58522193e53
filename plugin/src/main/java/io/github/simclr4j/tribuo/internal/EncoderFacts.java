package io.github.simclr4j.tribuo.internal;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.MapProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Finds what a provenance says of encoders, however deep. */
public final class EncoderFacts {
    private static final String NEXT = ", (?:" + String.join("|", EncoderSettings.NAMES) + ")=";
    /** Where a setting is from, at its end: the value before it may have brackets, and so may the name of a file. */
    private static final Pattern SOURCE = Pattern.compile(" \\((?:(?!\\) \\(|" + NEXT + ").)*\\)(?=" + NEXT + "|$)");

    private EncoderFacts() {}

    /** Settings as {@link SimCLRFeatureExtractor.ExtractorProvenance#SETTINGS} has them, without where each is from. */
    public static String withoutSources(String settings) {
        return SOURCE.matcher(settings).replaceAll("");
    }

    /** The texts under a key. */
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
