package io.github.simclr4j.train.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.train.torch.Torch;
import java.util.List;

/** The batch norm statistics that the passes of one step saw, as sums; the running statistics then move once by their mean. */
public final class BatchStatistics {
    private final NDManager owner;
    private List<Layer.BatchNorm> norms = List.of();
    private NDArray means;
    private NDArray variances;
    private int count;

    /**
     * Starts without any.
     *
     * @param owner of the sums
     */
    public BatchStatistics(NDManager owner) {
        this.owner = owner;
    }

    /**
     * Adds one pass.
     *
     * @param normsOfPass batch norms in order; the same in each pass
     * @param mean [channels of all batch norms]
     * @param variance likewise
     */
    void add(List<Layer.BatchNorm> normsOfPass, NDArray mean, NDArray variance) {
        if (count == 0) {
            norms = normsOfPass;
            means = mean.duplicate();
            variances = variance.duplicate();
            means.attach(owner);
            variances.attach(owner);
        } else {
            means.addi(mean);
            variances.addi(variance);
        }
        count++;
    }

    /** Adds the passes that other statistics have, of the same batch norms on whatever device. */
    public void add(BatchStatistics other) {
        if (other.count == 0) {
            return;
        }
        NDArray mean = Torch.onDeviceOf(owner, other.means);
        NDArray variance = Torch.onDeviceOf(owner, other.variances);
        add(other.norms, mean, variance);
        mean.close();
        variance.close();
        count += other.count - 1;
    }

    /** Returns the batch norms, in order; none before the first pass. */
    List<Layer.BatchNorm> norms() {
        return norms;
    }

    /** Returns the mean over the passes of all means, owned by a manager. */
    NDArray means(NDManager manager) {
        return mean(means, manager);
    }

    /** Returns the mean over the passes of all variances, owned by a manager. */
    NDArray variances(NDManager manager) {
        return mean(variances, manager);
    }

    private NDArray mean(NDArray sum, NDManager manager) {
        NDArray mean = sum.div(count);
        mean.attach(manager);
        return mean;
    }
}
