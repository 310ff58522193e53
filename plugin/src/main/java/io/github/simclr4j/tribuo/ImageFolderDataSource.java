// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import java.util.Map;
import org.tribuo.Output;

/**
 * The former name of {@link io.github.simclr4j.tribuo.source.ImageFolderDataSource}.
 *
 * <p>It is kept so that configuration files and saved models that contain the name can still be read.
 *
 * @param <T> the output type
 * @since 0.1.0
 * @deprecated use {@link io.github.simclr4j.tribuo.source.ImageFolderDataSource}
 */
@Deprecated
public final class ImageFolderDataSource<T extends Output<T>>
        extends io.github.simclr4j.tribuo.source.ImageFolderDataSource<T> {
    /** Required by OLCUT. */
    private ImageFolderDataSource() {}

    /** The former name of the provenance class. */
    public static final class FolderProvenance
            extends io.github.simclr4j.tribuo.source.ImageFolderDataSource.FolderProvenance {
        private static final long serialVersionUID = 1L;

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public FolderProvenance(Map<String, Provenance> map) {
            super(map);
        }
    }
}
