// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.ViewGenerator;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.augment.ViewRequest;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.network.ViewBatch;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The encoder of a checkpoint, run by libtorch, to verify an exported file against. It owns its weights until it is closed.
 *
 * @since 0.1.0
 */
public final class CheckpointEncoder implements AutoCloseable {
    private static final String AVERAGE = "average.";

    private final Network network;
    private final Preprocessing preprocessing;

    /**
     * Reads the encoder's weights from a checkpoint, or their moving average if it has one.
     *
     * @param file a {@code step-*.ckpt} file
     * @param net the architecture that the exported file names
     * @param imageSize side of the images in pixels
     * @throws IOException if the file cannot be read or has another architecture
     */
    public CheckpointEncoder(Path file, Architecture net, int imageSize) throws IOException {
        Map<String, float[]> saved = Checkpoint.tensors(file);
        Map<String, float[]> values = new LinkedHashMap<>();
        saved.forEach((name, v) -> values.putIfAbsent(name, saved.getOrDefault(AVERAGE + name, v)));
        preprocessing = new Preprocessing(imageSize);
        network = new Network(net.graph(imageSize), false, Computation.cpu(), 0);
        try {
            for (String name : network.tensors().keySet()) {
                if (!values.containsKey(name)) {
                    throw new IllegalArgumentException(name + " is missing");
                }
            }
            network.load(values);
        } catch (IllegalArgumentException e) {
            network.close();
            throw new IOException(file + " is not a checkpoint of " + net.describe() + ": " + e.getMessage(), e);
        } catch (Throwable e) {
            network.close();
            throw e;
        }
    }

    /**
     * Returns the features of images, before any head.
     *
     * @param images images of any size
     * @return [images, dimension]
     */
    public float[][] embed(List<RgbImage> images) {
        Torch.noGradient();
        int size = preprocessing.size();
        ViewGenerator as = new ViewGenerator(AugmentationPipeline.of("none"), size);
        List<ViewRequest> requests = images.stream()
                .map(i -> new ViewRequest(as, preprocessing.apply(i).rgb(), size, 0))
                .toList();
        try (NDManager m = network.manager().newSubManager();
                ViewPool pool = new ViewPool(1)) {
            NDArray x = ViewBatch.of(requests, pool, m);
            NDArray h =
                    network.run(x, Network.Pass.EVALUATION, LayerGraph.FEATURES).get(0);
            float[] flat = h.toFloatArray();
            int d = (int) h.getShape().get(1);
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
