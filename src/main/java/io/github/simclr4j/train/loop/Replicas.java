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
 * The devices that share each step. The batch norm groups of a batch are dealt to them in equal numbers, each device works on its
 * groups in a thread of its own (the first in the caller's), and what they come to is put together on the first: so a step is the
 * one that a single device takes with the same groups.
 */
final class Replicas implements AutoCloseable {
    private final List<Replica> all = new ArrayList<>();
    private final ExecutorService threads;

    /**
     * Copies the networks to the devices.
     *
     * @param context has the run's networks, which are on the first device
     * @param others the devices beside the first
     * @param micro micro-batches that a batch is divided into at least
     * @param groups of a batch, a multiple of both the micro-batches and the devices
     */
    Replicas(MethodContext context, List<Device> others, int micro, int groups) {
        int devices = 1 + others.size();
        int parts = leastCommonMultiple(micro, devices);
        threads = others.isEmpty() ? null : Executors.newFixedThreadPool(others.size(), task -> {
            Thread t = new Thread(task, "device");
            t.setDaemon(true);
            return t;
        });
        for (int d = 0; d < devices; d++) {
            all.add(new Replica(context, d == 0 ? null : others.get(d - 1), new MicroBatches(parts, groups, devices == 1),
                    parts / devices * d, parts / devices * (d + 1)));
        }
    }

    /** Returns the smallest number that both divide. */
    static int leastCommonMultiple(int a, int b) {
        return IntStream.rangeClosed(1, b).map(k -> k * a).filter(n -> n % b == 0).findFirst().orElseThrow();
    }

    /** Returns the first device's, whose networks are the run's own. */
    Replica first() {
        return all.get(0);
    }

    /** Returns how many devices there are. */
    int count() {
        return all.size();
    }

    /**
     * Begins a step; {@link #end} ends it.
     *
     * @param manager owns what the step makes on the first device
     */
    void begin(NDManager manager) {
        all.forEach(r -> r.begin(manager));
    }

    /**
     * Embeds all rows of all branches.
     *
     * @param dealt the rows of each branch in the order dealt
     * @param keep whether graphs are kept for {@link #gradients}
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
     * Returns the gradient of all weights, on the first device: the sum over the devices, in their order.
     *
     * @param slices for each branch that gets gradients those with respect to its results, in the order of the rows
     */
    List<NDArray> gradients(BatchViews batch, Map<Branch, int[]> dealt, Map<Branch, NDList> slices, NDManager manager) {
        List<List<NDArray>> parts = each(r -> r.gradients(batch, dealt, slices));
        List<NDArray> sums = parts.get(0);
        for (List<NDArray> part : parts.subList(1, parts.size())) {
            try (NDManager m = manager.newSubManager()) {
                Gradients.add(sums, part.stream().map(g -> Torch.onDeviceOf(m, g)).toList());
            }
        }
        return sums;
    }

    /** Moves the running statistics of the run's networks once, by the mean of what all devices saw. */
    void moveStatistics() {
        all.subList(1, all.size()).forEach(r -> first().micro().add(r.micro(), r.networks()));
        first().micro().end();
    }

    /** Does some work on all devices at once. All have ended when it returns or throws. */
    private <T> List<T> each(Function<Replica, T> work) {
        List<CompletableFuture<T>> others = new ArrayList<>();
        for (Replica r : all.subList(1, all.size())) {
            others.add(CompletableFuture.supplyAsync(() -> {
                Torch.noGradient();
                return work.apply(r);
            }, threads));
        }
        List<T> results = new ArrayList<>();
        try {
            results.add(work.apply(first()));
        } finally {
            // Even if this thread is interrupted or has failed: the others use what the caller frees.
            CompletableFuture.allOf(others.toArray(CompletableFuture[]::new)).handle((none, e) -> none).join();
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

    /** Frees what the step made on all devices but the first. */
    void end() {
        all.forEach(Replica::end);
    }

    /** Ends the threads and frees the copies of the networks. */
    @Override
    public void close() {
        all.forEach(Replica::close);
        if (threads != null) {
            threads.shutdown();
        }
    }
}
