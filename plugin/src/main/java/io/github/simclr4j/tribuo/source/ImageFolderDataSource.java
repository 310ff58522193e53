// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import java.io.IOException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Logger;
import org.tribuo.Output;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * Reads the images of a folder, in the order of their paths. An image's output is the name of the sub-folder that contains it (the
 * first level below the folder).
 *
 * <p>Each iteration decodes and encodes all images again, one batch at a time. A damaged file is logged, counted and left out,
 * unless another policy is configured. The caller closes the extractor.
 *
 * <p>For archives, tables and binary files use {@link ImageSetDataSource}.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public class ImageFolderDataSource<T extends Output<T>> extends ClassifiedImages<T> {
    private static final Logger LOG = Logger.getLogger(ImageFolderDataSource.class.getName());

    @Config(mandatory = true, description = "The folder, with one sub-folder per class.")
    private Path folder;

    /** Required by OLCUT. */
    protected ImageFolderDataSource() {
        super(OnUnreadable.SKIP);
    }

    /**
     * Lists the images of a folder. Images that can't be read are left out.
     *
     * @param folder the folder, with one sub-folder per class
     * @param extractor the extractor that encodes the images
     * @throws PropertyException if the folder can't be read or has no images in sub-folders
     */
    public ImageFolderDataSource(Path folder, ImageFeatureExtractor<T> extractor) {
        this(folder, extractor, OnUnreadable.SKIP);
    }

    /**
     * Lists the images of a folder.
     *
     * @param folder the folder, with one sub-folder per class
     * @param extractor the extractor that encodes the images
     * @param onUnreadable what to do with a damaged file
     * @throws PropertyException if the folder can't be read or has no images in sub-folders
     */
    public ImageFolderDataSource(Path folder, ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable) {
        super(onUnreadable);
        this.folder = folder;
        this.extractor = extractor;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        checkBatchSize();
        Optional<ImageSource> images;
        try {
            images = ImageSource.folder(folder);
        } catch (IOException e) {
            throw new PropertyException(e, "", "folder", e.getMessage());
        }
        if (images.isEmpty() || !use(images.get(), false)) {
            throw new PropertyException(
                    "", "folder", "No images in sub-folders of " + folder + ": expected one sub-folder per class");
        }
        LeftOut leftOut = images.get().leftOut();
        if (leftOut.count() > 0) {
            LOG.warning(folder + ": " + leftOut);
        }
    }

    @Override
    Path origin() {
        return folder;
    }

    @Override
    public String toString() {
        return "ImageFolderDataSource(folder=" + folder + ",images=" + size() + ")";
    }

    @Override
    DataSourceProvenance describe() {
        return new FolderProvenance(this);
    }

    /** Records the folder, the number of files, the time, and the SHA-256 of their names and contents. */
    public static class FolderProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** The key of the number of image files. */
        public static final String FILES = "files";
        /** The key of the SHA-256 of relative paths and contents. */
        public static final String IMAGES_HASH = "images-sha256";

        <T extends Output<T>> FolderProvenance(ImageFolderDataSource<T> host) {
            super(
                    host,
                    "DataSource",
                    List.of(
                            new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                            new IntProvenance(FILES, host.size()),
                            new StringProvenance(IMAGES_HASH, host.contentHash())));
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public FolderProvenance(Map<String, Provenance> map) {
            super(
                    map,
                    Map.of(
                            DATASOURCE_CREATION_TIME,
                            DateTimeProvenance.class,
                            FILES,
                            IntProvenance.class,
                            IMAGES_HASH,
                            StringProvenance.class),
                    FolderProvenance.class.getSimpleName());
        }
    }
}
