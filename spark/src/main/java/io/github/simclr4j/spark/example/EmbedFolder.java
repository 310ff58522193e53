// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark.example;

import io.github.simclr4j.spark.ImageEmbedder;
import java.io.IOException;
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
     * Embeds the images of a folder, at any depth.
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
                .option("pathGlobFilter", "*.{jpg,jpeg,png,webp,bmp,gif,tif,tiff,JPG,JPEG,PNG}")
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
}
