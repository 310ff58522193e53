// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import java.util.Map;
import org.tribuo.Output;

/**
 * The former name of {@link io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor}.
 *
 * <p>It is kept so that configuration files and saved models that contain the name can still be read.
 *
 * @param <T> the output type
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor}
 */
@Deprecated
public final class SimCLRFeatureExtractor<T extends Output<T>>
        extends io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor<T> {
    /** Required by OLCUT. */
    private SimCLRFeatureExtractor() {}

    /** The former name of the provenance class. */
    public static final class ExtractorProvenance
            extends io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor.ExtractorProvenance {
        private static final long serialVersionUID = 1L;

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public ExtractorProvenance(Map<String, Provenance> map) {
            super(map);
        }
    }
}
