// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.tribuo.extraction;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.onnx.network.EncoderWriter;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.tribuo.source.ImageFolderDataSource;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/** A small encoder with random weights and coloured images, for the tests of models. */
public final class Fixture {
    public static final LabelFactory LABELS = new LabelFactory();
    /** Images are 16 x 16, features 16. */
    public static final int SIZE = 16;

    public static final int DIMENSION = 16;
    public static final Map<String, Color> CLASSES = new TreeMap<>(
            Map.of("red", new Color(180, 60, 60), "green", new Color(60, 180, 60), "blue", new Color(60, 60, 180)));

    private static final ResNet NET = new ResNet(18, 1.0 / 32, ResNet.Stem.CIFAR);

    private Fixture() {}

    public static byte[] encoder(long seed) {
        return encoder(seed, NET, 1);
    }

    /** He's initialisation, times a gain; batch norm is the identity. */
    public static byte[] encoder(long seed, ResNet net, float gain) {
        Random random = new Random(seed);
        Map<String, float[]> weights = new LinkedHashMap<>();
        for (ResNet.Conv c : net.convolutions()) {
            int fanIn = c.in() * c.kernel() * c.kernel();
            float[] w = new float[c.out() * fanIn];
            for (int i = 0; i < w.length; i++) {
                w[i] = gain * (float) (random.nextGaussian() * Math.sqrt(2.0 / fanIn));
            }
            weights.put(c.name() + ".weight", w);
            for (String part : new String[] {"weight", "bias", "running_mean", "running_var"}) {
                float[] v = new float[c.out()];
                java.util.Arrays.fill(v, part.equals("weight") || part.equals("running_var") ? 1 : 0.1f);
                weights.put(c.norm() + "." + part, v);
            }
        }
        return EncoderWriter.toBytes(
                net,
                new Preprocessing(SIZE),
                weights::get,
                Map.of("method", "simclr", "epochs", "7", "images", "a test's pictures"));
    }

    public static Path encoder(Path file, long seed) throws IOException {
        return Files.write(file, encoder(seed));
    }

    /** A folder of {@code each} images a class, of several sizes. */
    public static Path images(Path folder, int each, long seed) throws IOException {
        Random random = new Random(seed);
        for (Map.Entry<String, Color> c : CLASSES.entrySet()) {
            Path sub = Files.createDirectories(folder.resolve(c.getKey()));
            for (int i = 0; i < each; i++) {
                ImageIO.write(
                        picture(c.getValue(), random),
                        "png",
                        sub.resolve(i + ".png").toFile());
            }
        }
        return folder;
    }

    public static BufferedImage picture(Color color, Random random) {
        int w = 16 + random.nextInt(9);
        int h = 16 + random.nextInt(9);
        BufferedImage image = new BufferedImage(w, h, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        for (int x = 0; x < w; x += 4) {
            for (int y = 0; y < h; y += 4) {
                g.setColor(new Color(
                        noisy(color.getRed(), random),
                        noisy(color.getGreen(), random),
                        noisy(color.getBlue(), random)));
                g.fillRect(x, y, 4, 4);
            }
        }
        g.dispose();
        return image;
    }

    private static int noisy(int value, Random random) {
        return Math.max(0, Math.min(255, value + random.nextInt(121) - 60));
    }

    /** The images' features. */
    public static MutableDataset<Label> features(Path encoder, Path images) {
        try (SimCLRFeatureExtractor<Label> extractor = new SimCLRFeatureExtractor<>(LABELS, encoder, 1)) {
            return new MutableDataset<>(new ImageFolderDataSource<>(images, extractor));
        }
    }

    public static <T extends Output<T>> MutableDataset<T> empty(OutputFactory<T> factory) {
        return new MutableDataset<>(new SimpleDataSourceProvenance("test", factory), factory);
    }
}
