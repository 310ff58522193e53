// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.explore;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import io.github.simclr4j.tribuo.source.ImageSetDataSource;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * Reads a set of images and keeps only one image of each group of {@linkplain Duplicates near-duplicates}. A model that is tested on
 * copies of its training images would look better than it is.
 *
 * <p>Images without a class, and those that can't be read, are left out, as in {@link ImageSetDataSource}. The constructor reads the
 * images once, and their features are kept in memory. The caller closes the extractor.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public final class DistinctImageDataSource<T extends Output<T>> implements ConfigurableDataSource<T> {
    private static final Progress LOG = Progress.logging(Logger.getLogger(DistinctImageDataSource.class.getName()));

    @Config(
            mandatory = true,
            description = "A folder, an archive, a table of paths, or a binary file of CIFAR, STL-10 or MNIST.")
    private Path images;

    @Config(mandatory = true, description = "The extractor that turns images into features.")
    private ImageFeatureExtractor<T> extractor;

    private List<Example<T>> examples;
    private int removed;
    private DataSourceProvenance provenance;

    /** Required by OLCUT. */
    private DistinctImageDataSource() {}

    /**
     * Reads a set of images.
     *
     * @param images a file or folder that {@link ImageSource#open} reads
     * @param extractor the extractor that encodes the images
     * @throws PropertyException if the images can't be opened or none has a class
     */
    public DistinctImageDataSource(Path images, ImageFeatureExtractor<T> extractor) {
        this.images = images;
        this.extractor = extractor;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        try (Thumbnails source = new Thumbnails(ImageSource.open(images, LOG))) {
            List<Example<T>> all = new ArrayList<>();
            new ImageSetDataSource<>(images, source, extractor).forEach(all::add);
            if (all.isEmpty()) {
                throw new PropertyException("", "images", "No readable image in " + images);
            }
            int[] kept = Duplicates.find(features(all), source, numbers(all, source), LOG)
                    .kept();
            examples = Arrays.stream(kept).mapToObj(all::get).toList();
            removed = all.size() - kept.length;
            provenance = new DistinctProvenance(this, source.fingerprint());
        } catch (IOException e) {
            throw new PropertyException(e, "", "images", e.getMessage());
        }
    }

    private static <T extends Output<T>> Features features(List<Example<T>> examples) {
        List<String> names = new ArrayList<>();
        float[][] rows = new float[examples.size()][];
        for (int i = 0; i < rows.length; i++) {
            names.add(Features.name(examples.get(i), i));
            rows[i] = Features.row(examples.get(i));
        }
        return new Features("extractor", names, rows);
    }

    private static <T extends Output<T>> int[] numbers(List<Example<T>> examples, ImageSource source) {
        Map<String, Integer> numbers = new HashMap<>();
        for (int i = 0; i < source.size(); i++) {
            numbers.put(source.name(i), i);
        }
        return examples.stream()
                .mapToInt(e -> numbers.get(
                        e.getMetadataValue(Example.NAME).orElseThrow().toString()))
                .toArray();
    }

    /** Returns the number of examples. */
    public int size() {
        return examples.size();
    }

    /** Returns the number of images that were left out as near-duplicates of others. */
    public int removed() {
        return removed;
    }

    /** Returns copies of the examples, in the order of the set. */
    @Override
    public Iterator<Example<T>> iterator() {
        return examples.stream().map(Example::copy).iterator();
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return extractor.getOutputFactory();
    }

    @Override
    public DataSourceProvenance getProvenance() {
        return provenance;
    }

    @Override
    public String toString() {
        return "DistinctImageDataSource(images=" + images + ",size=" + size() + ",removed=" + removed + ")";
    }

    /** Records the set, the numbers of images kept and removed, the time, and the set's fingerprint. */
    public static final class DistinctProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** The key of the number of images kept. */
        public static final String SIZE = "size";
        /** The key of the number of near-duplicates left out. */
        public static final String REMOVED = "removed";
        /** The key of the set's {@link ImageSource#fingerprint}. */
        public static final String FINGERPRINT = "images-fingerprint";

        private <T extends Output<T>> DistinctProvenance(DistinctImageDataSource<T> host, String fingerprint) {
            super(
                    host,
                    "DataSource",
                    List.of(
                            new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                            new IntProvenance(SIZE, host.size()),
                            new IntProvenance(REMOVED, host.removed()),
                            new StringProvenance(FINGERPRINT, fingerprint)));
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public DistinctProvenance(Map<String, Provenance> map) {
            super(
                    map,
                    Map.of(
                            DATASOURCE_CREATION_TIME,
                            DateTimeProvenance.class,
                            SIZE,
                            IntProvenance.class,
                            REMOVED,
                            IntProvenance.class,
                            FINGERPRINT,
                            StringProvenance.class),
                    DistinctProvenance.class.getSimpleName());
        }
    }
}
