package io.github.simclr4j.train.loop;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.github.simclr4j.train.PretrainSettings;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.optim.Optimiser;
import io.github.simclr4j.train.torch.Torch;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One step of any method: embed, loss, gradient, move.
 *
 * <p>A contrastive loss needs the embeddings of the whole batch at once. With micro-batches (Gao et al. 2021, section 3.2) all are
 * embedded without a graph, the loss is differentiated with respect to the embeddings, and each micro-batch is run again with a
 * graph that is fed its slice of that gradient: the same gradient with the memory of one micro-batch.
 *
 * <p>Mixed precision (Micikevicius et al. 2018): convolutions and dense layers run on FLOAT16 copies of the weights, the loss is
 * float32 and is multiplied by a scale so that small gradients survive; a step whose gradients overflow is left out and
 * halves the scale, 2,000 good ones double it.
 */
public final class Step {
    private static final float FIRST_SCALE = 65536;
    private static final int GOOD_STEPS = 2000;

    private final PretrainSettings settings;
    private final Network network;
    private final Method method;
    private final Passes passes;
    private final Optimiser optimiser;
    private final Map<String, NDArray> trained = new LinkedHashMap<>();
    private final boolean mixed;
    private double scale = 1;
    private int good;

    /** What a step came to; the tensors belong to the step's manager. */
    public record Result(Method.Outcome outcome, boolean skipped) {}

    public Step(PretrainSettings settings, Network network, Method method, Passes passes) {
        this.settings = settings;
        this.network = network;
        this.method = method;
        this.passes = passes;
        mixed = settings.mixed();
        if (mixed) {
            scale = FIRST_SCALE;
        }
        for (int b = 0; b < method.branches().size(); b++) {
            String prefix = prefix(b);
            method.branches().get(b).network().trained().forEach((name, w) -> trained.put(prefix + name, w));
        }
        optimiser = Optimiser.of(settings.optimiser(), trained);
    }

    private static String prefix(int branch) {
        return branch == 0 ? "" : "branch" + branch + ".";
    }

    /** All tensors of the run but the monitor's, by name, to save and to fill again. */
    public Map<String, NDArray> tensors() {
        Map<String, NDArray> all = new LinkedHashMap<>();
        for (int b = 0; b < method.branches().size(); b++) {
            String prefix = prefix(b);
            method.branches().get(b).network().tensors().forEach((name, a) -> all.put(prefix + name, a));
        }
        optimiser.state().forEach((name, a) -> all.put("optimiser." + name, a));
        method.state().forEach((name, a) -> all.put("method." + name, a));
        return all;
    }

    /** The loss scale and the good steps since it changed; a part of the state. */
    public double[] scaling() {
        return new double[] {scale, good};
    }

    public void scaling(double scale, double good) {
        this.scale = scale;
        this.good = (int) good;
    }

    /**
     * Takes a step.
     *
     * @param rate learning rate
     * @param done share of the run that is over with this step
     * @param manager owns what is made
     */
    public Result take(Batch batch, double rate, double done, NDManager manager) {
        passes.begin(manager);
        method.prepare(batch, manager);
        Method.Outcome outcome = passes.micro() == 1 ? inOnePiece(batch, manager) : byMicroBatches(batch, manager);
        Map<String, NDArray> gradients = gradients(manager);
        boolean sound = clip(gradients, manager);
        if (sound) {
            optimiser.step(trained, gradients, rate);
            passes.end();
            method.finish(done);
        }
        trained.values().forEach(Torch::zeroGradient);
        rescale(sound);
        return new Result(outcome, !sound);
    }

    private Method.Outcome inOnePiece(Batch batch, NDManager manager) {
        try (GradientCollector collector = Torch.engine().newGradientCollector()) {
            NDList z = new NDList();
            for (Method.Branch branch : method.branches()) {
                int[] dealt = deal(batch, branch);
                NDArray some = passes.forward(branch.network(), batch, rows(batch, branch, dealt), true, manager);
                z.add(passes.gather(some, dealt));
            }
            NDArray all = together(z);
            Method.Part part = method.loss(batch, all, 0, method.anchors(all));
            collector.backward(scaled(part.loss()));
            return outcome(part.loss(), part.rank(), all);
        }
    }

