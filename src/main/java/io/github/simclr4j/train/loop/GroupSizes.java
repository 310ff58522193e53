// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.util.HashSet;
import java.util.Set;

/** Checks that the groups of a batch are large enough for batch norm: a single value per channel has no variance. */
final class GroupSizes {
    private GroupSizes() {}

    /**
     * Checks the groups of all branches.
     *
     * @throws IllegalArgumentException if a batch norm gets a single value per channel and group
     */
    static void check(PretrainSettings s, Method method) {
        for (Branch branch : method.branches()) {
            if (branch.views().size() * s.batch() / s.groups() == 1) {
                LayerGraph graph =
                        branch.network().graph().only(branch.results().toArray(String[]::new));
                String norm = normOfOneValue(graph);
                if (norm != null) {
                    throw new IllegalArgumentException("Each of the " + s.groups()
                            + " batch norm groups has a single view, so that the batch norm " + norm
                            + " has one value per channel, which has no variance: choose fewer groups (the settings"
                            + " bn-splits, found " + s.bnSplits() + ", and micro-batch, found " + s.microBatch()
                            + ", for a batch of " + s.batch() + ")");
                }
            }
        }
    }

    /** Returns the name of a batch norm whose input has one value per channel and image, or null. */
    private static String normOfOneValue(LayerGraph graph) {
        // The patches of an image are several rows.
        Set<Integer> patches = new HashSet<>();
        for (LayerGraph.Node node : graph.nodes()) {
            if (node.layer() instanceof Layer.IntoBatch
                    || !(node.layer() instanceof Layer.OutOfBatch)
                            && node.inputs().stream().anyMatch(patches::contains)) {
                patches.add(node.id());
            } else if (node.layer() instanceof Layer.BatchNorm norm
                    && node.shape().stream().skip(1).allMatch(d -> d == 1)) {
                return norm.name();
            }
        }
        return null;
    }
}
