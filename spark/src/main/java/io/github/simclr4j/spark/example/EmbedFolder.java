package io.github.simclr4j.spark.example;

import io.github.simclr4j.spark.ImageEmbedder;
import java.io.IOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/** Embeds the images of a folder, in any file system that Hadoop knows, and writes path, features and error as Parquet. */
public final class EmbedFolder {
    private EmbedFolder() {}

    /**
     * Runs the program, on the cluster that spark-submit names.
     *
     * @param args the encoder, the folder of images, the folder that is written
     * @throws IOException if the session can't be closed
     */
    public static void main(String[] args) throws IOException {
        if (args.length != 3) {
            System.err.println("Expected three arguments: encoder.onnx, a folder of images, a folder to write");
            System.exit(2);
        }
        try (SparkSession spark = SparkSession.builder().appName("embed").getOrCreate()) {
            embed(spark, args[0], args[1], args[2]);
        }
    }

    /**
     * Embeds the images of a folder, at any depth.
     *
     * @param encoder path of an ONNX file
     * @param images path of the folder
     * @param out path of the folder that is written; what was there is replaced
     */
    public static void embed(SparkSession spark, String encoder, String images, String out) {
        Dataset<Row> files = spark.read().format("binaryFile").option("recursiveFileLookup", "true")
                .option("pathGlobFilter", "*.{jpg,jpeg,png,webp,bmp,gif,tif,tiff,JPG,JPEG,PNG}").load(images);
        new ImageEmbedder().setEncoder(encoder).setOnUnreadable("null").setErrorCol("error").transform(files)
                .select("path", "features", "error").write().mode(SaveMode.Overwrite).parquet(out);
    }
}
