// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The devices that share each step (data parallelism).
 *
 * <p>Each device gets the same number of the batch's batch norm groups and processes them in its own thread, the first device in the
 * caller's. Embeddings are gathered on the first device, and gradients are summed there. A step is therefore the same as on a single
 * device with the same groups.
 */
final class Replicas implements AutoCloseable {
    private final List<Replica> all = new ArrayList<>();
    private final ExecutorService threads;

    /**
     * Copies the networks to the devices.
     *
     * @param context context with the run's networks, which are on the first device
     * @param others the other devices
     * @param micro smallest number of micro-batches of a batch
     * @param groups number of groups of a batch, a multiple of both the micro-batches and the devices
     */
    Replicas(MethodContext context, List<Device> others, int micro, int groups) {
        int devices = 1 + others.size();
        int parts = leastCommonMultiple(micro, devices);
        threads = others.isEmpty()
                ? null
                : Executors.newFixedThreadPool(others.size(), task -> {
                    Thread t = new Thread(task, "device");
                    t.setDaemon(true);
                    return t;
                });
        try {
            for (int d = 0; d < devices; d++) {
                all.add(new Replica(
                        context,
                        d == 0 ? null : others.get(d - 1),
                        new MicroBatches(parts, groups, devices == 1),
                        parts / devices * d,
                        parts / devices * (d + 1)));
            }
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** Returns the least common multiple of two numbers. */
    static int leastCommonMultiple(int a, int b) {
        return IntStream.rangeClosed(1, b)
                .map(k -> k * a)
                .filter(n -> n % b == 0)
                .findFirst()
                .orElseThrow();
    }

    /** Returns the replica of the first device, whose networks are the run's own. */
    Replica first() {
        return all.get(0);
    }

    /** Returns the number of devices. */
    int count() {
        return all.size();
    }

    /**
     * Begins a step, which {@link #end} ends.
     *
     * @param manager owner of the step's tensors on the first device
     */
    void begin(NDManager manager) {
        all.forEach(r -> r.begin(manager));
    }

    /**
     * Embeds all rows of all branches.
     *
     * @param batch renders the views
     * @param dealt rows of each branch in the assigned order
     * @param keep whether to keep graphs for {@link #gradients}
     * @param manager owner of the results
     * @return the results in the order of the rows, without gradient, on the first device
     */
    Map<Branch, NDList> embed(BatchViews batch, Map<Branch, int[]> dealt, boolean keep, NDManager manager) {
        List<Map<Branch, NDList>> parts = each(r -> r.embed(batch, dealt, keep));
        Map<Branch, NDList> gathered = new LinkedHashMap<>();
        dealt.forEach((branch, places) -> {
            NDList results = new NDList();
            for (int i = 0; i < branch.results().size(); i++) {
                NDList rows = new NDList();
                for (Map<Branch, NDList> part : parts) {
                    rows.add(Torch.onDeviceOf(manager, part.get(branch).get(i)));
                }
                results.add(MicroBatches.together(rows));
            }
            gathered.put(branch, MicroBatches.gather(results, places));
        });
        return gathered;
    }

    /**
     * Returns the gradient of all weights on the first device: the sum over the devices, in their order.
     *
     * @param batch renders the views
     * @param dealt rows of each branch in the assigned order
     * @param slices gradients with respect to the results of each branch with gradient, in the order of the rows
     * @param manager owner of intermediate tensors
     */
    List<NDArray> gradients(BatchViews batch, Map<Branch, int[]> dealt, Map<Branch, NDList> slices, NDManager manager) {
        List<List<NDArray>> parts = each(r -> r.gradients(batch, dealt, slices));
        List<NDArray> sums = parts.get(0);
        for (List<NDArray> part : parts.subList(1, parts.size())) {
            try (NDManager m = manager.newSubManager()) {
                Gradients.add(
                        sums, part.stream().map(g -> Torch.onDeviceOf(m, g)).toList());
            }
        }
        return sums;
    }

    /** Updates the running statistics of the run's networks once, with the mean over all devices. */
    void moveStatistics() {
        all.subList(1, all.size()).forEach(r -> first().micro().add(r.micro(), r.networks()));
        first().micro().end();
    }

    /** Runs work on all devices in parallel. All have finished when the method returns or throws. */
    private <T> List<T> each(Function<Replica, T> work) {
        List<CompletableFuture<T>> others = new ArrayList<>();
        for (Replica r : all.subList(1, all.size())) {
            others.add(CompletableFuture.supplyAsync(
                    () -> {
                        Torch.noGradient();
                        return work.apply(r);
                    },
                    threads));
        }
        List<T> results = new ArrayList<>();
        try {
            results.add(work.apply(first()));
        } finally {
            // Also after an interrupt or a failure of this thread, because the other devices use what the caller frees.
            CompletableFuture.allOf(others.toArray(CompletableFuture[]::new))
                    .handle((none, e) -> none)
                    .join();
        }
        others.forEach(o -> results.add(result(o)));
        return results;
    }

    private static <T> T result(CompletableFuture<T> work) {
        try {
            return work.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException why) {
                throw why;
            } else if (e.getCause() instanceof Error why) {
                throw why;
            }
            throw e;
        }
    }

    /** Frees the step's tensors on all devices but the first. */
    void end() {
        all.forEach(Replica::end);
    }

    /** Stops the threads and frees the copies of the networks. */
    @Override
    public void close() {
        all.forEach(Replica::close);
        if (threads != null) {
            threads.shutdown();
        }
    }
}
