// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A device's share of a step: its networks and its micro-batches.
 *
 * <p>The first device has the run's own networks, each other device has copies. Not thread-safe.
 */
final class Replica implements AutoCloseable {
    private final Map<Network, Network> networks = new LinkedHashMap<>();
    private final List<NDArray> trained = new ArrayList<>();
    private final boolean copied;
    private final MicroBatches micro;
    private final int from;
    private final int to;
    private final Map<Branch, NDList> kept = new LinkedHashMap<>();
    private NDManager step;

    /**
     * Creates a replica.
     *
     * @param context context with the run's networks
     * @param device device that gets copies of the networks, or null to use the networks themselves
     * @param micro the replica's own division of batches
     * @param from index of the device's first micro-batch, inclusive
     * @param to index after the device's last micro-batch, exclusive
     */
    Replica(MethodContext context, Device device, MicroBatches micro, int from, int to) {
        this.micro = micro;
        this.from = from;
        this.to = to;
        copied = device != null;
        try {
            context.trained().forEach(n -> networks.put(n, copied ? n.copyTo(device, true) : n));
            context.trained()
                    .forEach(n -> trained.addAll(networks.get(n).trained().values()));
            context.followers()
                    .values()
                    .forEach(f -> networks.put(f.network(), copied ? f.network().copyTo(device, false) : f.network()));
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    /** Returns the division of batches. */
    MicroBatches micro() {
        return micro;
    }

    /** Returns this device's networks by the run's own. */
    Map<Network, Network> networks() {
        return networks;
    }

    /**
     * Begins a step.
     *
     * @param manager owner of the step's tensors on the first device
     */
    void begin(NDManager manager) {
        step = copied ? networks.values().iterator().next().manager().newSubManager() : manager;
        micro.begin(step);
    }

    /**
     * Embeds this device's rows of all branches with the current weights of the run.
     *
     * @param batch renders the views
     * @param dealt rows of each branch in the assigned order
     * @param keep whether to keep the graphs of branches with gradient for {@link #gradients}, which takes the memory of all these
     *     branches at once
     * @return this device's rows of the results, in the assigned order, without gradient
     */
    Map<Branch, NDList> embed(BatchViews batch, Map<Branch, int[]> dealt, boolean keep) {
        if (copied) {
            networks.forEach((network, copy) -> copy.takeOver(network));
        }
        Map<Branch, NDList> all = new LinkedHashMap<>();
        dealt.forEach((branch, places) -> {
            if (keep && branch.gradient()) {
                NDList out = forward(branch, batch, share(places), true, step);
                kept.put(branch, out);
                NDList fixed = new NDList();
                out.forEach(r -> fixed.add(r.stopGradient()));
                all.put(branch, fixed);
            } else {
                all.put(branch, micro.embed(here(branch), batch, places, from, to, step));
            }
        });
        return all;
    }

    private int[] share(int[] dealt) {
        int per = dealt.length / micro.micro();
        return Arrays.copyOfRange(dealt, from * per, to * per);
    }

    private Branch here(Branch branch) {
        return copied
                ? new Branch(networks.get(branch.network()), branch.views(), branch.results(), branch.gradient())
                : branch;
    }

    private NDList forward(Branch branch, BatchViews batch, int[] places, boolean count, NDManager manager) {
        return Torch.recording(() -> micro.forward(here(branch), batch, places, true, count, manager));
    }

    /**
     * Returns the contribution of this device's rows to the gradient of all weights, in the order of the trained networks.
     * Micro-batches whose graphs were not kept go through the network again.
     *
     * @param batch renders the views
     * @param dealt rows of each branch in the assigned order
     * @param slices gradients with respect to the results of each branch with gradient, in the order of the rows, on the first device
     */
    List<NDArray> gradients(BatchViews batch, Map<Branch, int[]> dealt, Map<Branch, NDList> slices) {
        if (!kept.isEmpty()) {
            NDList outputs = new NDList();
            NDList given = new NDList();
            kept.forEach((branch, out) -> {
                outputs.addAll(out);
                given.addAll(some(slices.get(branch), share(dealt.get(branch)), step));
            });
            kept.clear();
            return Gradients.of(outputs, given, trained, step);
        }
        List<NDArray> sums = new ArrayList<>();
        trained.forEach(w -> {
            NDArray sum = w.zerosLike();
            sum.attach(step);
            sums.add(sum);
        });
        slices.forEach((branch, whole) -> {
            for (int k = from; k < to; k++) {
                try (NDManager m = step.newSubManager()) {
                    int[] places = micro.part(dealt.get(branch), k);
                    NDList out = forward(branch, batch, places, false, m);
                    Gradients.add(sums, out, some(whole, places, m), trained, m);
                }
            }
        });
        return sums;
    }

    /** Returns rows of tensors of the first device on this device. */
    private static NDList some(NDList whole, int[] places, NDManager manager) {
        NDList rows = new NDList();
        try (NDManager there = whole.get(0).getManager().newSubManager()) {
            NDArray index = there.create(Arrays.stream(places).asLongStream().toArray());
            for (NDArray x : whole) {
                NDArray some = x.get(index);
                some.attach(there);
                rows.add(Torch.onDeviceOf(manager, some));
            }
        }
        return rows;
    }

    /** Frees the step's tensors on a device with copies. */
    void end() {
        kept.clear();
        if (copied && step != null) {
            step.close();
            step = null;
        }
    }

    /** Frees the copies; the run's own networks are kept. */
    @Override
    public void close() {
        end();
        if (copied) {
            networks.values().forEach(Network::close);
        }
    }
}
