package io.github.simclr4j.train.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.ResNet;
import io.github.simclr4j.train.data.Feed;
import io.github.simclr4j.train.loop.Checkpoint;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The encoder of a checkpoint, run by the trainer itself, to compare an exported file with. Owns its weights until it is closed. */
public final class CheckpointEncoder implements AutoCloseable {
    private static final String AVERAGE = "average.";

    private final Network network;
    private final Preprocessing preprocessing;

    /**
     * Reads a checkpoint; the moving average of the weights where it has one.
     *
     * @param file a {@code step-*.ckpt} file
     * @param net the architecture that the exported file names
     * @param imageSize side of the images in pixels
     * @throws IOException if it can't be read, or holds another architecture
     */
    public CheckpointEncoder(Path file, ResNet net, int imageSize) throws IOException {
        Map<String, float[]> saved = Checkpoint.tensors(file);
        Map<String, float[]> values = new LinkedHashMap<>();
        saved.forEach((name, v) -> values.putIfAbsent(name, saved.getOrDefault(AVERAGE + name, v)));
        preprocessing = new Preprocessing(imageSize);
        network = new Network(net, new Head(0, 0, 1, true, 0), false, Device.cpu(), DataType.FLOAT32, 0);
        try {
            for (String name : network.tensors().keySet()) {
                if (!values.containsKey(name)) {
                    throw new IllegalArgumentException(name + " is missing");
                }
            }
            network.load(values);
        } catch (IllegalArgumentException e) {
            network.close();
            throw new IOException(file + " is no checkpoint of " + net + ": " + e.getMessage(), e);
        }
    }

    /** Features [images, dimension], before any head. */
    public float[][] embed(List<RgbImage> images) {
        Torch.noGradient();
        int size = preprocessing.size();
        ByteBuffer bytes = ByteBuffer.allocateDirect(images.size() * size * size * 3);
        images.forEach(i -> bytes.put(preprocessing.apply(i).rgb()));
        try (NDManager m = network.manager().newSubManager()) {
            NDArray x = Feed.toFloat(m.create(bytes.rewind(), new Shape(images.size(), size, size, 3), DataType.UINT8));
            float[] flat = network.encode(x, Network.Pass.EVALUATION).toFloatArray();
            int d = network.architecture().dimension();
            float[][] features = new float[images.size()][d];
            for (int i = 0; i < features.length; i++) {
                System.arraycopy(flat, i * d, features[i], 0, d);
            }
            return features;
        }
    }

    @Override
    public void close() {
        network.close();
    }
}
