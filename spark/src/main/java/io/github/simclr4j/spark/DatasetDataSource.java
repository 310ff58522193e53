// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DateTimeProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.tribuo.DataSource;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.DataSourceProvenance;

/**
 * A Tribuo data source of a Spark dataset that has embeddings in one column and outputs in another. The features have the same names as
 * those of {@code SimCLRFeatureExtractor}, so a model trained on a cluster can predict single images elsewhere.
 *
 * <p>The rows come to the driver one partition at a time. Each iteration runs Spark's plan again, unless the dataset is cached.
 *
 * @param <T> the output type
 * @since 0.1.0
 */
public final class DatasetDataSource<T extends Output<T>> implements DataSource<T> {
    private static final String PATH = "path";
    private static final int FEATURES = 0;
    private static final int OUTPUT = 1;
    private static final int NAME = 2;

    private final Dataset<Row> dataset;
    /** The columns that examples are made of: features, output and, if it exists, the name. */
    private final Dataset<Row> columns;
    /** The names of the two columns that must not be null. */
    private final List<String> needed;

    private final OutputFactory<T> factory;
    private final DatasetSourceProvenance provenance;
    /** The names of the features; null before the first row. */
    private String[] names;

    /**
     * Creates a data source.
     *
     * @param dataset the rows
     * @param featuresCol the column of embeddings, or a field of a structure: an array of floats or doubles, or a vector
     * @param outputCol the column of outputs, or a field of a structure; its text is passed to the factory
     * @param factory the factory of outputs
     * @throws IllegalArgumentException if a column does not exist
     */
    public DatasetDataSource(Dataset<Row> dataset, String featuresCol, String outputCol, OutputFactory<T> factory) {
        this.dataset = dataset;
        this.factory = factory;
        needed = List.of(featuresCol, outputCol);
        Dataset<Row> rows = withOnePath(dataset);
        StructField features = InputColumns.field(rows, featuresCol, "featuresCol");
        InputColumns.field(rows, outputCol, "outputCol");
        List<Column> read = new ArrayList<>(List.of(rows.col(featuresCol), rows.col(outputCol)));
        if (InputColumns.exists(rows, PATH)) {
            read.add(rows.col(PATH));
        }
        columns = rows.select(read.toArray(Column[]::new));
        provenance = new DatasetSourceProvenance(dataset, featuresCol, features.metadata(), outputCol, factory);
    }

    /** Renames all columns of paths but the first, of which there may be several after a join. */
    private static Dataset<Row> withOnePath(Dataset<Row> rows) {
        String[] names = rows.columns();
        int first = List.of(names).indexOf(PATH);
        if (first < 0 || InputColumns.exists(rows, PATH)) {
            return rows;
        }
        for (int i = first + 1; i < names.length; i++) {
            names[i] = names[i].equalsIgnoreCase(PATH) ? "simclr4j_" + PATH + i : names[i];
        }
        return rows.toDF(names);
    }

    @Override
    public OutputFactory<T> getOutputFactory() {
        return factory;
    }

    @Override
    public DataSourceProvenance getProvenance() {
        return provenance;
    }

    @Override
    public String toString() {
        return "DatasetDataSource(" + dataset.schema().simpleString() + ")";
    }