    private Method.Outcome byMicroBatches(Batch batch, NDManager manager) {
        List<int[]> dealt = new ArrayList<>();
        NDList embedded = new NDList();
        for (Method.Branch branch : method.branches()) {
            int[] d = deal(batch, branch);
            dealt.add(d);
            embedded.add(passes.embed(branch.network(), batch, rows(batch, branch, d), d, manager));
        }
        NDArray z = together(embedded).duplicate();
        z.setRequiresGradient(true);
        Method.Outcome outcome = lossByParts(batch, z, manager);
        NDArray gradient = z.getGradient();
        gradient.attach(manager);
        int from = 0;
        for (int b = 0; b < dealt.size(); b++) {
            Method.Branch branch = method.branches().get(b);
            int[] d = dealt.get(b);
            int[] rows = rows(batch, branch, d);
            for (int k = 0; k < passes.micro(); k++) {
                try (NDManager m = manager.newSubManager()) {
                    int[] slots = passes.part(d, k);
                    for (int i = 0; i < slots.length; i++) {
                        slots[i] += from;
                    }
                    NDArray slice = Passes.inOrder(gradient, slots);
                    slice.attach(m);
                    try (GradientCollector collector = Torch.engine().newGradientCollector()) {
                        NDArray part = passes.forward(branch.network(), batch, passes.part(rows, k), false, m);
                        collector.backward(part.mul(slice).sum());
                    }
                }
            }
            from += d.length;
        }
        return outcome;
    }

    /** The loss and its gradient with respect to z, some anchors at a time. */
    private Method.Outcome lossByParts(Batch batch, NDArray z, NDManager manager) {
        int anchors = method.anchors(z);
        int parts = method.separable() ? passes.micro() : 1;
        NDArray loss = manager.zeros(new Shape(), z.getDataType());
        NDList ranks = new NDList();
        for (int k = 0; k < parts; k++) {
            try (NDManager m = manager.newSubManager(); GradientCollector collector = Torch.engine().newGradientCollector()) {
                NDArray own = Torch.alias(z, m);
                Method.Part part = method.loss(batch, own, anchors / parts * k, anchors / parts * (k + 1));
                NDArray share = part.loss().div(Losses.number(own, parts));
                collector.backward(scaled(share));
                loss.addi(share.stopGradient());
                part.rank().attach(manager);
                ranks.add(part.rank());
            }
        }
        return outcome(loss, NDArrays.concat(ranks), z);
    }

    private Method.Outcome outcome(NDArray loss, NDArray rank, NDArray z) {
        NDList pairs = method.pairs(z);
        return new Method.Outcome(loss, rank, pairs.get(0), pairs.get(1));
    }

    /** Places of a branch's rows in the order in which they are dealt to the groups. */
    private int[] deal(Batch batch, Method.Branch branch) {
        return passes.deal(batch, branch.views().length * batch.size());
    }

    /** The rows of a batch that these places stand for. */
    private static int[] rows(Batch batch, Method.Branch branch, int[] dealt) {
        int n = batch.size();
        int[] rows = new int[dealt.length];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = branch.views()[dealt[i] / n] * n + dealt[i] % n;
        }
        return rows;
    }

    private static NDArray together(NDList z) {
        return z.size() == 1 ? z.get(0) : NDArrays.concat(z);
    }

    private NDArray scaled(NDArray loss) {
        return scale == 1 ? loss : loss.mul(Losses.number(loss, scale));
    }

    private Map<String, NDArray> gradients(NDManager manager) {
        Map<String, NDArray> all = new LinkedHashMap<>();
        for (int b = 0; b < method.branches().size(); b++) {
            String prefix = prefix(b);
            passes.weights(method.branches().get(b).network()).forEach((name, w) -> {
                NDArray g = w.getGradient();
                g.attach(manager);
                if (g.getDataType() == DataType.FLOAT16) {
                    g = g.toType(DataType.FLOAT32, false);
                }
                all.put(prefix + name, scale == 1 ? g : g.div(scale));
            });
        }
        return all;
    }

    /** Shortens gradients that are too long together; false if they are no numbers and the step is to be left out. */
    private boolean clip(Map<String, NDArray> gradients, NDManager manager) {
        double most = settings.optimiser().clip();
        if (most == 0 && !mixed) {
            return true;
        }
        NDArray sum = manager.zeros(new Shape(), network.type());
        for (NDArray g : gradients.values()) {
            sum.addi(g.square().sum());
        }
        double norm = Math.sqrt(sum.toType(DataType.FLOAT64, true).toDoubleArray()[0]);
        if (!Double.isFinite(norm)) {
            // Without mixed precision the monitor stops the run; with it a smaller scale may do.
            return !mixed;
        }
        if (most > 0 && norm > most) {
            gradients.values().forEach(g -> g.muli(most / norm));
        }
        return true;
    }

    private void rescale(boolean sound) {
        if (!mixed) {
            return;
        }
        if (!sound) {
            scale /= 2;
            good = 0;
            if (scale < 1.0 / 65536) {
                throw new IllegalStateException("Gradients overflow at any loss scale: lower the learning rate ("
                        + settings.optimiser().rate() + ") or train without mixed precision");
            }
        } else if (++good == GOOD_STEPS) {
            scale = Math.min(scale * 2, 1 << 24);
            good = 0;
        }
    }
}
