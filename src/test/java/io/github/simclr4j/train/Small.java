package io.github.simclr4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.onnx.proto.OnnxMl;
import com.google.protobuf.InvalidProtocolBufferException;
import io.github.simclr4j.onnx.ResNet;
import io.github.simclr4j.onnx.RgbImage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Small images, networks and settings for tests. */
final class Small {
    static final ResNet NET = new ResNet(18, 1.0 / 16, ResNet.Stem.CIFAR);

    private Small() {}

    static List<RgbImage> drawings(int n) {
        Random random = new Random(3);
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            images.add(BuiltInImages.draw(i % 10, random));
        }
        return images;
    }

    static ImageSet labelled(int n) {
        ImageSet bare = ImageSet.of(drawings(n), 32);
        int[] labels = new int[n];
        for (int i = 0; i < n; i++) {
            labels[i] = i % 10;
        }
        return new ImageSet(32, bare.pixels(), labels, BuiltInImages.classNames(), List.of(), bare.fingerprint());
    }

    static NDArray pixels(NDManager m, List<RgbImage> images) {
        ByteBuffer b = ByteBuffer.allocateDirect(images.size() * 32 * 32 * 3);
        images.forEach(i -> b.put(i.rgb()));
        return Feed.toFloat(m.create(b.rewind(), new Shape(images.size(), 32, 32, 3), DataType.UINT8));
    }

    static PretrainSettings settings(String method, String optimiser, double rate, int batch, int epochs, int micro, int splits) {
        MethodSettings d = MethodSettings.of(method, "nt-xent", 0.5);
        MethodSettings how = new MethodSettings(d.name(), d.loss(), d.temperature(), d.margin(), d.classPrior(), 24,
                0.9, 0.9, false);
        Composition views = Composition.of("simclr-cifar");
        return new PretrainSettings(NET, 32, new Head(2, 0, 16, !method.startsWith("moco"), 0), views, views, how,
                new OptimiserSettings(optimiser, rate, 1e-4, 0.9, 0.2, "cosine", 0, 0), batch, micro, splits, epochs,
                false, true, 5);
    }

    /** A step of plain gradient descent on one of SimCLR's losses. */
    static PretrainSettings loss(String loss, int micro) {
        PretrainSettings s = settings("simclr", "sgd", 1, 16, 1, micro, 4);
        return new PretrainSettings(s.encoder(), s.imageSize(), s.head(), s.firstView(), s.secondView(),
                MethodSettings.of("simclr", loss, 0.5), s.optimiser(), s.batch(), s.microBatch(), s.bnSplits(), s.epochs(),
                s.mixed(), s.zeroGamma(), s.seed());
    }

    static PretrainSettings mixed(PretrainSettings s) {
        return new PretrainSettings(s.encoder(), s.imageSize(), s.head(), s.firstView(), s.secondView(), s.method(),
                s.optimiser(), s.batch(), s.microBatch(), s.bnSplits(), s.epochs(), true, s.zeroGamma(), s.seed());
    }

    /** An encoder file without the time at which its training began. */
    static byte[] withoutTime(byte[] onnx) {
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
