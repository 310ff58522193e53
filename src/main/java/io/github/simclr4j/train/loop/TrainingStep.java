// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.method.Branch;
import io.github.simclr4j.train.method.Embeddings;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.monitor.Outcome;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Precision;
import io.github.simclr4j.train.optim.Averages;
import io.github.simclr4j.train.optim.Optimizer;
import io.github.simclr4j.train.optim.WeightRules;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.torch.Gradients;
import io.github.simclr4j.train.torch.Torch;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One training step of any method: embeds the views, computes loss and gradients, and updates the weights.
 *
 * <p>A contrastive loss needs the embeddings of the whole batch at once. With micro-batches (GradCache, Gao et al. 2021, section 3.2,
 * <a href="https://arxiv.org/abs/2101.06983">arXiv:2101.06983</a>) a step proceeds as follows:
 *
 * <ol>
 *   <li>all rows are embedded without a graph;
 *   <li>the loss is differentiated with respect to the embeddings;
 *   <li>each micro-batch is run again with a graph, and gets its slice of that gradient.
 * </ol>
 *
 * <p>The result is the gradient of the whole batch with the memory of one micro-batch. Several devices share the micro-batches.
 * Without micro-batches each device keeps the graph of its rows, so that nothing is run twice.
 *
 * <p>In float16 (Micikevicius et al. 2018, <a href="https://arxiv.org/abs/1710.03740">arXiv:1710.03740</a>) the loss is multiplied
 * by a scale that keeps small gradients from underflowing. A step whose gradients overflow is skipped and halves the scale; 2,000
 * consecutive good steps double it.
 */
final class TrainingStep implements AutoCloseable {
    private static final float FIRST_SCALE = 65536;
    private static final int GOOD_STEPS = 2000;

    private final PretrainSettings settings;
    private final MethodContext context;
    private final Method method;
    private final Replicas replicas;
    private final Optimizer optimizer;
    private final Map<String, NDArray> trained = new LinkedHashMap<>();
    private final boolean scales;
    private double scale = 1;
    private int good;

    /** The result of a step; the tensors belong to the step's manager. */
    record Result(Outcome outcome, boolean skipped) {}

    /**
     * Prepares steps on one device.
     *
     * @param settings settings with the effective precision
     * @param context owner of the networks, which the caller closes
     * @param method the training method
     */
    TrainingStep(PretrainSettings settings, MethodContext context, Method method) {
        this(settings, context, method, List.of());
    }

    /**
     * Prepares steps that several devices share.
     *
     * @param settings settings with the effective precision and with batch norm groups that the devices can share
     * @param context owner of the networks, which are on the first device; the caller closes it
     * @param method the training method
     * @param others the other devices
     * @throws IllegalArgumentException if a batch norm gets a single value per channel and group
     */
    TrainingStep(PretrainSettings settings, MethodContext context, Method method, List<Device> others) {
        this.settings = settings;
        this.context = context;
        this.method = method;
        GroupSizes.check(settings, method);
        replicas = new Replicas(context, others, settings.microBatches(), settings.groups());
        scales = settings.precision() == Precision.FLOAT16;
        if (scales) {
            scale = FIRST_SCALE;
        }
        // Norms, biases and learned tokens are exempt from weight decay.
        Set<String> plain = new HashSet<>();
        for (int i = 0; i < context.trained().size(); i++) {
            String prefix = prefix(i);
            Network network = context.trained().get(i);
            network.trained().forEach((name, w) -> trained.put(prefix + name, w));
            network.graph().weights().stream()
                    .filter(w -> w.kind() != Weight.Kind.MATRIX)
                    .forEach(w -> plain.add(prefix + w.name()));
        }
        try {
            optimizer = Optimizer.of(
                    settings.optimizer(),
                    trained,
                    new WeightRules(
                            (name, w) -> plain.contains(name),
                            name -> method.constantRate().stream().anyMatch(name::startsWith)));
        } catch (Throwable e) {
            replicas.close();
            throw e;
        }
    }

    private static String prefix(int network) {
        return network == 0 ? "" : "branch" + network + ".";
    }

