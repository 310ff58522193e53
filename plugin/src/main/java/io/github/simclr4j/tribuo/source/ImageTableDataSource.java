// SPDX-License-Identifier: Apache-2.0
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
 * Reads a CSV file with one column of images and one or more columns of outputs, in the order of the rows. The response processor
 * decides on the kind of output: a class, one or several regression targets, or several labels per image.
 *
 * <p>Each iteration reads and encodes all rows again, one batch at a time. The caller closes the extractor.
 *
 * <p>To combine image features with those of other columns use {@link ImageFieldProcessor}.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public class ImageTableDataSource<T extends Output<T>> extends ImageDataSource<T, ImageTableDataSource.Row<T>> {
    /** The metadata key of an example's row number: a {@link Long}, counted from 1 without the header. */
    public static final String ROW = "row";

    @Config(mandatory = true, description = "The CSV file, with a header line.")
    private Path table;

    @Config(mandatory = true, description = "The name of the column with the images.")
    private String imageColumn;

    @Config(mandatory = true, description = "The response processor that makes an output from a row.")
    private ResponseProcessor<T> responseProcessor;

    @Config(description = "How the column stores images: FILE (a path or URI), BASE64 or HEX.")
    private ImageEncoding encoding = ImageEncoding.FILE;

    @Config(description = "The folder that relative paths are resolved against. Default: the table's own folder.")
    private Path folder;

    @Config(description = "Whether to leave out rows without an output. Always false with EmptyResponseProcessor.")
    private boolean outputRequired = true;

    @Config(description = "The CSV separator character.")
    private char separator = CSVIterator.SEPARATOR;

    @Config(description = "The CSV quote character.")
    private char quote = CSVIterator.QUOTE;

    /** A row that has an output. */
    record Row<T>(long number, String cell, T output) {}

    /** Required by OLCUT. */
    protected ImageTableDataSource() {
        super(OnUnreadable.FAIL);
    }

    /**
     * Reads a table whose image column contains file names, relative to the table's folder.
     *
     * @param table the CSV file, with a header line
     * @param imageColumn the name of the column with the images
     * @param outputColumns the columns that the output is made from. Several columns are passed on as {@code column=value}, as
     *     Tribuo's own CSV loader does. For several labels per image use one column of labels separated by commas, or columns of
     *     {@code true} and {@code false} (Tribuo reads {@code 1} as false)
     * @param extractor the extractor that encodes the images
     * @param onUnreadable what to do with a missing or damaged image
     * @throws PropertyException if the table can't be read or lacks a column
     */
    public ImageTableDataSource(
            Path table,
            String imageColumn,
            List<String> outputColumns,
            ImageFeatureExtractor<T> extractor,
            OnUnreadable onUnreadable) {
        this(table, imageColumn, ImageEncoding.FILE, response(outputColumns, extractor), extractor, onUnreadable);
    }

    /**
     * Reads a table with a response processor.
     *
     * @param table the CSV file, with a header line
     * @param imageColumn the name of the column with the images
     * @param encoding how that column stores images
     * @param responseProcessor makes an output from a row. A row without an output is left out and reported, but
     *     {@link EmptyResponseProcessor} gives each row the unknown output
     * @param extractor the extractor that encodes the images
     * @param onUnreadable what to do with a missing or damaged image
     * @throws PropertyException if the table can't be read or lacks a column
     */
    public ImageTableDataSource(
            Path table,
            String imageColumn,
            ImageEncoding encoding,
            ResponseProcessor<T> responseProcessor,
            ImageFeatureExtractor<T> extractor,
            OnUnreadable onUnreadable) {
        super(onUnreadable);
        this.table = table;
        this.imageColumn = imageColumn;
        this.encoding = encoding;
        this.responseProcessor = responseProcessor;
        this.extractor = extractor;
        postConfig();
    }

    /** Makes the processor that CSVLoader makes; it keeps the case of the values. */
    private static <T extends Output<T>> ResponseProcessor<T> response(
            List<String> columns, ImageFeatureExtractor<T> extractor) {
        return new FieldResponseProcessor<>(
                columns,
                Collections.nCopies(columns.size(), ""),
                extractor.getOutputFactory(),
                columns.size() > 1,
                false);
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
            // Tribuo reports one column with an odd name for an empty file.
            columns = Files.size(table) == 0 ? List.of() : rows.getFields();
        } catch (NoSuchFileException e) {
            throw new PropertyException(e, "", "table", table + ": no such file; expected a CSV file");
        } catch (IOException | IllegalArgumentException e) {
            throw new PropertyException(e, "", "table", table + ": " + e.getMessage());
        }
        if (!columns.contains(imageColumn)) {
            throw new PropertyException(
                    "", "imageColumn", table + ": expected a column " + imageColumn + ", found " + columns);
        }
        if (outputRequired && !columns.containsAll(responseProcessor.getFieldNames())) {
            throw new PropertyException(
                    "",
                    "responseProcessor",
                    table + ": expected output columns " + responseProcessor.getFieldNames() + ", found " + columns);
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

    /** Returns the row with its output, or null if it is left out. */
    private Row<T> row(ColumnarIterator.Row raw) {
        long number = raw.getIndex() + 1;
        List<String> values = responseProcessor.getFieldNames().stream()
                .map(f -> raw.getRowData().getOrDefault(f, ""))
                .toList();
        Optional<T> output;
        try {
            output = responseProcessor.process(values);
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "Row " + number + " of " + table + ": can't make an output from "
                            + responseProcessor.getFieldNames() + " = " + values + ": " + e.getMessage(),
                    e);
        }
        if (output.isEmpty() && outputRequired) {
            failures.note("row " + number + " of " + table, "no output", "Skipped ");
            return null;
        }
        return new Row<>(
                number, raw.getRowData().get(imageColumn), output.orElseGet(getOutputFactory()::getUnknownOutput));
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

    /** Returns the files that the image column names: none if it contains the images themselves. */
    private List<Path> files() {
        List<Path> files = new ArrayList<>();
        if (encoding == ImageEncoding.FILE) {
            for (CSVIterator rows = rows(); rows.hasNext(); ) {
                String cell = rows.next().getRowData().get(imageColumn).strip();
                if (!cell.isEmpty() && !cell.regionMatches(true, 0, "data:", 0, 5)) {
                    try {
                        files.add(ImageEncoding.locate(cell, folder()));
                    } catch (IOException e) {
                        // Not the name of a file: the iteration reports it.
                        continue;
                    }
                }
            }
        }
        return files;
    }

    /** Returns a file's path relative to the folder, or its absolute path if it lies elsewhere. */
    private String relative(Path file) {
        Path base = folder().toAbsolutePath();
        Path path = file.toAbsolutePath();
        return (path.startsWith(base) ? base.relativize(path) : path).toString();
    }

    /** Records the table's hash, the number of image files, the time, and the SHA-256 of the files' names and contents. */
    public static class TableProvenance extends MeasuredProvenance implements ConfiguredDataSourceProvenance {
        private static final long serialVersionUID = 1L;
        /** The key of the number of image files. */
        public static final String FILES = "files";
        /** The key of the SHA-256 of the paths, relative to the folder, and the contents, in the order of the rows. */
        public static final String IMAGES_HASH = "images-sha256";

        <T extends Output<T>> TableProvenance(ImageTableDataSource<T> host) {
            this(host, host.files());
        }

        private <T extends Output<T>> TableProvenance(ImageTableDataSource<T> host, List<Path> files) {
            super(
                    host,
                    "DataSource",
                    List.of(
                            new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now()),
                            new HashProvenance(
                                    DEFAULT_HASH_TYPE,
                                    RESOURCE_HASH,
                                    ProvenanceUtil.hashResource(DEFAULT_HASH_TYPE, host.table)),
                            new IntProvenance(FILES, files.size()),
                            new StringProvenance(
                                    IMAGES_HASH, contentHash(files.iterator(), host::relative, ImageFiles::read))));
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public TableProvenance(Map<String, Provenance> map) {
            super(
                    map,
                    Map.of(
                            DATASOURCE_CREATION_TIME,
                            DateTimeProvenance.class,
                            RESOURCE_HASH,
                            HashProvenance.class,
                            FILES,
                            IntProvenance.class,
                            IMAGES_HASH,
                            StringProvenance.class),
                    TableProvenance.class.getSimpleName());
        }
    }
}
