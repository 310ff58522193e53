package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.augment.Composition;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.data.Feed;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.method.MethodSettings;
import io.github.simclr4j.train.network.Head;
import io.github.simclr4j.train.optim.OptimiserSettings;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Small images, networks and settings for tests. */
public final class Small {
    public static final ResNet NET = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    private Small() {}

    public static List<RgbImage> drawings(int n) {
        Random random = new Random(3);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            images.add(BuiltInImages.draw(i % 10, random));
        }
        return images;
    }

    public static ImageSet labelled(int n) {
        ImageSet bare = ImageSet.of(drawings(n), 32);
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = i % 10;
        }
        return new ImageSet(32, bare.pixels(), labels, BuiltInImages.classNames(), List.of(), bare.fingerprint());
    }

    public static NDArray pixels(NDManager m, List<RgbImage> images) {
        ByteBuffer b = ByteBuffer.allocateDirect(images.size() * 32 * 32 * 3);
        images.forEach(i -> b.put(i.rgb()));
        return Feed.toFloat(m.create(b.rewind(), new Shape(images.size(), 32, 32, 3), DataType.UINT8));
    }

    public static PretrainSettings settings(String method, String optimiser, double rate, int batch, int epochs, int micro, int splits) {
        MethodSettings d = MethodSettings.of(method, "nt-xent", 0.5);
        MethodSettings how = new MethodSettings(d.name(), d.loss(), d.temperature(), d.margin(), d.classPrior(), 24,
                0.9, 0.9, false);
        Composition views = Composition.of("simclr-cifar");
        return new PretrainSettings(NET, 32, new Head(2, 0, 16, !method.startsWith("moco"), 0), views, views, how,
                new OptimiserSettings(optimiser, rate, 1e-4, 0.9, 0.2, "cosine", 0, 0), batch, micro, splits, epochs,
                false, true, 5);
    }

    /** A step of plain gradient descent on one of SimCLR's losses. */
    public static PretrainSettings loss(String loss, int micro) {
        return method(settings("simclr", "sgd", 1, 16, 1, micro, 4), MethodSettings.of("simclr", loss, 0.5));
    }

    public static PretrainSettings mixed(PretrainSettings s) {
        return with(s, s.imageSize(), s.head(), s.firstView(), s.secondView(), s.method(), s.optimiser(), true, s.zeroGamma());
    }

    public static PretrainSettings method(PretrainSettings s, MethodSettings method) {
        return with(s, s.imageSize(), s.head(), s.firstView(), s.secondView(), method, s.optimiser(), s.mixed(), s.zeroGamma());
    }

    public static PretrainSettings optimiser(PretrainSettings s, OptimiserSettings optimiser) {
        return with(s, s.imageSize(), s.head(), s.firstView(), s.secondView(), s.method(), optimiser, s.mixed(), s.zeroGamma());
    }

    public static PretrainSettings head(PretrainSettings s, Head head) {
        return with(s, s.imageSize(), head, s.firstView(), s.secondView(), s.method(), s.optimiser(), s.mixed(), s.zeroGamma());
    }

    public static PretrainSettings views(PretrainSettings s, String first, String second) {
        return with(s, s.imageSize(), s.head(), Composition.of(first), Composition.of(second), s.method(), s.optimiser(), s.mixed(),
                s.zeroGamma());
    }

    public static PretrainSettings imageSize(PretrainSettings s, int size) {
        return with(s, size, s.head(), s.firstView(), s.secondView(), s.method(), s.optimiser(), s.mixed(), s.zeroGamma());
    }

    /** Every residual block takes part from the first step. */
    public static PretrainSettings oneGamma(PretrainSettings s) {
        return with(s, s.imageSize(), s.head(), s.firstView(), s.secondView(), s.method(), s.optimiser(), s.mixed(), false);
    }

    private static PretrainSettings with(PretrainSettings s, int imageSize, Head head, Composition first,
            Composition second, MethodSettings method, OptimiserSettings optimiser, boolean mixed, boolean zeroGamma) {
        return new PretrainSettings(s.encoder(), imageSize, head, first, second, method, optimiser, s.batch(), s.microBatch(),
                s.bnSplits(), s.epochs(), mixed, zeroGamma, s.seed());
    }

    /** Random rows whose coordinates have different spreads. */
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

    public static double[][] unit(float[][] x) {
        return unit(wide(x));
    }

    /** Rows divided by their length. */
    public static double[][] unit(double[][] x) {
        double[][] u = new double[x.length][];
        for (int i = 0; i < x.length; i++) {
            double length = Math.sqrt(dot(x[i], x[i]));
            u[i] = Arrays.stream(x[i]).map(v -> v / length).toArray();
        }
        return u;
    }

    public static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int k = 0; k < a.length; k++) {
            sum += a[k] * b[k];
        }
        return sum;
    }

    public static double[][] wide(float[][] x) {
        double[][] wide = new double[x.length][x[0].length];
        for (int i = 0; i < x.length; i++) {
            for (int k = 0; k < x[i].length; k++) {
                wide[i][k] = x[i][k];
            }
        }
        return wide;
    }

    /** A matrix, row by row. */
    public static double[][] wide(NDArray x) {
        float[] flat = x.toFloatArray();
        double[][] rows = new double[(int) x.getShape().get(0)][(int) x.getShape().get(1)];
        for (int i = 0; i < flat.length; i++) {
            rows[i / rows[0].length][i % rows[0].length] = flat[i];
        }
        return rows;
    }

    /** An encoder file without the time at which its training began. */
    public static byte[] withoutTime(byte[] onnx) {
        try {
            OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.parseFrom(onnx).toBuilder();
            for (OnnxMl.StringStringEntryProto.Builder p : model.getMetadataPropsBuilderList()) {
                if (p.getKey().equals(Pretrainer.RUN)) {
                    p.setValue("");
                }
            }
            return model.build().toByteArray();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
