package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import java.util.Map;
import org.tribuo.Output;

/**
 * The old name of {@link io.github.simclr4j.tribuo.source.EncodedDataSource},
 * which configuration files and saved models have that were written before it had its own package.
 *
 * @param <T> the output type
 * @deprecated only for what was written before
 */
@Deprecated
public final class EncodedDataSource<T extends Output<T>> extends io.github.simclr4j.tribuo.source.EncodedDataSource<T> {
    /** For OLCUT. */
    private EncodedDataSource() {}

    /** The class of older provenances. */
    public static final class EncodedProvenance extends io.github.simclr4j.tribuo.source.EncodedDataSource.EncodedProvenance {
        private static final long serialVersionUID = 1L;

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public EncodedProvenance(Map<String, Provenance> map) {
            super(map);
        }
    }

    /** The class of older provenances. */
    public static final class DatasetSourceProvenance
            extends io.github.simclr4j.tribuo.source.EncodedDataSource.DatasetSourceProvenance {
        private static final long serialVersionUID = 1L;

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public DatasetSourceProvenance(Map<String, Provenance> map) {
            super(map);
        }
    }
}
