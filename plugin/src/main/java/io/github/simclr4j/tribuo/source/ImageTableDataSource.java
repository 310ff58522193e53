package io.github.simclr4j.tribuo.source;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.tribuo.extraction.PreparedImage;
import io.github.simclr4j.tribuo.internal.ImageFiles;
import io.github.simclr4j.tribuo.internal.MeasuredProvenance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.data.columnar.ColumnarIterator;
import org.tribuo.data.columnar.ResponseProcessor;
import org.tribuo.data.columnar.processors.response.EmptyResponseProcessor;
import org.tribuo.data.columnar.processors.response.FieldResponseProcessor;
import org.tribuo.data.csv.CSVIterator;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * A CSV file with a column of images and one or more of outputs, as examples in the order of the rows: classification,
 * regression with one or several targets, or several labels an image, as the response processor makes of the columns. Each
 * iteration reads and extracts anew, a batch at a time. The extractor stays the caller's to close.
 *
 * <p>For features of other columns beside those of the image see {@link ImageFieldProcessor}.
 *
 * @param <T> the output type
 */
public class ImageTableDataSource<T extends Output<T>> extends ImageDataSource<T, ImageTableDataSource.Row<T>> {
    /** Metadata of an example: the row's number, from 1, the header not counted; a {@link Long}. */
    public static final String ROW = "row";

    @Config(mandatory = true, description = "The CSV file, with a header.")
    private Path table;

    @Config(mandatory = true, description = "Name of the column that holds the images.")
    private String imageColumn;

    @Config(mandatory = true, description = "What makes an output of a row.")
    private ResponseProcessor<T> responseProcessor;

    @Config(description = "How the column holds images: FILE (a path or URI), BASE64 or HEX.")
    private ImageEncoding encoding = ImageEncoding.FILE;

    @Config(description = "What relative paths are relative to; by default the table's own folder.")
    private Path folder;

    @Config(description = "Is an output required of each row? A row without is left out. Not with EmptyResponseProcessor.")
    private boolean outputRequired = true;

    @Config(description = "The CSV separator character.")
    private char separator = CSVIterator.SEPARATOR;

    @Config(description = "The CSV quote character.")
    private char quote = CSVIterator.QUOTE;

    /** A row that has an output. */
    record Row<T>(long number, String cell, T output) {}

    /** For OLCUT. */
    protected ImageTableDataSource() {
        super(OnUnreadable.FAIL);
    }

    /**
     * A table whose image column names files, relative to the table's folder.
     *
     * @param table the CSV file, with a header
     * @param imageColumn the column that holds the images
     * @param outputColumns the columns that the output is made of; if several, each is passed on as {@code column=value}, as
     *     Tribuo's own CSV loader does. For several labels an image that is one column of labels with commas between, or
     *     columns of {@code true} and {@code false}; Tribuo takes {@code 1} for false
     * @param extractor makes features of images
     * @param onUnreadable what to do about an image that is missing or damaged
     * @throws PropertyException if the table can't be read or lacks a column
     */
    public ImageTableDataSource(Path table, String imageColumn, List<String> outputColumns,
            ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable) {
        this(table, imageColumn, ImageEncoding.FILE, response(outputColumns, extractor), extractor, onUnreadable);
    }

    /**
     * A table.
     *
     * @param table the CSV file, with a header
     * @param imageColumn the column that holds the images
     * @param encoding how it does
     * @param responseProcessor makes an output of a row; a row of which it makes none is left out and reported, but
     *     {@link EmptyResponseProcessor} gives each row the unknown output
     * @param extractor makes features of images
     * @param onUnreadable what to do about an image that is missing or damaged
     * @throws PropertyException if the table can't be read or lacks a column
     */
    public ImageTableDataSource(Path table, String imageColumn, ImageEncoding encoding,
            ResponseProcessor<T> responseProcessor, ImageFeatureExtractor<T> extractor, OnUnreadable onUnreadable) {
        super(onUnreadable);
        this.table = table;
        this.imageColumn = imageColumn;
        this.encoding = encoding;
        this.responseProcessor = responseProcessor;
        this.extractor = extractor;
        postConfig();
    }

    /** As CSVLoader does, which keeps the case of the values. */
    private static <T extends Output<T>> ResponseProcessor<T> response(
            List<String> columns, ImageFeatureExtractor<T> extractor) {
        return new FieldResponseProcessor<>(columns, Collections.nCopies(columns.size(), ""),
                extractor.getOutputFactory(), columns.size() > 1, false);
    }

    /** Used by the OLCUT configuration system, and should not be called by external code. */
    @Override
    public void postConfig() {
        checkBatchSize();
        if (responseProcessor instanceof EmptyResponseProcessor) {
            outputRequired = false;
        }
        List<String> columns;
        try (CSVIterator rows = new CSVIterator(table.toUri(), separator, quote)) {
            // Of an empty file Tribuo makes a column with a strange name.
            columns = Files.size(table) == 0 ? List.of() : rows.getFields();
        } catch (NoSuchFileException e) {
            throw new PropertyException(e, "", "table", table + ": no such file: name a CSV file");
        } catch (IOException | IllegalArgumentException e) {
            throw new PropertyException(e, "", "table", table + ": " + e.getMessage());
        }
        if (!columns.contains(imageColumn)) {
            throw new PropertyException("", "imageColumn",
                    table + ": expected a column " + imageColumn + ", found " + columns);
        }
        if (outputRequired && !columns.containsAll(responseProcessor.getFieldNames())) {
            throw new PropertyException("", "responseProcessor", table + ": expected output columns "
                    + responseProcessor.getFieldNames() + ", found " + columns);
        }
    }

