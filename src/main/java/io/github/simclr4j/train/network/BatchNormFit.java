// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.torch.Torch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Recalibrates an encoder's batch norms on images without changing its output in evaluation mode.
 *
 * <p>Exported files have their batch norms folded into the convolutions. When such a file is read back, its batch norms are the
 * identity with meaningless running statistics, and training, which normalises every batch, would change the network's function.
 *
 * <p>Images are added in parts of any size. In evaluation mode the input of a norm does not depend on the other images, so that the
 * statistics of the parts combine to exactly those of all images (Chan, Golub and LeVeque 1979). Not thread-safe.
 *
 * @since 0.1.0
 */
public final class BatchNormFit {
    private final Network network;
    private List<Layer.BatchNorm> norms = List.of();
    private double[] mean;
    /** Sums of the squared differences from the mean, divided by the number of values per image. */
    private double[] squares;

    private long images;

    /** Starts without images. */
    public BatchNormFit(Network network) {
        this.network = network;
    }

    /**
     * Adds images.
     *
     * @param x images as for {@link Network#run}
     */
    public void add(NDArray x) {
        Torch.noGradient();
        try (NDManager m = x.getManager().newSubManager()) {
            BatchStatistics seen = new BatchStatistics(m);
            network.run(x, new Network.Pass(false, 1, false, seen), LayerGraph.FEATURES)
                    .close();
            norms = seen.norms();
            if (!norms.isEmpty()) {
                add(x.getShape().get(0), doubles(seen.means(m)), doubles(seen.variances(m)));
            }
        }
    }

    private void add(long count, double[] means, double[] variances) {
        if (images == 0) {
            mean = new double[means.length];
            squares = new double[means.length];
        }
        long all = images + count;
        for (int i = 0; i < means.length; i++) {
            double difference = means[i] - mean[i];
            mean[i] += difference * count / all;
            squares[i] += variances[i] * count + difference * difference * images * count / all;
        }
        images = all;
    }

    private static double[] doubles(NDArray x) {
        try (NDArray wide = x.toType(DataType.FLOAT64, true)) {
            return wide.toDoubleArray();
        }
    }

    /** Gives the batch norms the statistics of the added images. A network without batch norm is left unchanged. */
    public void apply() {
        Map<String, float[]> fitted = new HashMap<>();
        int from = 0;
        for (Layer.BatchNorm norm : norms) {
            String name = norm.name();
            float[] scale = network.values(name + ".weight");
            float[] shift = network.values(name + ".bias");
            float[] oldMean = network.values(name + ".running_mean");
            float[] oldVariance = network.values(name + ".running_var");
            float[] newMean = new float[scale.length];
            float[] newVariance = new float[scale.length];
            for (int i = 0; i < scale.length; i++) {
                newMean[i] = (float) mean[from + i];
                newVariance[i] = (float) (squares[from + i] / images);
                double a = scale[i] / Math.sqrt(oldVariance[i] + norm.epsilon());
                shift[i] += (float) ((newMean[i] - oldMean[i]) * a);
                scale[i] = (float) (a * Math.sqrt(newVariance[i] + norm.epsilon()));
            }
            fitted.put(name + ".weight", scale);
            fitted.put(name + ".bias", shift);
            fitted.put(name + ".running_mean", newMean);
            fitted.put(name + ".running_var", newVariance);
            from += scale.length;
        }
        network.load(fitted);
    }
}
