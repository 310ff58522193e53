// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.LongProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import io.github.simclr4j.util.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.DataSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;
import org.tribuo.provenance.DatasetProvenance;

/**
 * Replaces the pixels of a Tribuo data source or dataset, such as MNIST read by {@link org.tribuo.datasource.IDXDataSource}, by an
 * encoder's features.
 *
 * <p>Grey images become RGB, and the encoder's preprocessing resizes them. The order, outputs, weights and metadata of the examples
 * are kept. Each iteration reads and encodes all examples again, one batch at a time. If the pixel values seem to range from 0 to 1
 * instead of from 0 to 255, which would make the images almost black, the log contains one warning.
 *
 * <p>The caller closes the extractor and the source.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public class EncodedDataSource<T extends Output<T>> extends ImageDataSource<T, EncodedDataSource.Numbered<T>> {

    @Config(mandatory = true, description = "The data source whose features are pixels.")
    private ConfigurableDataSource<T> source;

    @Config(mandatory = true, description = "Width of an image in pixels.")
    private int width;

    @Config(mandatory = true, description = "Height of an image in pixels.")
    private int height;

    @Config(description = "1 for grey, 3 for red, green and blue.")
    private int channels = 1;

    @Config(
            description =
                    "Whether pixels are stored as planes, [channels, height, width], instead of [height, width, channels].")
    private boolean planar = false;

    @Config(description = "The factor that brings feature values into the range 0 to 255.")
    private double scale = 1;

    @Config(description = "The number at the end of the first pixel's feature name.")
    private int first = 0;

    private static final Logger logger = Logger.getLogger(EncodedDataSource.class.getName());

    private final AtomicBoolean warned = new AtomicBoolean();
    private PixelLayout layout;

    /** An example and its position in the source, counted from 1. */
    record Numbered<T extends Output<T>>(long number, Example<T> example) {}

    /** Required by OLCUT. */
    protected EncodedDataSource() {
        super(OnUnreadable.FAIL);
    }

    /**
     * Encodes a data source.
     *
     * @param source the data source whose features are pixels
     * @param layout how the pixels are stored in an example
     * @param extractor the extractor that encodes the images
     * @param onUnreadable what to do with an example that does not have that layout
     */
    public EncodedDataSource(
            DataSource<T> source, PixelLayout layout, ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable) {
        this(
                layout,
                extractor,
                onUnreadable,
                source instanceof ConfigurableDataSource<T> configured
                        ? configured
                        : new Unconfigured<>(source, source.getOutputFactory(), source.getProvenance()));
    }

    /**
     * Encodes a dataset, in its order.
     *
     * @param dataset the dataset whose features are pixels
     * @param layout how the pixels are stored in an example
     * @param extractor the extractor that encodes the images
     * @param onUnreadable what to do with an example that does not have that layout
     */
    public EncodedDataSource(
            Dataset<T> dataset, PixelLayout layout, ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable) {
        this(
                layout,
                extractor,
                onUnreadable,
                new Unconfigured<>(
                        dataset, dataset.getOutputFactory(), new DatasetSourceProvenance(dataset.getProvenance())));
    }

    private EncodedDataSource(
            PixelLayout layout,
            ImageFeatureExtractor<T> extractor,
            OnUnreadable onUnreadable,
            ConfigurableDataSource<T> source) {
        super(onUnreadable);
        this.source = source;
        this.extractor = extractor;
        width = layout.width();
        height = layout.height();
        channels = layout.channels();
        planar = layout.planar();
        scale = layout.scale();
        first = layout.first();
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        checkBatchSize();
        try {
            layout = new PixelLayout(width, height, channels, planar, scale, first);
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", "width, height, channels, scale", e.getMessage());
        }
    }

    /** Makes a {@link ConfigurableDataSource} of a data source or dataset that is not one. */
    private record Unconfigured<T extends Output<T>>(
            Iterable<Example<T>> examples, OutputFactory<T> factory, DataSourceProvenance provenance)
            implements ConfigurableDataSource<T> {
        @Override
        public Iterator<Example<T>> iterator() {
            return examples.iterator();
        }

        @Override
        public OutputFactory<T> getOutputFactory() {
            return factory;
        }

        @Override
        public DataSourceProvenance getProvenance() {
            return provenance;
        }
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return source.getOutputFactory();
    }

    @Override
    Iterator<Numbered<T>> items() {
        Iterator<Example<T>> examples = source.iterator();
        return new Iterator<>() {
            private long number;

            @Override
            public boolean hasNext() {
                return examples.hasNext();
            }

            @Override
            public Numbered<T> next() {
                return new Numbered<>(++number, examples.next());
            }
        };
    }

    @Override
    PreparedImage prepare(Numbered<T> item) throws IOException {
        if (!warned.get() && layout.looksUnscaled(item.example()) && warned.compareAndSet(false, true)) {
            logger.warning(name(item) + ": all values are from 0 to 1 after scaling by " + scale
                    + ", expected 0 to 255; if these" + " are pixels from 0 to 1, set the scale to " + 255 * scale
                    + " (PixelLayout.scaledBy)");
        }
        return extractor.prepare(layout.image(item.example()));
    }

    @Override
    String name(Numbered<T> item) {
        return "example " + item.number()
                + item.example()
                        .getMetadataValue(Example.NAME)
                        .map(n -> " (" + n + ")")
                        .orElse("");
    }

    @Override
    Example<T> example(Numbered<T> item, double[] features) {
        Example<T> example = new ArrayExample<>(
                item.example().getOutput(),
                extractor.featureNames(),
                features,
                item.example().getMetadata());
        example.setWeight(item.example().getWeight());
        return example;
    }

    @Override
    public String toString() {
        return "EncodedDataSource(source=" + source + ",layout=" + layout + ")";
    }

    @Override
    DataSourceProvenance describe() {
        return new EncodedProvenance(this, Content.of(source));
    }

    /** The number of examples, and the SHA-256 of their outputs, feature names and values. */
    private record Content(long examples, String hash) {
        static Content of(Iterable<? extends Example<?>> source) {
            Sha256 digest = new Sha256();
            long examples = 0;
            for (Example<?> example : source) {
                examples++;
                update(digest, example.getOutput().toString());
                for (Feature f : example) {
                    update(digest, f.getName());
                    digest.update(ByteBuffer.allocate(8).putDouble(0, f.getValue()));
                }
            }
            return new Content(examples, digest.hex());
        }

        private static void update(Sha256 digest, String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            digest.update(ByteBuffer.allocate(4).putInt(0, bytes.length));
            digest.update(bytes);
        }
    }

    /** Records the source, the number of its examples, the time, and the SHA-256 of their outputs, feature names and values. */
    public static class EncodedProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** The key of the number of examples in the source. */
        public static final String EXAMPLES = "examples";
        /** The key of the SHA-256 of the outputs and pixels of the source. */
        public static final String PIXELS_HASH = "pixels-sha256";

        private <T extends Output<T>> EncodedProvenance(EncodedDataSource<T> host, Content content) {
            super(
                    host,
                    "DataSource",
                    List.of(
                            new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                            new LongProvenance(EXAMPLES, content.examples()),
                            new StringProvenance(PIXELS_HASH, content.hash())));
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public EncodedProvenance(Map<String, Provenance> map) {
            super(
                    map,
                    Map.of(
                            DATASOURCE_CREATION_TIME,
                            DateTimeProvenance.class,
                            EXAMPLES,
                            LongProvenance.class,
                            PIXELS_HASH,
                            StringProvenance.class),
                    EncodedProvenance.class.getSimpleName());
        }
    }

    /** Presents the provenance of a dataset as that of a data source. */
    public static class DatasetSourceProvenance implements DataSourceProvenance {
        private static final long serialVersionUID = 1L;
        private static final String DATASET = "dataset";

        private final DatasetProvenance dataset;

        DatasetSourceProvenance(DatasetProvenance dataset) {
            this.dataset = dataset;
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public DatasetSourceProvenance(Map<String, Provenance> map) {
            this(ObjectProvenance.checkAndExtractProvenance(
                    map, DATASET, DatasetProvenance.class, DatasetSourceProvenance.class.getSimpleName()));
        }

        @Override
        public String getClassName() {
            return dataset.getClassName();
        }

        @Override
        public Iterator<Pair<String, Provenance>> iterator() {
            return List.of(
                            new Pair<String, Provenance>(CLASS_NAME, new StringProvenance(CLASS_NAME, getClassName())),
                            new Pair<String, Provenance>(DATASET, dataset))
                    .iterator();
        }

        @Override
        public String toString() {
            return generateString("DataSource");
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof DatasetSourceProvenance that && dataset.equals(that.dataset);
        }

        @Override
        public int hashCode() {
            return dataset.hashCode();
        }
    }
}
