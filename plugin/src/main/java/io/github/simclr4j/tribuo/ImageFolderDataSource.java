package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import java.util.Map;
import org.tribuo.Output;

/**
 * The old name of {@link io.github.simclr4j.tribuo.source.ImageFolderDataSource},
 * which configuration files and saved models have that were written before it had its own package.
 *
 * @param <T> the output type
 * @deprecated only for what was written before
 */
@Deprecated
public final class ImageFolderDataSource<T extends Output<T>> extends io.github.simclr4j.tribuo.source.ImageFolderDataSource<T> {
    /** For OLCUT. */
    private ImageFolderDataSource() {}

    /** The class of older provenances. */
    public static final class FolderProvenance extends io.github.simclr4j.tribuo.source.ImageFolderDataSource.FolderProvenance {
        private static final long serialVersionUID = 1L;

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public FolderProvenance(Map<String, Provenance> map) {
            super(map);
        }
    }
}
