// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark.example;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.spark.ImageEmbedder;
import java.io.IOException;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * Embeds the images of a folder in any Hadoop file system, and writes their paths, features and errors as Parquet.
 *
 * @since 0.1.0
 */
public final class EmbedFolder {
    private EmbedFolder() {}

    /**
     * Runs the program on the cluster that spark-submit chooses.
     *
     * @param args the encoder, the folder of images, and the output folder
     * @throws IOException if the Spark session can't be closed
     */
    public static void main(String[] args) throws IOException {
        if (args.length != 3) {
            System.err.println(
                    "Expected three arguments: an encoder in ONNX format, a folder of images, an output folder");
            System.exit(2);
        }
        try (SparkSession spark = SparkSession.builder().appName("embed").getOrCreate()) {
            embed(spark, args[0], args[1], args[2]);
        }
    }

    /**
     * Embeds the image files of a folder, at any depth. They are recognised by the extension of their names, in capitals or not.
     *
     * @param spark the Spark session
     * @param encoder path of the encoder in ONNX format
     * @param images path of the folder of images
     * @param out path of the output folder, which is overwritten
     */
    public static void embed(SparkSession spark, String encoder, String images, String out) {
        Dataset<Row> files = spark.read()
                .format("binaryFile")
                .option("recursiveFileLookup", "true")
                .option("pathGlobFilter", imageNames())
                .load(images);
        new ImageEmbedder()
                .setEncoder(encoder)
                .setOnUnreadable("null")
                .setErrorCol("error")
                .transform(files)
                .select("path", "features", "error")
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(out);
    }

    /** Returns a glob pattern for the names of images, such as {@code *.{[jJ][pP][gG],[pP][nN][gG]}}. Hadoop's patterns are case-sensitive. */
    private static String imageNames() {
        return ImageNames.endings().stream()
                .map(ending -> ending.chars()
                        .mapToObj(c -> "[" + (char) c + Character.toUpperCase((char) c) + "]")
                        .collect(Collectors.joining()))
                .collect(Collectors.joining(",", "*.{", "}"));
    }
}
