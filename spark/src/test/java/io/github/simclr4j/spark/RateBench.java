// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import com.sun.management.OperatingSystemMXBean;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.EncoderPipeline;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Images a second through Spark's two task threads and through the pipeline of {@code embed} with two workers, in turns. */
final class RateBench {
    private RateBench() {}

    /**
     * Prints both rates of each turn, and the medians' ratio.
     *
     * @param args encoder (a ResNet-18 of width 0.25 with random weights is written if there is none), folder of images, number of
     *     turns, pixels of the encoder's input
     */
    public static void main(String[] args) throws IOException {
        Path images = Path.of(args[1]);
        int turns = Integer.parseInt(args[2]);
        int size = Integer.parseInt(args[3]);
        if (!Files.exists(Path.of(args[0]))) {
            Samples.encoder(
                    Path.of(args[0]),
                    1,
                    new ResNet(18, 0.25, size > 64 ? ResNet.Stem.IMAGENET : ResNet.Stem.CIFAR),
                    size);
        }
        // Otherwise a file counts as at least 4 MB, and there are 32 files a task.
        LocalSpark.SESSION.conf().set("spark.sql.files.openCostInBytes", "65536");
        Dataset<Row> files = LocalSpark.SESSION
                .read()
                .format("binaryFile")
                .option("recursiveFileLookup", "true")
                .load(images.toString());
        Dataset<Row> embedded =
                new ImageEmbedder().setEncoder(args[0]).transform(files).select("path", "features");
        double[] spark = new double[turns];
        double[] pipeline = new double[turns];
        try (OnnxEncoder encoder = OnnxEncoder.open(Path.of(args[0]), 1);
                ImageSource source = ImageSource.open(images)) {
            for (int turn = -1; turn < turns; turn++) {
                long before = cpu();
                long start = System.nanoTime();
                embedded.write().format("noop").mode("overwrite").save();
                double sparks = source.size() * 1e9 / (System.nanoTime() - start);
                long between = cpu();
                start = System.nanoTime();
                try (EncoderPipeline all =
                        new EncoderPipeline(encoder, source, EncoderPipeline.Settings.onCores(2, encoder), i -> {})) {
                    all.forEachRemaining(item -> {});
                }
                double pipelines = source.size() * 1e9 / (System.nanoTime() - start);
                System.out.printf(
                        "turn %d: Spark %.0f, embed %.0f images/s; %.0f and %.0f a second of processor time%n",
                        turn,
                        sparks,
                        pipelines,
                        source.size() * 1e9 / (between - before),
                        source.size() * 1e9 / (cpu() - between));
                if (turn >= 0) {
                    spark[turn] = sparks;
                    pipeline[turn] = pipelines;
                }
            }
        }
        Arrays.sort(spark);
        Arrays.sort(pipeline);
        System.out.printf(
                "medians: %.0f and %.0f, ratio %.2f%n",
                spark[turns / 2], pipeline[turns / 2], spark[turns / 2] / pipeline[turns / 2]);
        LocalSpark.SESSION.stop();
    }

    /** Nanoseconds of processor time that this process has taken. */
    private static long cpu() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }
}
