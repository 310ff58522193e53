package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.Images;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.ImageFiles;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import java.io.IOException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * The images of a folder as examples, in the order of their paths; an image's output is the name of the sub-folder that it lies
 * in (the first below the folder). Each iteration decodes and extracts anew, a batch at a time. A file that is no whole image
 * is logged, counted and left out, unless another policy is configured. The extractor stays the caller's to close.
 *
 * @param <T> the output type
 */
public class ImageFolderDataSource<T extends Output<T>> extends ImageDataSource<T, Path> {

    @Config(mandatory = true, description = "Folder with one sub-folder a class.")
    private Path folder;

    private List<Path> files;

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
        try {
            files = Images.find(folder).stream().filter(f -> depth(f) > 1).toList();
        } catch (IOException e) {
            throw new PropertyException(e, "", "folder", e.getMessage());
        }
        if (files.isEmpty()) {
            throw new PropertyException("", "folder",
                    "No images in sub-folders of " + folder + ": expected one sub-folder a class");
        }
    }

    private int depth(Path file) {
        return folder.relativize(file).getNameCount();
    }

    private String className(Path file) {
        return folder.relativize(file).getName(0).toString();
    }

    /** The names of the sub-folders that hold images, in order. */
    public List<String> classNames() {
        Set<String> names = new LinkedHashSet<>();
        files.forEach(f -> names.add(className(f)));
        return List.copyOf(names);
    }

    /** The number of image files. */
    public int size() {
        return files.size();
    }

    @Override
    Iterator<Path> items() {
        return files.iterator();
    }

    @Override
    PreparedImage prepare(Path file) throws IOException {
        return extractor.prepare(ImageFiles.read(file));
    }

    @Override
    String name(Path file) {
        return file.toString();
    }

    @Override
    Example<T> example(Path file, double[] features) {
        Example<T> example = new ArrayExample<>(
                getOutputFactory().generateOutput(className(file)), extractor.featureNames(), features);
        example.setMetadataValue(Example.NAME, file.toString());
        return example;
    }

    @Override
    public String toString() {
        return "ImageFolderDataSource(folder=" + folder + ",images=" + files.size() + ")";
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
                    new IntProvenance(FILES, host.files.size()),
                    new StringProvenance(IMAGES_HASH, contentHash(host.files.iterator(), host.folder))));
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