    /** Returns all tensors of the run except the monitor's by name, to save and to restore. */
    Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>();
        for (int i = 0; i < context.trained().size(); i++) {
            String prefix = prefix(i);
            context.trained().get(i).tensors().forEach((name, a) -> all.put(prefix + name, a));
        }
        optimizer.state().forEach((name, a) -> all.put("optimizer." + name, a));
        context.tensors().forEach((name, a) -> all.put("method." + name, a));
        return all;
    }

    /** Returns the loss scale and the number of good steps since it changed, for a checkpoint. */
    double[] scaling() {
        return new double[] {scale, good};
    }

    void scaling(double newScale, double goodSteps) {
        scale = newScale;
        good = (int) goodSteps;
    }

    /**
     * Performs a step.
     *
     * @param batch views of the step
     * @param rate learning rate
     * @param done fraction of the run that is done after this step
     * @param manager owner of the step's tensors
     */
    Result take(BatchViews batch, double rate, double done, NDManager manager) {
        Torch.noGradient();
        replicas.begin(manager);
        try {
            return take(batch, method.targets(batch, manager), rate, done, manager);
        } finally {
            replicas.end();
        }
    }

    private Result take(BatchViews batch, NDArray targets, double rate, double done, NDManager manager) {
        Map<Branch, int[]> dealt = deal(batch);
        Step step = replicas.count() == 1 && settings.microBatches() == 1
                ? inOnePiece(batch, dealt, targets, manager)
                : inParts(batch, dealt, targets, manager);
        List<NDArray> gradients = step.gradients();
        if (scale != 1) {
            gradients.forEach(g -> g.muli(1 / scale));
        }
        boolean sound = clip(gradients);
        if (sound) {
            optimizer.step(gradients, rate);
            replicas.moveStatistics();
            context.followers()
                    .values()
                    .forEach(f -> Averages.move(
                            f.network().trained(),
                            f.leader().trained(),
                            f.momentum().at(done)));
            method.afterStep(step.embeddings());
        }
        rescale(sound);
        return new Result(step.outcome(), !sound);
    }

    private record Step(Outcome outcome, Embeddings embeddings, List<NDArray> gradients) {}

    /** Returns the rows of each branch in the assigned order; branches without gradient come first. */
    private Map<Branch, int[]> deal(BatchViews batch) {
        Map<Branch, int[]> dealt = new LinkedHashMap<>();
        for (boolean gradient : new boolean[] {false, true}) {
            method.branches().stream()
                    .filter(b -> b.gradient() == gradient)
                    .forEach(b -> dealt.put(b, replicas.first().micro().deal(batch, b)));
        }
        return dealt;
    }

    private Step inOnePiece(BatchViews batch, Map<Branch, int[]> dealt, NDArray targets, NDManager manager) {
        MicroBatches whole = replicas.first().micro();
        Map<Branch, NDList> all = new LinkedHashMap<>();
        Map<Branch, NDList> fixed = new LinkedHashMap<>();
        dealt.forEach((branch, places) -> {
            if (!branch.gradient()) {
                fixed.put(branch, MicroBatches.gather(whole.embed(branch, batch, places, 0, 1, manager), places));
            }
        });
        Method.Loss loss = Torch.recording(() -> {
            dealt.forEach((branch, places) -> {
                if (branch.gradient()) {
                    all.put(
                            branch,
                            MicroBatches.gather(whole.forward(branch, batch, places, true, true, manager), places));
                }
            });
            all.putAll(fixed);
            return method.loss(embeddings(batch, all, targets, 0, method.anchors(batch.size())));
        });
        Embeddings z = embeddings(batch, all, targets, 0, method.anchors(batch.size()));
        NDList of = new NDList(Torch.recording(() -> scaled(loss.value())));
        List<NDArray> gradients = Gradients.of(of, null, trained.values(), manager);
        return new Step(outcome(loss.value(), loss.rank(), loss.figures(), z), z, gradients);
    }

    private static Embeddings embeddings(
            BatchViews batch, Map<Branch, NDList> results, NDArray targets, int from, int to) {
        return new Embeddings(results, batch.images(), batch.labels(), targets, from, to);
    }

    /** Embeds the batch in parts, computes the loss on all embeddings, and gives each part its slice of the gradient. */
    private Step inParts(BatchViews batch, Map<Branch, int[]> dealt, NDArray targets, NDManager manager) {
        // Micro-batches are used if the memory is too small to keep graphs.
        Map<Branch, NDList> all = replicas.embed(batch, dealt, settings.microBatches() == 1, manager);
        NDList leaves = new NDList();
        NDList gradient = new NDList();
        Map<Branch, NDList> slices = new LinkedHashMap<>();
        all.forEach((branch, results) -> {
            if (branch.gradient()) {
                results.replaceAll(NDArray::duplicate);
                results.forEach(leaf -> leaf.setRequiresGradient(true));
                NDList zeros =
                        new NDList(results.stream().map(NDArray::zerosLike).toList());
                leaves.addAll(results);
                gradient.addAll(zeros);
                slices.put(branch, zeros);
            }
        });
        Outcome outcome = lossByParts(batch, all, targets, leaves, gradient, manager);
        return new Step(
                outcome,
                embeddings(batch, all, targets, 0, method.anchors(batch.size())),
                replicas.gradients(batch, dealt, slices, manager));
    }

    /** Computes the loss for a range of anchors at a time, and adds its gradient with respect to the leaves to the slices. */
    private Outcome lossByParts(
            BatchViews batch,
            Map<Branch, NDList> all,
            NDArray targets,
            NDList leaves,
            NDList slices,
            NDManager manager) {
        int anchors = method.anchors(batch.size());
        int parts = anchors == 0 ? 1 : Math.min(settings.microBatches(), anchors);
        NDArray sum = manager.zeros(new Shape(), leaves.get(0).getDataType());
        NDList ranks = new NDList();
        Map<String, NDArray> figures = new LinkedHashMap<>();
        for (int k = 0; k < parts; k++) {
            // The parts differ by one anchor if their number does not divide the anchors, so each is weighted by its
            // anchors.
            int from = (int) ((long) anchors * k / parts);
            int to = (int) ((long) anchors * (k + 1) / parts);
            double share = anchors == 0 ? 1 : (double) (to - from) / anchors;
            try (NDManager m = manager.newSubManager()) {
                Method.Loss loss = Torch.recording(() -> {
                    Map<Branch, NDList> own = new LinkedHashMap<>();
                    all.forEach((branch, results) -> {
                        NDList aliases = new NDList();
                        results.forEach(r -> aliases.add(Torch.alias(r, m)));
                        own.put(branch, aliases);
                    });
                    return method.loss(
                            embeddings(batch, own, targets == null ? null : Torch.alias(targets, m), from, to));
                });
                NDArray part = Torch.recording(() -> loss.value().mul(Rows.number(loss.value(), share)));
                Gradients.add(slices, new NDList(Torch.recording(() -> scaled(part))), null, leaves, m);
                sum.addi(part.stopGradient());
                if (loss.rank() != null) {
                    loss.rank().attach(manager);
                    ranks.add(loss.rank());
                }
                loss.figures().forEach((name, f) -> {
                    NDArray weighted = f.stopGradient().mul(share);
                    weighted.attach(manager);
                    figures.merge(name, weighted, NDArray::addi);
                });
            }
        }
        return outcome(
                sum,
                ranks.isEmpty() ? null : MicroBatches.together(ranks),
                figures,
                embeddings(batch, all, targets, 0, anchors));
    }

    private Outcome outcome(NDArray loss, NDArray rank, Map<String, NDArray> figures, Embeddings z) {
        NDList pairs = method.pairs(z);
        return new Outcome(loss.stopGradient(), rank, figures, pairs.get(0), pairs.get(1));
    }

    private NDArray scaled(NDArray loss) {
        return scale == 1 ? loss : loss.mul(Rows.number(loss, scale));
    }

    /** Clips the gradients; returns {@code false} if they are not finite and the step is to be skipped. */
    private boolean clip(List<NDArray> gradients) {
        double most = settings.optimizer().clip();
        if (most == 0 && !scales) {
            return true;
        }
        double norm = Gradients.clip(gradients, most);
        // Without loss scaling the monitor stops the run; with it a smaller scale may help.
        return Double.isFinite(norm) || !scales;
    }

    private void rescale(boolean sound) {
        if (!scales) {
            return;
        }
        if (!sound) {
            scale /= 2;
            good = 0;
            if (scale < 1.0 / 65536) {
                throw new IllegalStateException("Gradients overflow at every loss scale: lower the learning rate ("
                        + settings.optimizer().rate() + ") or use another precision than float16");
            }
        } else if (++good == GOOD_STEPS) {
            scale = Math.min(scale * 2, 1 << 24);
            good = 0;
        }
    }

    /** Returns the network that holds the encoder. */
    Network exported() {
        return context.exported();
    }

    /** Frees the optimizer's state and the copies of the networks. */
    @Override
    public void close() {
        replicas.close();
        optimizer.close();
    }
}
