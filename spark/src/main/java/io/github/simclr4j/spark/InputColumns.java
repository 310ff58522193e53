// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The columns that an {@link ImageEmbedder} reads. Spark itself resolves their names, so that they may be fields of structures, such as
 * {@code image.bytes}, and that {@code spark.sql.caseSensitive} applies.
 *
 * @param rows the rows, with the columns that were not columns of their own appended
 * @param width number of columns before these
 * @param image index of the image column in {@code rows}
 * @param paths whether the image column contains paths instead of the bytes of image files
 * @param name index of the column with the images' names in {@code rows}, or -1 for none
 */
record InputColumns(Dataset<Row> rows, int width, int image, boolean paths, int name) {
    /**
     * Resolves the columns of a transformer.
     *
     * @throws IllegalArgumentException if the image column is missing, ambiguous, or neither binary nor a string
     */
    static InputColumns of(ImageEmbedder embedder, Dataset<Row> rows) {
        List<Column> added = new ArrayList<>();
        String input = embedder.getInputCol();
        DataType type = field(rows, input, "inputCol").dataType();
        boolean paths = type instanceof StringType;
        if (!paths && !type.equals(DataTypes.BinaryType)) {
            throw new IllegalArgumentException("Column " + input
                    + " must be binary (image files) or string (their paths), found " + type.simpleString());
        }
        int image = index(rows, input, added);
        int name = paths ? image : name(rows, embedder.getNameCol(), added);
        int width = rows.columns().length;
        added.add(0, functions.col("*"));
        Dataset<Row> all = added.size() == 1 ? rows : rows.select(added.toArray(Column[]::new));
        return new InputColumns(all, width, image, paths, name);
    }

    /** Returns the index of the column of names. A missing one is not an error. */
    private static int name(Dataset<Row> rows, String name, List<Column> added) {
        if (!exists(rows, name)) {
            // Of several columns with this name, as after a join, the first will do.
            return Arrays.asList(rows.columns()).indexOf(name);
        }
        return field(rows, name, "nameCol").dataType().equals(DataTypes.BinaryType) ? -1 : index(rows, name, added);
    }

    /** Returns whether names that differ only in case are different in the session of the rows. */
    static boolean isCaseSensitive(Dataset<Row> rows) {
        return Boolean.parseBoolean(rows.sparkSession().conf().get("spark.sql.caseSensitive"));
    }

    /** Returns whether a name stands for exactly one column. */
    static boolean exists(Dataset<Row> rows, String name) {
        try {
            field(rows, name, "");
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Returns the index of a column that exists, which is appended if it is a field of another column or its name has quotes. */
    private static int index(Dataset<Row> rows, String name, List<Column> added) {
        String[] names = rows.columns();
        boolean caseSensitive = isCaseSensitive(rows);
        boolean simple = !name.contains(".") && !name.contains("`");
        for (int i = 0; simple && i < names.length; i++) {
            if (caseSensitive ? names[i].equals(name) : names[i].equalsIgnoreCase(name)) {
                return i;
            }
        }
        added.add(rows.col(name).as("simclr4j" + added.size()));
        return names.length + added.size() - 1;
    }

    /**
     * Returns the field of a column, with its type and its metadata.
     *
     * @param param what the name was given for, for the message
     * @throws IllegalArgumentException if the column is missing or ambiguous
     */
    static StructField field(Dataset<Row> rows, String name, String param) {
        StructType found;
        try {
            found = rows.select(rows.col(name)).schema();
        } catch (Exception e) {
            // Spark's AnalysisException is checked, but not declared. Its first line says what is wrong.
            throw new IllegalArgumentException(
                    param + " must be the name of a column, found " + name + ": "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
                    e);
        }
        if (found.length() != 1) {
            throw new IllegalArgumentException(
                    param + " must be the name of one column, found " + name + ", which stands for " + found.length());
        }
        return found.apply(0);
    }
}