    private CSVIterator rows() {
        try {
            return new CSVIterator(table.toUri(), separator, quote);
        } catch (IOException e) {
            throw new UncheckedIOException(table + ": " + e, e);
        }
    }

    private Path folder() {
        return folder == null ? table.toAbsolutePath().getParent() : folder;
    }

    @Override
    Iterator<Row<T>> items() {
        CSVIterator rows = rows();
        return new Iterator<>() {
            private Row<T> next;

            @Override
            public boolean hasNext() {
                while (next == null && rows.hasNext()) {
                    next = row(rows.next());
                }
                return next != null;
            }

            @Override
            public Row<T> next() {
                if (!hasNext()) {
                    throw new NoSuchElementException();
                }
                Row<T> row = next;
                next = null;
                return row;
            }
        };
    }

    /** The row with its output, or null for one that is left out. */
    private Row<T> row(ColumnarIterator.Row raw) {
        long number = raw.getIndex() + 1;
        List<String> values = responseProcessor.getFieldNames().stream()
                .map(f -> raw.getRowData().getOrDefault(f, "")).toList();
        Optional<T> output;
        try {
            output = responseProcessor.process(values);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("Row " + number + " of " + table + ": no output can be made of "
                    + responseProcessor.getFieldNames() + " = " + values + ": " + e.getMessage(), e);
        }
        if (output.isEmpty() && outputRequired) {
            failures.note("row " + number + " of " + table, "no output", "Skipped ");
            return null;
        }
        return new Row<>(number, raw.getRowData().get(imageColumn),
                output.orElseGet(getOutputFactory()::getUnknownOutput));
    }

    @Override
    PreparedImage prepare(Row<T> row) throws IOException {
        return extractor.prepare(encoding.bytes(row.cell(), folder()));
    }

    @Override
    String name(Row<T> row) {
        return "row " + row.number() + " of " + table + " (" + ImageEncoding.shown(row.cell()) + ")";
    }

    @Override
    Example<T> example(Row<T> row, double[] features) {
        Example<T> example = new ArrayExample<>(row.output(), extractor.featureNames(), features);
        example.setMetadataValue(Example.NAME, ImageEncoding.shown(row.cell()));
        example.setMetadataValue(ROW, row.number());
        return example;
    }

    @Override
    public String toString() {
        return "ImageTableDataSource(table=" + table + ",imageColumn=" + imageColumn + ",encoding=" + encoding + ")";
    }

    @Override
    DataSourceProvenance describe() {
        return new TableProvenance(this);
    }

    /** The files that the image column names, or none if it holds the images themselves. */
    private List<Path> files() {
        List<Path> files = new ArrayList<>();
        if (encoding == ImageEncoding.FILE) {
            for (CSVIterator rows = rows(); rows.hasNext();) {
                String cell = rows.next().getRowData().get(imageColumn).strip();
                if (!cell.isEmpty() && !cell.regionMatches(true, 0, "data:", 0, 5)) {
                    try {
                        files.add(ImageEncoding.locate(cell, folder()));
                    } catch (IOException e) {
                        // No file: iterating reports it.
                        continue;
                    }
                }
            }
        }
        return files;
    }

    /** A file's path below the folder that relative paths are relative to, or the whole of it. */
    private String relative(Path file) {
        Path base = folder().toAbsolutePath();
        Path path = file.toAbsolutePath();
        return (path.startsWith(base) ? base.relativize(path) : path).toString();
    }

    /** Which table, by its content, how many images, when, and the SHA-256 over the names and contents of image files. */
    public static class TableProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** Number of image files. */
        public static final String FILES = "files";
        /** SHA-256 over paths, relative to the folder, and contents, in the order of the rows. */
        public static final String IMAGES_HASH = "images-sha256";

        <T extends Output<T>> TableProvenance(ImageTableDataSource<T> host) {
            this(host, host.files());
        }

        private <T extends Output<T>> TableProvenance(ImageTableDataSource<T> host, List<Path> files) {
            super(host, "DataSource", List.of(
                    new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                    new HashProvenance(DEFAULT_HASH_TYPE, RESOURCE_HASH,
                            ProvenanceUtil.hashResource(DEFAULT_HASH_TYPE, host.table)),
                    new IntProvenance(FILES, files.size()),
                    new StringProvenance(IMAGES_HASH, contentHash(files.iterator(), host::relative, ImageFiles::read))));
        }

        /**
         * Deserialization constructor.
         *
         * @param map the provenances
         */
        public TableProvenance(Map<String, Provenance> map) {
            super(map, Map.of(DATASOURCE_CREATION_TIME, DateTimeProvenance.class, RESOURCE_HASH, HashProvenance.class,
                    FILES, IntProvenance.class, IMAGES_HASH, StringProvenance.class),
                    TableProvenance.class.getSimpleName());
        }
    }
}
