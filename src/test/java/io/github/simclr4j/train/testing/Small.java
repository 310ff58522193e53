// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.EncoderExport;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.Methods;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small images, networks and settings for tests. */
public final class Small {
    /** A ResNet-18 of four to 32 channels. */
    public static final ResNet NET = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    private static final Map<String, Object> OPTIONS = Map.of(
            "temperature",
            0.5,
            "queue",
            24,
            "momentum-encoder",
            0.9,
            "momentum-encoder-end",
            0.0,
            "teacher",
            teacher());

    private Small() {}

    /** Writes an untrained encoder of images of 32x32 pixels, for a method that has a teacher. */
    private static Path teacher() {
        try {
            Path file = Files.createTempFile("teacher", ".onnx");
            file.toFile().deleteOnExit();
            return Files.write(file, EncoderExport.untrained(NET, 32, 9));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the small value of an option. */
    public static Object option(String name) {
        return OPTIONS.get(name);
    }

    /** Draws images of ten classes in turn. */
    public static List<RgbImage> drawings(int n) {
        Random random = new Random(3);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            images.add(BuiltInImages.draw(i % 10, random));
        }
        return images;
    }

    /** Draws images of ten classes in turn, with their labels. */
    public static ImageSet labelled(int n) {
        ImageSet bare = ImageSet.of(drawings(n), 32);
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = i % 10;
        }
        return new ImageSet(32, bare.pixels(), labels, BuiltInImages.classNames(), List.of(), bare.fingerprint());
    }

    /** Returns images of 32x32 pixels as a network takes them, [n, 3, 32, 32] in [0, 1]. */
    public static NDArray pixels(NDManager m, List<RgbImage> images) {
        ByteBuffer b = ByteBuffer.allocateDirect(images.size() * 3 * 1024 * Float.BYTES)
                .order(ByteOrder.nativeOrder());
        for (RgbImage image : images) {
            for (int c = 0; c < 3; c++) {
                for (int p = 0; p < 1024; p++) {
                    b.putFloat((image.rgb()[3 * p + c] & 255) / 255f);
                }
            }
        }
        return m.create(b.rewind(), new Shape(images.size(), 3, 32, 32), DataType.FLOAT32);
    }

    /** Returns settings of a small run by a method of this library, in float32. */
    public static PretrainBuilder settings(String method) {
        return settings(Methods.named(method));
    }

    /** Returns settings of a small run by any method, in float32; its options have small values where these are known. */
    public static PretrainBuilder settings(MethodFactory method) {
        PretrainBuilder b = new PretrainBuilder()
                .method(method)
                .encoder(NET)
                .imageSize(32)
                .projection(16)
                .head("nonlinear")
                .views("simclr-cifar")
                .zeroGamma(true)
                .weightDecay(1e-4)
                .warmupEpochs(0.2)
                .schedule("cosine")
                .bnSplits(0)
                .precision(Precision.FLOAT32)
                .seed(5);
        method.options().stream()
                .filter(o -> OPTIONS.containsKey(o.name()))
                .forEach(o -> b.option(o.name(), OPTIONS.get(o.name())));
        return b;
    }

    /** Returns settings with an optimizer, a learning rate, a batch and epochs. */
    public static PretrainBuilder settings(String method, String optimizer, double rate, int batch, int epochs) {
        return settings(method)
                .optimizer(optimizer)
                .learningRate(rate)
                .batch(batch)
                .epochs(epochs);
    }

    /** Returns what is built of settings for as many images as a few batches have. */
    public static PretrainSettings build(PretrainBuilder builder) {
        return builder.build(64);
    }

    /** Returns random rows whose coordinates have different spreads. */
    public static float[][] rows(int n, int d, long seed) {
        Random random = new Random(seed);
        float[][] x = new float[n][d];
        for (float[] row : x) {
            for (int k = 0; k < d; k++) {
                row[k] = (float) (random.nextGaussian() * (1 + k));
            }
        }
        return x;
    }

    /** Returns rows divided by their length. */
    public static double[][] unit(float[][] x) {
        return unit(wide(x));
    }

    /** Returns rows divided by their length. */
    public static double[][] unit(double[][] x) {
        double[][] u = new double[x.length][];
        for (int i = 0; i < x.length; i++) {
            double length = Math.sqrt(dot(x[i], x[i]));
            u[i] = Arrays.stream(x[i]).map(v -> v / length).toArray();
        }
        return u;
    }

    /** Returns the sum of the products. */
    public static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int k = 0; k < a.length; k++) {
            sum += a[k] * b[k];
        }
        return sum;
    }

    /** Returns the same numbers. */
    public static double[][] wide(float[][] x) {
        double[][] wide = new double[x.length][x[0].length];
        for (int i = 0; i < x.length; i++) {
            for (int k = 0; k < x[i].length; k++) {
                wide[i][k] = x[i][k];
            }
        }
        return wide;
    }

    /** Returns a matrix, row by row. */
    public static double[][] wide(NDArray x) {
        float[] flat = x.toFloatArray();
        double[][] rows =
                new double[(int) x.getShape().get(0)][(int) x.getShape().get(1)];
        for (int i = 0; i < flat.length; i++) {
            rows[i / rows[0].length][i % rows[0].length] = flat[i];
        }
        return rows;
    }

    /** Returns the numbers of a tensor of any float type. */
    public static double[] doubles(NDArray x) {
        try (NDArray wide = x.toType(DataType.FLOAT64, true)) {
            return wide.toDoubleArray();
        }
    }
}
