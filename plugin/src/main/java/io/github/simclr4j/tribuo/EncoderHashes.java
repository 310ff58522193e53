package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.MapProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import java.util.Set;
import java.util.TreeSet;

/** Finds the encoders that a provenance names, however deep. */
final class EncoderHashes {
    private EncoderHashes() {}

    static Set<String> of(Provenance provenance) {
        Set<String> hashes = new TreeSet<>();
        collect(provenance, hashes);
        return hashes;
    }

    private static void collect(Provenance provenance, Set<String> into) {
        if (provenance instanceof StringProvenance s) {
            if (s.getKey().equals(SimCLRFeatureExtractor.ExtractorProvenance.ENCODER_HASH)) {
                into.add(s.getValue());
            }
        } else if (provenance instanceof ObjectProvenance o) {
            o.forEach(p -> collect(p.getB(), into));
        } else if (provenance instanceof MapProvenance<?> m) {
            m.getMap().values().forEach(p -> collect(p, into));
        } else if (provenance instanceof ListProvenance<?> l) {
            l.getList().forEach(p -> collect(p, into));
        }
    }
}
