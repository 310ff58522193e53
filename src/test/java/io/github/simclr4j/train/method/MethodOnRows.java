// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A method whose branches give rows that a test chooses, whatever their networks would compute of images. */
final class MethodOnRows implements AutoCloseable {
    private final MethodContext context;
    private final Method method;
    private final int images;

    /** Creates a method for batches of a number of images that have ten classes. */
    MethodOnRows(PretrainBuilder settings, int images) {
        Torch.noGradient();
        this.images = images;
        PretrainSettings s = Small.build(settings.batch(images).epochs(1));
        context = new MethodContext(
                s.network(10),
                s.zeroGamma(),
                Computation.cpu(),
                new MethodContext.Run(s.options(), images, 10, 1, s.head()::append));
        method = s.method().create(context);
    }

    Method method() {
        return method;
    }

    /** Returns a tensor of the method's state, such as its queue. */
    NDArray state(String name) {
        return context.tensors().get(name);
    }

    /** Replaces the method's queue, which must have the same shape. */
    void queue(NDArray rows) {
        state("queue").muli(0).addi(rows);
    }

    /**
     * Returns the results of all branches for images 0, 1, 2 and so on, with all anchors.
     *
     * @param rows of each result of a branch those of view 0, of view 1 and so on, [images, ...] each
     */
    Embeddings embeddings(Map<String, List<NDArray>> rows) {
        int[] order = new int[images];
        for (int i = 0; i < images; i++) {
            order[i] = i;
        }
        return embeddings(rows, order, null, null);
    }

    /** Returns the results of all branches for some images, with all anchors; each branch has its views in its own order. */
    Embeddings embeddings(Map<String, List<NDArray>> rows, int[] which, int[] labels, NDArray targets) {
        Map<Branch, NDList> results = new HashMap<>();
        for (Branch b : method.branches()) {
            NDList all = new NDList();
            for (String name : b.results()) {
                NDList views = new NDList();
                b.views().forEach(v -> views.add(rows.get(name).get(v)));
                // DJL's concat of a single tensor is a copy without gradient.
                all.add(views.size() == 1 ? views.get(0) : NDArrays.concat(views));
            }
            results.put(b, all);
        }
        return new Embeddings(results, which, labels, targets, 0, method.anchors(images));
    }

    @Override
    public void close() {
        context.close();
    }
}
