// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.internal;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.PrimitiveProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The provenance of a configured object with measured values, such as counts, times and hashes, beside its configuration. */
public abstract class MeasuredProvenance extends SkeletalConfiguredObjectProvenance {
    private static final long serialVersionUID = 1L;

    private final HashMap<String, PrimitiveProvenance<?>> measured;

    /** Describes an object and its measured values. */
    public MeasuredProvenance(Configurable host, String kind, List<? extends PrimitiveProvenance<?>> values) {
        super(host, kind);
        measured = new HashMap<>();
        values.forEach(v -> measured.put(v.getKey(), v));
    }

    /**
     * Restores a saved provenance. The keys of {@code types} are the measured values; those that an older version did not write stay
     * missing.
     */
    public MeasuredProvenance(
            Map<String, Provenance> map, Map<String, Class<? extends PrimitiveProvenance<?>>> types, String name) {
        this(split(map, types, name));
    }

    private MeasuredProvenance(ExtractedInfo info) {
        super(info);
        measured = new HashMap<>(info.instanceValues);
    }

    private static ExtractedInfo split(
            Map<String, Provenance> map, Map<String, Class<? extends PrimitiveProvenance<?>>> types, String name) {
        Map<String, Provenance> configured = new HashMap<>(map);
        String className = ObjectProvenance.checkAndExtractProvenance(
                        configured, CLASS_NAME, StringProvenance.class, name)
                .getValue();
        String hostName = ObjectProvenance.checkAndExtractProvenance(
                        configured, HOST_SHORT_NAME, StringProvenance.class, name)
                .getValue();
        Map<String, PrimitiveProvenance<?>> measured = new HashMap<>();
        types.forEach((key, type) -> ObjectProvenance.maybeExtractProvenance(configured, key, type, name)
                .ifPresent(value -> measured.put(key, value)));
        return new ExtractedInfo(className, hostName, configured, measured);
    }

    @Override
    public Map<String, PrimitiveProvenance<?>> getInstanceValues() {
        Map<String, PrimitiveProvenance<?>> map = super.getInstanceValues();
        map.putAll(measured);
        return map;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && other instanceof MeasuredProvenance that && measured.equals(that.measured);
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + measured.hashCode();
    }
}
