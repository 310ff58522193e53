package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;
import org.tribuo.Output;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * The images of whatever {@link ImageSource#open} reads as examples, in its order: a folder, a zip or tar archive, a table of
 * paths, or the binary files of CIFAR, STL-10 and MNIST (IDX). An image's output is made of the name of its class. Each iteration
 * decodes and extracts anew, a batch at a time. An image that can't be read is logged, counted and left out, unless another
 * policy is configured.
 *
 * <p>{@link #close} gives the files back; the extractor stays the caller's to close. {@link ImageFolderDataSource} is the case of
 * a folder of image files alone, which needs no closing.
 *
 * @param <T> the output type
 */
public final class ImageSetDataSource<T extends Output<T>> extends ClassifiedImages<T> implements AutoCloseable {
    private static final Progress LOG = Progress.logging(Logger.getLogger(ImageSetDataSource.class.getName()));

    @Config(mandatory = true, description = "A folder, an archive, a table of paths, or a binary file of CIFAR, STL-10 or MNIST.")
    private Path images;

    @Config(description = "Give images without a class too, with the unknown output; they are left out otherwise.")
    private boolean unlabelled = false;

    private ImageSource source;
    private boolean owned;
    private volatile boolean closed;

    /** For OLCUT. */
    private ImageSetDataSource() {
        super(OnUnreadable.SKIP);
    }

    /**
     * Opens images and leaves out those that have no class or can't be read.
     *
     * @param images what {@link ImageSource#open} reads
     * @param extractor makes features of images
     * @throws PropertyException if the images can't be opened or none has a class
     */
    public ImageSetDataSource(Path images, ImageFeatureExtractor<T> extractor) {
        this(images, extractor, OnUnreadable.SKIP, false);
    }

    /**
     * Opens images.
     *
     * @param images what {@link ImageSource#open} reads
     * @param extractor makes features of images
     * @param onUnreadable what to do about an image that can't be read
     * @param unlabelled whether images without a class are given too, with the unknown output
     * @throws PropertyException if the images can't be opened or none has a class and those without are left out
     */
    public ImageSetDataSource(Path images, ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable, boolean unlabelled) {
        super(onUnreadable);
        this.images = images;
        this.unlabelled = unlabelled;
        this.extractor = extractor;
        postConfig();
    }

    /**
     * Takes images that are open already, such as some of a set's, and leaves out those that have no class or can't be read.
     *
     * @param images what they were opened from
     * @param source stays the caller's to close
     * @param extractor makes features of images
     * @throws PropertyException if none has a class
     */
    public ImageSetDataSource(Path images, ImageSource source, ImageFeatureExtractor<T> extractor) {
        super(OnUnreadable.SKIP);
        this.images = images;
        this.extractor = extractor;
        this.source = source;
        check();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        checkBatchSize();
        try {
            source = ImageSource.open(images, LOG);
        } catch (IOException e) {
            throw new PropertyException(e, "", "images", e.getMessage());
        }
        owned = true;
        check();
    }

    private void check() {
        if (!use(source, unlabelled)) {
            close();
            throw new PropertyException("", "images", images + " has no images with a class: expected at least two classes, such"
                    + " as one sub-folder a class");
        }
    }

    @Override
    Path origin() {
        return images;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if this is closed
     */
    @Override
    Iterator<Integer> items() {
        if (closed) {
            throw new IllegalStateException("The images of " + images + " are closed");
        }
        return super.items();
    }

    /** Gives the files back, if this has opened them; a second call does nothing. */
    @Override
    public void close() {
        closed = true;
        if (owned) {
            try {
                source.close();
            } catch (IOException e) {
                throw new UncheckedIOException(images + ": " + e.getMessage(), e);
            }
        }
    }

    @Override
    public String toString() {
        return "ImageSetDataSource(images=" + images + ",size=" + size() + ")";
    }

    @Override
    DataSourceProvenance describe() {
        return new SetProvenance(this);
    }

    /** Which images, how many, when, and the SHA-256 over their names and contents. */
    public static final class SetProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** Number of images. */
        public static final String SIZE = "size";
        /** SHA-256 over names, relative to what was opened, and contents: of a file its bytes, else the pixels. */
        public static final String IMAGES_HASH = "images-sha256";

        private <T extends Output<T>> SetProvenance(ImageSetDataSource<T> host) {
            super(host, "DataSource", List.of(
                    new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                    new IntProvenance(SIZE, host.size()),
                    new StringProvenance(IMAGES_HASH, host.contentHash())));
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public SetProvenance(Map<String, Provenance> map) {
            super(map, Map.of(DATASOURCE_CREATION_TIME, DateTimeProvenance.class, SIZE, IntProvenance.class,
                    IMAGES_HASH, StringProvenance.class), SetProvenance.class.getSimpleName());
        }
    }
}
