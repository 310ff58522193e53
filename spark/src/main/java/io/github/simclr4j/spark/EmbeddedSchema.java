// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.Provider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.param.Param;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Checks the params of an {@link ImageEmbedder} against a schema, and gives rows the schema that results. */
final class EmbeddedSchema {
    private static final int MAX_BATCH = 65_536;

    private EmbeddedSchema() {}

    /**
     * Returns a schema with the columns that a transformer adds.
     *
     * @param embedder the transformer
     * @param rows its input, of which only the schema and the session's settings matter
     * @throws IllegalArgumentException if a param is not set or has an invalid value, or does not fit the schema
     */
    static StructType after(ImageEmbedder embedder, Dataset<Row> rows) {
        defined(embedder);
        choice("outputType", embedder.getOutputType(), "array", "vector");
        choice("onUnreadable", embedder.getOnUnreadable(), Plan.FAIL, Plan.NULL, Plan.DROP);
        Provider.of(embedder.getProvider());
        EncoderSettings.of(embedder.settings(), "encoderSettings");
        if (embedder.getBatchSize() < 0 || embedder.getBatchSize() > MAX_BATCH) {
            throw new IllegalArgumentException(
                    "batchSize must be from 0 to " + MAX_BATCH + ", found " + embedder.getBatchSize());
        }
        InputColumns.of(embedder, rows);
        boolean caseSensitive = InputColumns.isCaseSensitive(rows);
        String output = embedder.getOutputCol();
        if (output.isEmpty()) {
            throw new IllegalArgumentException("outputCol must be the name of a column, found an empty text");
        }
        boolean nullable = embedder.getOnUnreadable().equals(Plan.NULL);
        DataType type = embedder.getOutputType().equals("vector")
                ? SQLDataTypes.VectorType()
                : DataTypes.createArrayType(DataTypes.FloatType, false);
        StructType after = add(rows.schema(), new StructField(output, type, nullable, Metadata.empty()), caseSensitive);
        String error = embedder.getErrorCol();
        return error.isEmpty()
                ? after
                : add(after, new StructField(error, DataTypes.StringType, true, Metadata.empty()), caseSensitive);
    }

    /**
     * Checks that all params have values. Spark's own methods allow params that are null.
     *
     * @throws IllegalArgumentException if a param is not set or null
     */
    static void defined(ImageEmbedder embedder) {
        for (Param<?> param : embedder.params()) {
            boolean isSet = embedder.isDefined(param);
            Object value = isSet ? embedder.getOrDefault(param) : null;
            if (value == null
                    || value instanceof String[] texts && Arrays.asList(texts).contains(null)) {
                String name = param.name();
                throw new IllegalArgumentException(name + (isSet ? " is null" : " is not set") + ": call set"
                        + name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1));
            }
        }
    }

    private static void choice(String name, String value, String... choices) {
        if (!List.of(choices).contains(value)) {
            throw new IllegalArgumentException(
                    name + " must be one of " + String.join(", ", choices) + ", found " + value);
        }
    }

    private static StructType add(StructType schema, StructField field, boolean caseSensitive) {
        for (String taken : schema.fieldNames()) {
            if (taken.equals(field.name())) {
                throw new IllegalArgumentException("Column " + taken + " exists already: choose another name");
            }
            if (!caseSensitive && taken.equalsIgnoreCase(field.name())) {
                throw new IllegalArgumentException("Column " + field.name() + " differs only in case from " + taken
                        + ", and spark.sql.caseSensitive is false: choose another name");
            }
        }
        return schema.add(field);
    }

    /** Returns a schema with numbered names, which are unique and need no quotes, and without metadata. */
    static StructType numbered(StructType schema) {
        StructType numbered = new StructType();
        for (StructField field : schema.fields()) {
            numbered = numbered.add("c" + numbered.length(), field.dataType(), field.nullable());
        }
        return numbered;
    }

    /**
     * Gives rows the names and the metadata of a schema. Spark drops the metadata of columns, also of those inside structures, where a
     * function has computed the rows.
     *
     * @param rows rows with the schema {@link #numbered}
     * @param schema the schema, whose types are those of the rows apart from metadata
     * @param metadata metadata by name of a column, which replace those in the schema
     */
    static Dataset<Row> named(Dataset<Row> rows, StructType schema, Map<String, Metadata> metadata) {
        List<Column> columns = new ArrayList<>();
        for (StructField field : schema.fields()) {
            StructField computed = rows.schema().apply(columns.size());
            Column column = rows.col(computed.name());
            Column typed = computed.dataType().equals(field.dataType()) ? column : column.cast(field.dataType());
            columns.add(typed.as(field.name(), metadata.getOrDefault(field.name(), field.metadata())));
        }
        return rows.select(columns.toArray(Column[]::new));
    }
}
