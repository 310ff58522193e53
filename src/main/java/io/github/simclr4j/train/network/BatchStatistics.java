// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.train.torch.Torch;
import java.util.List;

/**
 * Sums of the batch norm statistics of a step's passes. The running statistics are then updated once with the mean.
 *
 * @since 0.1.0
 */
public final class BatchStatistics {
    private final NDManager owner;
    private List<Layer.BatchNorm> norms = List.of();
    private NDArray means;
    private NDArray variances;
    private int count;

    /**
     * Starts without statistics.
     *
     * @param owner owner of the sums
     */
    public BatchStatistics(NDManager owner) {
        this.owner = owner;
    }

    /**
     * Adds the statistics of one pass.
     *
     * @param normsOfPass batch norms in order; the same in each pass
     * @param mean means of all batch norms, [channels of all batch norms]
     * @param variance variances of all batch norms, [channels of all batch norms]
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

    /** Adds the passes of other statistics, which have the same batch norms and may be on another device. */
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

    /** Returns the batch norms, in order; empty before the first pass. */
    List<Layer.BatchNorm> norms() {
        return norms;
    }

    /** Returns the means of all batch norms, averaged over the passes, owned by a manager. */
    NDArray means(NDManager manager) {
        return mean(means, manager);
    }

    /** Returns the variances of all batch norms, averaged over the passes, owned by a manager. */
    NDArray variances(NDManager manager) {
        return mean(variances, manager);
    }

    private NDArray mean(NDArray sum, NDManager manager) {
        NDArray mean = sum.div(count);
        mean.attach(manager);
        return mean;
    }
}
