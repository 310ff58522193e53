// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Runs a saved pipeline in a process of its own, and writes a line for each image. */
final class FreshJvm {
    private FreshJvm() {}

    public static void main(String[] args) throws IOException {
        SparkSession spark = LocalSpark.SESSION;
        PipelineModel model = PipelineModel.load(args[0]);
        Files.write(Path.of(args[3]), lines(model.transform(Samples.files(Path.of(args[1]), 2)), args[2]));
        spark.stop();
    }

    /** Returns some columns of all rows as sorted text. */
    static List<String> lines(Dataset<Row> rows, String columns) {
        return rows
                .select(Stream.of(columns.split(",")).map(functions::col).toArray(Column[]::new))
                .collectAsList()
                .stream()
                .map(Row::toString)
                .sorted()
                .toList();
    }

    /**
     * Runs a saved pipeline on images.
     *
     * @param options options of Java, such as Spark's settings
     * @return the lines of the given columns
     */
    static List<String> run(List<String> options, Path pipeline, Path images, String columns)
            throws IOException, InterruptedException {
        Path result = Files.createTempFile(pipeline.getParent(), "fresh", ".txt");
        Path log = Files.createTempFile(pipeline.getParent(), "fresh", ".log");
        List<String> command = Stream.of(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-XX:TieredStopAtLevel=1"),
                        List.of(System.getProperty("simclr.spark.opens").split(" ")),
                        options,
                        List.of(
                                FreshJvm.class.getName(),
                                pipeline.toString(),
                                images.toString(),
                                columns,
                                result.toString()))
                .flatMap(List::stream)
                .toList();
        ProcessBuilder fresh =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        fresh.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process process = fresh.start();
        if (!process.waitFor(240, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException("The process did not end: " + Files.readString(log));
        }
        if (process.exitValue() != 0) {
            throw new IOException(Files.readString(log));
        }
        return Files.readAllLines(result);
    }
}
