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
 * The images of a folder as examples, in the order of their paths; an image's output is the name of the sub-folder that it lies
 * in (the first below the folder). Each iteration decodes and extracts anew, a batch at a time. A file that is no whole image
 * is logged, counted and left out, unless another policy is configured. The extractor stays the caller's to close. Archives,
 * tables and binary files are for {@link ImageSetDataSource}.
 *
 * @param <T> the output type
 */
public class ImageFolderDataSource<T extends Output<T>> extends ClassifiedImages<T> {
    private static final Logger LOG = Logger.getLogger(ImageFolderDataSource.class.getName());

    @Config(mandatory = true, description = "Folder with one sub-folder a class.")
    private Path folder;

    /** For OLCUT. */
    protected ImageFolderDataSource() {
        super(OnUnreadable.SKIP);
    }

    /**
     * Lists the images of a folder.
     *
     * @param folder has one sub-folder a class
     * @param extractor makes features of images
     * @throws PropertyException if the folder can't be read or has no images in sub-folders
     */
    public ImageFolderDataSource(Path folder, ImageFeatureExtractor<T> extractor) {
        this(folder, extractor, OnUnreadable.SKIP);
    }

    /**
     * Lists the images of a folder.
     *
     * @param folder has one sub-folder a class
     * @param extractor makes features of images
     * @param onUnreadable what to do about a file that is no whole image
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
            throw new PropertyException("", "folder",
                    "No images in sub-folders of " + folder + ": expected one sub-folder a class");
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

    /** Which folder, how many files, when, and the SHA-256 over their names and contents. */
    public static class FolderProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** Number of image files. */
        public static final String FILES = "files";
        /** SHA-256 over relative paths and contents. */
        public static final String IMAGES_HASH = "images-sha256";

        <T extends Output<T>> FolderProvenance(ImageFolderDataSource<T> host) {
            super(host, "DataSource", List.of(
                    new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                    new IntProvenance(FILES, host.size()),
                    new StringProvenance(IMAGES_HASH, host.contentHash())));
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public FolderProvenance(Map<String, Provenance> map) {
            super(map, Map.of(DATASOURCE_CREATION_TIME, DateTimeProvenance.class, FILES, IntProvenance.class,
                    IMAGES_HASH, StringProvenance.class), FolderProvenance.class.getSimpleName());
        }
    }
}
