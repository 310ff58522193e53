// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.onnx.runtime.InvalidFeaturesException;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.ReadAhead;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import org.tribuo.Output;
import org.tribuo.data.columnar.ColumnarDataSource;
import org.tribuo.data.columnar.ColumnarIterator;
import org.tribuo.data.columnar.FieldProcessor;
import org.tribuo.data.columnar.RowProcessor;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * Reads one of Tribuo's columnar sources (CSV, JSON, SQL) some rows ahead, so that {@link ImageFieldProcessor}s decode images in
 * several threads and encode them in batches. It yields the same examples in the same order as the source, only faster, and so has
 * the source's provenance. The caller closes the source.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public class ReadAheadDataSource<T extends Output<T>> extends ColumnarDataSource<T> {

    @Config(mandatory = true, description = "The source of the rows.")
    private ColumnarDataSource<T> source;

    @Config(
            description =
                    "Number of rows whose images are encoded together. Those of the next rows are decoded meanwhile.")
    private int batchSize = 256;

    /** Required by OLCUT. */
    protected ReadAheadDataSource() {}

    /**
     * Reads ahead of a source.
     *
     * @param source the source of the rows; its {@code rowIterator()} must be public, as it is in Tribuo's sources
     * @param rowProcessor the source's row processor
     * @param outputRequired whether each row must have an output
     * @throws PropertyException if the source has no public {@code rowIterator()}
     */
    public ReadAheadDataSource(ColumnarDataSource<T> source, RowProcessor<T> rowProcessor, boolean outputRequired) {
        super(source.getOutputFactory(), rowProcessor, outputRequired);
        this.source = source;
        postConfig();
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        if (batchSize < 1) {
            throw new PropertyException("", "batchSize", "Expected at least 1, found " + batchSize);
        }
        try {
            source.getClass().getMethod("rowIterator");
        } catch (NoSuchMethodException e) {
            throw new PropertyException(
                    e, "", "source", "Expected a source with a public rowIterator(), found " + source);
        }
    }

    /** Calls the source's {@code rowIterator()}, which is public in Tribuo's sources but protected in their base class. */
    private ColumnarIterator rows() {
        try {
            return (ColumnarIterator) source.getClass().getMethod("rowIterator").invoke(source);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("Can't read the rows of " + source, e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("Can't read the rows of " + source + ": " + e, e);
        }
    }

    @Override
    protected ColumnarIterator rowIterator() {
        return new Rows(rows());
    }

    @SuppressWarnings(
            "deprecation") // Tribuo itself uses RowProcessor.copy() to bind regular expressions to column names.
    private List<ImageFieldProcessor> imageFields(List<String> fields) {
        RowProcessor<T> bound = rowProcessor.copy();
        if (!bound.isConfigured()) {
            bound.expandRegexMapping(fields);
        }
        List<ImageFieldProcessor> images = new ArrayList<>();
        for (FieldProcessor p : bound.getFieldProcessors().values()) {
            if (p instanceof ImageFieldProcessor image) {
                images.add(image);
            }
        }
        return images;
    }

    private final class Rows extends ColumnarIterator {
        private final List<ImageFieldProcessor> images;
        /** Rows, each with the images of its image columns. */
        private final ReadAhead<Row, List<Image>> batches;

        private final Queue<ReadAhead.Ready<Row, List<Image>>> ready = new ArrayDeque<>();
        /** Features of the images of the rows that are ready. Unreadable images are missing: their column's processor reports them. */
        private final Map<Image, double[]> features = new IdentityHashMap<>();

        private record Image(ImageFieldProcessor column, ReadAhead.Ready<String, PreparedImage> image) {}

        Rows(ColumnarIterator inner) {
            fields = inner.getFields();
            images = imageFields(fields);
            batches = new ReadAhead<>(inner, batchSize, this::read);
        }

        private List<Image> read(Row row) {
            List<Image> found = new ArrayList<>();
            for (ImageFieldProcessor column : images) {
                String cell = row.getRowData().get(column.getFieldName());
                if (cell != null) {
                    found.add(new Image(column, column.ready(ImageFieldProcessor.normal(cell))));
                }
            }
            return found;
        }

        @Override
        protected Optional<Row> getRow() {
            if (ready.isEmpty() && batches.hasNext()) {
                encode(batches.next());
            }
            images.forEach(ImageFieldProcessor::forget);
            ReadAhead.Ready<Row, List<Image>> next = ready.poll();
            if (next == null) {
                return Optional.empty();
            }
            next.value().stream()
                    .filter(features::containsKey)
                    .forEach(i -> i.column().expect(i.image().item(), features.get(i)));
            return Optional.of(next.item());
        }

        private void encode(List<ReadAhead.Ready<Row, List<Image>>> batch) {
            features.clear();
            for (ImageFieldProcessor column : images) {
                List<Image> good = batch.stream()
                        .flatMap(r -> r.value().stream())
                        .filter(i -> i.column() == column && i.image().failure() == null)
                        .toList();
                double[][] encoded;
                try {
                    encoded = column.encode(
                            good.stream().map(i -> i.image().value()).toList());
                } catch (InvalidFeaturesException e) {
                    throw e.named(good.get(e.index()).image().item());
                }
                for (int i = 0; i < encoded.length; i++) {
                    features.put(good.get(i), encoded[i]);
                }
            }
            ready.addAll(batch);
        }
    }

    @Override
    public String toString() {
        return "ReadAheadDataSource(source=" + source + ")";
    }

    @Override
    public DataSourceProvenance getProvenance() {
        return source.getProvenance();
    }
}
