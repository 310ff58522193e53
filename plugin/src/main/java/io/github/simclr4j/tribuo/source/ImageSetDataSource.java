// SPDX-License-Identifier: Apache-2.0
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
 * Reads any set of images that {@link ImageSource#open} reads, in its order: a folder, a zip or tar archive, a table of paths, or
 * the binary files of CIFAR, STL-10 and MNIST (IDX). An image's output is made from the name of its class.
 *
 * <p>Each iteration decodes and encodes all images again, one batch at a time. An image that can't be read is logged, counted and
 * left out, unless another policy is configured.
 *
 * <p>{@link #close} closes the files. The caller closes the extractor. For a folder of image files there is also
 * {@link ImageFolderDataSource}, which needs no closing.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public final class ImageSetDataSource<T extends Output<T>> extends ClassifiedImages<T> implements AutoCloseable {
    private static final Progress LOG = Progress.logging(Logger.getLogger(ImageSetDataSource.class.getName()));

    @Config(
            mandatory = true,
            description = "A folder, an archive, a table of paths, or a CIFAR, STL-10 or MNIST binary file.")
    private Path images;

    @Config(description = "Whether to include images without a class, with the unknown output.")
    private boolean unlabelled = false;

    private ImageSource source;
    private boolean owned;
    private volatile boolean closed;

    /** Required by OLCUT. */
    private ImageSetDataSource() {
        super(OnUnreadable.SKIP);
    }

    /**
     * Opens a set of images and leaves out those that have no class or can't be read.
     *
     * @param images a file or folder that {@link ImageSource#open} reads
     * @param extractor the extractor that encodes the images
     * @throws PropertyException if the images can't be opened or none has a class
     */
    public ImageSetDataSource(Path images, ImageFeatureExtractor<T> extractor) {
        this(images, extractor, OnUnreadable.SKIP, false);
    }

    /**
     * Opens a set of images.
     *
     * @param images a file or folder that {@link ImageSource#open} reads
     * @param extractor the extractor that encodes the images
     * @param onUnreadable what to do with an image that can't be read
     * @param unlabelled whether to include images without a class, with the unknown output
     * @throws PropertyException if the images can't be opened, or if none has a class and {@code unlabelled} is false
     */
    public ImageSetDataSource(
            Path images, ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable, boolean unlabelled) {
        super(onUnreadable);
        this.images = images;
        this.unlabelled = unlabelled;
        this.extractor = extractor;
        postConfig();
    }

    /**
     * Uses images that are open already, such as a part of a set, and leaves out those that have no class or can't be read.
     *
     * @param images the file or folder that they were opened from
     * @param source the open images; the caller closes them
     * @param extractor the extractor that encodes the images
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
            throw new PropertyException(
                    "",
                    "images",
                    images + " has no images with a class: expected at least two classes, such"
                            + " as one sub-folder per class");
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

    /** Closes the files if this object opened them. A second call does nothing. */
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

    /** Records the set, the number of images, the time, and the SHA-256 of their names and contents. */
    public static final class SetProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** The key of the number of images. */
        public static final String SIZE = "size";
        /** The key of the SHA-256 of the names, relative to the set, and the contents: a file's bytes, or else the pixels. */
        public static final String IMAGES_HASH = "images-sha256";

        private <T extends Output<T>> SetProvenance(ImageSetDataSource<T> host) {
            super(
                    host,
                    "DataSource",
                    List.of(
                            new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                            new IntProvenance(SIZE, host.size()),
                            new StringProvenance(IMAGES_HASH, host.contentHash())));
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public SetProvenance(Map<String, Provenance> map) {
            super(
                    map,
                    Map.of(
                            DATASOURCE_CREATION_TIME,
                            DateTimeProvenance.class,
                            SIZE,
                            IntProvenance.class,
                            IMAGES_HASH,
                            StringProvenance.class),
                    SetProvenance.class.getSimpleName());
        }
    }
}