    /**
     * Runs Spark's plan. The column {@code path}, or the first of several, contains the names of the examples.
     *
     * @return one example per row; {@code next} throws {@link IllegalArgumentException} if a row has no embedding or no output, or an
     *     embedding of another length than the first row's
     */
    @Override
    public Iterator<Example<T>> iterator() {
        Iterator<Row> rows = columns.toLocalIterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public Example<T> next() {
                return example(rows.next());
            }
        };
    }

    private Example<T> example(Row row) {
        boolean named = row.size() > NAME;
        String called = named && !row.isNullAt(NAME) ? row.get(NAME).toString() : "A row";
        for (int column : new int[] {FEATURES, OUTPUT}) {
            if (row.isNullAt(column)) {
                throw new IllegalArgumentException(called + " has no " + needed.get(column)
                        + ": remove such rows with na().drop() or ImageEmbedder.setOnUnreadable(\"drop\")");
            }
        }
        double[] values = values(row.get(FEATURES), called);
        Example<T> example = new ArrayExample<>(
                factory.generateOutput(row.get(OUTPUT).toString()), names(values.length, called), values);
        if (named) {
            example.setMetadataValue(Example.NAME, called);
        }
        return example;
    }

    private synchronized String[] names(int count, String called) {
        if (names == null) {
            names = ImageFeatureExtractor.names("h", count);
        }
        if (names.length != count) {
            throw new IllegalArgumentException(called + " has " + count + " values in " + needed.get(FEATURES)
                    + ", and the first row " + names.length + ": all rows must be from one encoder");
        }
        return names;
    }

    private double[] values(Object value, String called) {
        if (value instanceof Vector vector) {
            return vector.toArray();
        }
        if (value instanceof scala.collection.Seq<?> seq) {
            double[] values = new double[seq.size()];
            for (int i = 0; i < values.length; i++) {
                if (seq.apply(i) == null) {
                    throw new IllegalArgumentException(called + " has a null in " + needed.get(FEATURES) + ", at index "
                            + i + " of " + values.length + ": remove such rows");
                }
                if (!(seq.apply(i) instanceof Number number)) {
                    throw unsuitable();
                }
                values[i] = number.doubleValue();
            }
            return values;
        }
        throw unsuitable();
    }

    private IllegalArgumentException unsuitable() {
        return new IllegalArgumentException(
                "Column " + needed.get(FEATURES) + " must be an array of numbers or a vector, found "
                        + columns.schema().apply(FEATURES).dataType().simpleString());
    }

    /** Records the dataset's schema and plan, the columns, the encoder and the time. */
    public static final class DatasetSourceProvenance implements DataSourceProvenance {
        private static final long serialVersionUID = 1;
        private static final String SCHEMA = "schema";
        private static final String PLAN = "plan";
        private static final String FEATURES = "features-column";
        private static final String OUTPUT = "output-column";
        private static final String FACTORY = "output-factory";
        private static final String ENCODER = "encoder-sha256";
        private static final String SPARK = "spark-version";

        private final String className;
        private final DateTimeProvenance time;
        /** Values by key. */
        private final Map<String, StringProvenance> texts = new TreeMap<>();

        private DatasetSourceProvenance(
                Dataset<Row> dataset, String features, Metadata about, String output, OutputFactory<?> factory) {
            className = DatasetDataSource.class.getName();
            time = new DateTimeProvenance(DATASOURCE_CREATION_TIME, OffsetDateTime.now());
            put(SCHEMA, dataset.schema().simpleString());
            // Without the numbers of columns and lambdas, which differ in each process.
            put(PLAN, dataset.queryExecution().analyzed().toString().replaceAll("#\\d+L?|\\$+Lambda[^ ,]*", ""));
            put(FEATURES, features);
            put(OUTPUT, output);
            put(FACTORY, factory.getClass().getName());
            put(
                    ENCODER,
                    about.contains(ImageEmbedder.ENCODER_SHA256) ? about.getString(ImageEmbedder.ENCODER_SHA256) : "");
            put(SPARK, dataset.sparkSession().version());
        }

        /**
         * Restores a saved provenance.
         *
         * @param map the saved values by name
         */
        public DatasetSourceProvenance(Map<String, Provenance> map) {
            String own = DatasetSourceProvenance.class.getSimpleName();
            className = ObjectProvenance.checkAndExtractProvenance(map, CLASS_NAME, StringProvenance.class, own)
                    .getValue();
            time = ObjectProvenance.checkAndExtractProvenance(
                    map, DATASOURCE_CREATION_TIME, DateTimeProvenance.class, own);
            for (String key : List.of(SCHEMA, PLAN, FEATURES, OUTPUT, FACTORY, ENCODER, SPARK)) {
                texts.put(key, ObjectProvenance.checkAndExtractProvenance(map, key, StringProvenance.class, own));
            }
        }

        private void put(String key, String value) {
            texts.put(key, new StringProvenance(key, value));
        }

        @Override
        public String getClassName() {
            return className;
        }

        @Override
        public Iterator<Pair<String, Provenance>> iterator() {
            Map<String, Provenance> all = new TreeMap<>(texts);
            all.put(CLASS_NAME, new StringProvenance(CLASS_NAME, className));
            all.put(DATASOURCE_CREATION_TIME, time);
            return all.entrySet().stream()
                    .map(e -> new Pair<>(e.getKey(), e.getValue()))
                    .iterator();
        }

        @Override
        public String toString() {
            return generateString("DataSource");
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof DatasetSourceProvenance that
                    && className.equals(that.className)
                    && time.equals(that.time)
                    && texts.equals(that.texts);
        }

        @Override
        public int hashCode() {
            return texts.hashCode();
        }
    }
}
