// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Small images of two colours, and a tiny encoder. */
final class Samples {
    private Samples() {}

    /** Writes images into the folders red and blue. */
    static Path images(Path folder, int each) throws IOException {
        Random random = new Random(1);
        for (String colour : List.of("red", "blue")) {
            Files.createDirectories(folder.resolve(colour));
            for (int i = 0; i < each; i++) {
                BufferedImage image = new BufferedImage(40 + i, 48, BufferedImage.TYPE_INT_RGB);
                Graphics2D g = image.createGraphics();
                g.setColor(colour.equals("red") ? Color.RED : Color.BLUE);
                g.fillRect(0, 0, 100, 100);
                g.setColor(new Color(random.nextInt(1 << 24)));
                g.fillOval(random.nextInt(30), random.nextInt(30), 8, 12);
                g.dispose();
                ImageIO.write(
                        image, "png", folder.resolve(colour).resolve(i + ".png").toFile());
            }
        }
        return folder;
    }

    /** Writes an encoder with random weights. */
    static Path encoder(Path file, long seed) throws IOException {
        return encoder(file, seed, new ResNet(18, 1.0 / 32, ResNet.Stem.CIFAR), 32);
    }

    /** Writes an encoder of an architecture with random weights. */
    static Path encoder(Path file, long seed, ResNet net, int size) throws IOException {
        Random random = new Random(seed);
        Map<String, float[]> weights = new HashMap<>();
        for (ResNet.Conv c : net.convolutions()) {
            int inputs = c.in() * c.kernel() * c.kernel();
            float[] kernel = new float[c.out() * inputs];
            for (int i = 0; i < kernel.length; i++) {
                kernel[i] = (float) (random.nextGaussian() * Math.sqrt(2.0 / inputs));
            }
            weights.put(c.name() + ".weight", kernel);
            for (String part : List.of("weight", "bias", "running_mean", "running_var")) {
                float[] values = new float[c.out()];
                Arrays.fill(values, part.equals("weight") || part.equals("running_var") ? 1 : 0.1f);
                weights.put(c.norm() + "." + part, values);
            }
        }
        return Files.write(
                file,
                EncoderWriter.toBytes(net, new Preprocessing(size), weights::get, Map.of("training.method", "none")));
    }

    /** What one session gives for each file, by its path. */
    static Map<String, float[]> expected(Path encoder, Path folder) throws IOException {
        Map<String, float[]> expected = new HashMap<>();
        try (OnnxEncoder session = OnnxEncoder.open(encoder, 1)) {
            for (Path file : Images.find(folder)) {
                expected.put(file.toUri().getPath(), session.embed(List.of(Images.read(file)))[0]);
            }
        }
        return expected;
    }

    /** The files of a folder as Spark reads them, in some partitions. */
    static Dataset<Row> files(Path folder, int partitions) {
        return LocalSpark.SESSION
                .read()
                .format("binaryFile")
                .option("recursiveFileLookup", "true")
                .load(folder.toString())
                .repartition(partitions);
    }
}
