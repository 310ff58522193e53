// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.loop;

import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.simclr4j.train.augment.ViewPool;
import io.github.simclr4j.train.data.BatchLoader;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.RunResources;
import io.github.simclr4j.train.method.RunStart;
import io.github.simclr4j.train.monitor.Outcome;
import io.github.simclr4j.train.network.MemoryLayout;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.network.Network.Computation;
import io.github.simclr4j.train.settings.PretrainSettings;
import io.github.simclr4j.train.testing.Small;
import io.github.simclr4j.train.torch.Torch;
import io.github.simclr4j.util.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Takes single steps of a method on the CPU, one batch of drawn images after the other, for tests. */
public final class StepByStep implements AutoCloseable {
    /** Images that the batches are taken from, in order; every image has a label of ten. */
    public static final ImageSet IMAGES = Small.labelled(64);

    private final RunResources resources = new RunResources(1);
    private final PretrainSettings settings;
    private final MethodContext context;
    private final Method method;
    private final TrainingStep step;
    private final BatchLoader loader;
    private final ViewPool pool = new ViewPool(1);
    private int batches;
    private double share = 1;

    /**
     * What some steps came to.
     *
     * @param before all tensors of the run before the first step, by name
     * @param after all tensors after the last
     * @param loss of the last step
     */
    public record Taken(Map<String, double[]> before, Map<String, double[]> after, double loss) {}

    /**
     * What the monitor sees of a step.
     *
     * @param loss of the batch
     * @param rank of each anchor, or null
     * @param figures of the method, by name
     * @param anchors shape of the embeddings
     * @param positives shape of their positives
     */
    public record Watched(double loss, double[] rank, Map<String, Double> figures, long[] anchors, long[] positives) {}

    /** Makes the networks of a run; they compute in the settings' precision. */
    public StepByStep(PretrainSettings asked) {
        this(asked, 1);
    }

    /** Makes the networks of a run and copies of them: each step is shared by some replicas on the CPU. */
    public StepByStep(PretrainSettings asked, int devices) {
        try {
            settings = asked.opened(resources);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Torch.noGradient();
        int classes = IMAGES.classes().size();
        context = new MethodContext(
                settings.network(classes),
                settings.zeroGamma(),
                new Computation(Device.cpu(), settings.precision(), MemoryLayout.CHANNELS_LAST),
                new MethodContext.Run(
                        settings.options(), settings.batch(), classes, settings.seed(), settings.head()::append));
        method = settings.method().create(context);
        try {
            method.begin(new RunStart(IMAGES, null, false, Progress.NONE));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        step = new TrainingStep(settings, context, method, Collections.nCopies(devices - 1, Device.cpu()));
        loader = BatchLoader.of(IMAGES);
        loader.begin(IntStream.range(0, IMAGES.count()).toArray(), settings.batch(), 0);
    }

    /** Takes steps from the start of a run, at the settings' learning rate, which stays as it is. */
    public static Taken take(PretrainSettings settings, int steps) throws IOException {
        return take(settings, steps, 1);
    }

    /** Takes steps from the start of a run, at a share of the settings' learning rate, as a schedule may have it. */
    public static Taken take(PretrainSettings settings, int steps, double share) throws IOException {
        return take(settings, steps, share, 1);
    }

    /** Takes steps from the start of a run that some replicas on the CPU share. */
    public static Taken onReplicas(PretrainSettings settings, int steps, int devices) throws IOException {
        return take(settings, steps, 1, devices);
    }

    private static Taken take(PretrainSettings settings, int steps, double share, int devices) throws IOException {
        try (StepByStep run = new StepByStep(settings, devices)) {
            run.share = share;
            Map<String, double[]> before = run.values();
            double loss = Double.NaN;
            for (int i = 0; i < steps; i++) {
                try (NDManager m = run.network().manager().newSubManager()) {
                    loss = Small.doubles(
                            run.takeSoundly(run.next(), m).outcome().loss())[0];
                }
            }
            return new Taken(before, run.values(), loss);
        }
    }

    /** Takes the next step and returns its loss. */
    public double loss() throws IOException {
        try (NDManager m = network().manager().newSubManager()) {
            return Small.doubles(take(next(), m).outcome().loss())[0];
        }
    }

    /** Takes the next step and returns what the monitor sees of it. */
    public Watched watch() throws IOException {
        try (NDManager m = network().manager().newSubManager()) {
            Outcome o = take(next(), m).outcome();
            Map<String, Double> figures = new TreeMap<>();
            o.figures().forEach((name, f) -> figures.put(name, Small.doubles(f)[0]));
            return new Watched(
                    Small.doubles(o.loss())[0],
                    o.rank() == null ? null : Small.doubles(o.rank()),
                    figures,
                    o.anchors().getShape().getShape(),
                    o.positives().getShape().getShape());
        }
    }

    /** Returns the targets of the first batch. */
    public NDArray targets(NDManager m) throws IOException {
        return method.targets(first(), m);
    }

    /** Returns all views of the first batch, [rows, 3, side, side] in [0, 1]. */
    public NDArray views(NDManager m) throws IOException {
        return first().rows(
                        m,
                        IntStream.range(0, settings.method().views() * settings.batch())
                                .toArray());
    }

    private BatchViews first() throws IOException {
        loader.begin(IntStream.range(0, IMAGES.count()).toArray(), settings.batch(), 0);
        batches = 0;
        return next();
    }

    /** Returns the networks and the state. */
    public MethodContext context() {
        return context;
    }

    /** Returns the method. */
    public Method method() {
        return method;
    }

    /** Returns the network that holds the encoder. */
    public Network network() {
        return context.exported();
    }

    TrainingStep step() {
        return step;
    }

    /** Returns the next batch, for one step or several. */
    BatchViews next() throws IOException {
        int[] which = loader.next();
        int[] labels = Arrays.stream(which).map(k -> IMAGES.labels()[k]).toArray();
        return new BatchViews(
                loader, settings.generators(), settings.method().views(), which, labels, 7, 100 + batches++, pool);
    }

    /** Takes a step in the middle of the run. */
    TrainingStep.Result take(BatchViews batch, NDManager m) {
        return step.take(batch, share * settings.optimizer().rate(), 0.5, m);
    }

    /** Takes a step as often as float16 needs to find its loss scale; the weights stay as they are meanwhile. */
    TrainingStep.Result takeSoundly(BatchViews batch, NDManager m) {
        TrainingStep.Result r = take(batch, m);
        for (int k = 0; r.skipped() && k < 16; k++) {
            r = take(batch, m);
        }
        assertFalse(r.skipped());
        return r;
    }

    /** Returns the values of all tensors of the run: weights, statistics, the optimizer's and the method's state. */
    public Map<String, double[]> values() {
        Map<String, double[]> all = new TreeMap<>();
        step.tensors().forEach((name, a) -> all.put(name, Small.doubles(a)));
        return all;
    }

    @Override
    public void close() {
        loader.close();
        step.close();
        context.close();
        pool.close();
        resources.close();
    }
}
