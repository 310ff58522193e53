package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import java.util.Map;
import org.tribuo.Output;

/**
 * The old name of {@link io.github.simclr4j.tribuo.source.ImageTableDataSource},
 * which configuration files and saved models have that were written before it had its own package.
 *
 * @param <T> the output type
 * @deprecated only for what was written before
 */
@Deprecated
public final class ImageTableDataSource<T extends Output<T>> extends io.github.simclr4j.tribuo.source.ImageTableDataSource<T> {
    /** For OLCUT. */
    private ImageTableDataSource() {}

    /** The class of older provenances. */
    public static final class TableProvenance extends io.github.simclr4j.tribuo.source.ImageTableDataSource.TableProvenance {
        private static final long serialVersionUID = 1L;

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public TableProvenance(Map<String, Provenance> map) {
            super(map);
        }
    }
}
