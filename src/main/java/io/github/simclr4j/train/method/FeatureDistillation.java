// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import io.github.simclr4j.onnx.network.Layer;
import io.github.simclr4j.onnx.network.LayerGraph;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.onnx.network.Weight;
import io.github.simclr4j.onnx.runtime.Provider;
import io.github.simclr4j.train.network.Network;
import io.github.simclr4j.train.teacher.Teacher;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Distillation from the features of a teacher, which can be any encoder file (Koohpayegani, Tejankar and Pirsiavash 2020,
 * CompRess, "1q", <a href="https://arxiv.org/abs/2010.14713">arXiv:2010.14713</a>).
 *
 * <p>The student learns to reproduce the teacher's similarities of an image to a queue of the latest images. A linear layer, which
 * is not exported, maps the student's features to the length of the teacher's. No labels are used.
 *
 * <p>By default the teacher embeds each original image once before training, and its features are cached on disk. It can also
 * embed the student's own views in each step, which costs one pass of the teacher per view.
 *
 * <p>{@link Distillation} differs: its teacher is a classifier, and the student learns its classes.
 *
 * @since 0.1.0
 */
public final class FeatureDistillation implements MethodFactory {
    /** File of the teacher. */
    public static final Option<Path> TEACHER = Option.path(
            "teacher", "Encoder whose features the student learns (ONNX): one that simclr4j wrote, or any other", "");
    /** Preprocessing of the teacher. */
    public static final Option<Path> CONFIG = Option.path(
            "teacher-config",
            "JSON file with the preprocessing that the teacher's file"
                    + " lacks; a preprocessor_config.json beside the teacher is found automatically",
            "");
    /** Execution provider of the teacher. */
    public static final Option<String> PROVIDER = new Option<>(
            "teacher-provider",
            String.class,
            "cpu",
            "cpu, cuda, tensorrt, coreml, directml, openvino or xnnpack; cuda:1 names a device",
            FeatureDistillation::isProvider,
            List.of(),
            "Execution provider of the teacher: cpu, or cuda and others if this ONNX Runtime has them",
            "");
    /** Whether the teacher embeds the student's views. */
    public static final Option<Boolean> VIEWS = Option.flag(
            "teacher-views",
            "Let the teacher embed the student's own views in each"
                    + " step, instead of each image once before training (Beyer et al. 2022)",
            "");
    /** Folder of the cached features. */
    public static final Option<Path> CACHE = Option.path(
            "teacher-cache",
            "Folder of the teacher's cached features; none for teacher-features beside the checkpoints",
            "");
    /** Number of images in the queue. */
    public static final Option<Integer> QUEUE = Option.whole(
            "queue",
            4096,
            2,
            KeyQueue.MOST_KEYS,
            "Features of the teacher in the queue, with which each image is compared",
            "128000 in Koohpayegani et al. 2020 for ImageNet;" + " all images if there are fewer");
    /** Temperature of the teacher's and the student's distributions. */
    public static final Option<Double> TEMPERATURE =
            SimClr.TEMPERATURE.withDefault(0.07, "0.04 in Koohpayegani et al. 2020");

    private final Teacher teacher;
    private final RunResources resources;

    /** Creates the factory. */
    public FeatureDistillation() {
        this(null, null);
    }

    private FeatureDistillation(Teacher teacher, RunResources resources) {
        this.teacher = teacher;
        this.resources = resources;
    }

    private static boolean isProvider(String name) {
        try {
            return Provider.of(name) != null;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    @Override
    public String name() {
        return "distill";
    }

    @Override
    public String summary() {
        return "The student learns to reproduce the similarities of images that a teacher, which can be any encoder, gives them";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2010.14713";
    }

    @Override
    public String publishedOptimizer() {
        return "sgd";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(TEACHER, CONFIG, PROVIDER, VIEWS, CACHE, QUEUE, TEMPERATURE);
    }

    /** Sets views that show most of the image, because the teacher embeds the whole image. */
    @Override
    public void defaults(Defaults d) {
        d.views("crop:0.35,flip,jitter:0.4@0.8");
        d.option(QUEUE, Math.max(2, Math.min(QUEUE.fallback(), d.images())));
    }

    @Override
    public Map<Option<?>, String> withoutEffect(OptionValues values) {
        return values.get(VIEWS) ? Map.of(CACHE, "where the teacher does not embed the views") : Map.of();
    }

    @Override
    public void check(OptionValues o, Defaults run) {
        if (!isSet(o.get(TEACHER))) {
            throw new IllegalArgumentException("teacher must name the encoder file (ONNX) to learn from, found none");
        }
        exists(o, TEACHER);
        exists(o, CONFIG);
        int images = Math.min(run.batch(), Math.max(2, run.images()));
        KeyQueue.check(o.get(QUEUE), images, "images");
    }

    private static void exists(OptionValues o, Option<Path> option) {
        Path file = o.get(option);
        if (isSet(file) && !Files.isRegularFile(file)) {
            throw new IllegalArgumentException(option.name() + " must name an existing file, found " + file);
        }
    }

    private static boolean isSet(Path path) {
        return !path.toString().isEmpty();
    }

    private static Path orNull(Path path) {
        return isSet(path) ? path : null;
    }

    @Override
    public HeadUse headUse() {
        return HeadUse.NONE;
    }

    @Override
    public MethodFactory open(OptionValues o, RunResources run) throws IOException {
        return new FeatureDistillation(
                run.own(Teacher.open(
                        o.get(TEACHER), orNull(o.get(CONFIG)), o.get(PROVIDER), run.threads(), o.get(VIEWS))),
                run);
    }

    @Override
    public Map<String, String> metadata() {
        return teacher == null
                ? Map.of()
                : Map.of("training.teacher_sha256", teacher.sha256(), "training.teacher_settings", teacher.settings());
    }

    @Override
    public Optional<Option<Path>> teacher() {
        return Optional.of(TEACHER);
    }

    /**
     * Creates the method.
     *
     * @throws IllegalStateException if the teacher was not {@linkplain #open opened}
     */
    @Override
    public Method create(MethodContext context) {
        if (teacher == null) {
            throw new IllegalStateException(
                    "The teacher is not open: call open on the method first, and create on its result");
        }
        OptionValues o = context.options();
        Network student = context.train(withLinearLayer(context.encoder(), teacher.dimension()));
        Branch both = Branch.trained(student, ProjectionHead.PROJECTION, 0, 1);
        KeyQueue queue = KeyQueue.of(context, student, o.get(QUEUE), teacher.dimension());
        return new FeatureStudent(
                both,
                queue,
                o.get(TEMPERATURE),
                context.seed(),
                new FeatureStudent.Lessons(teacher, resources, o.get(VIEWS), orNull(o.get(CACHE))));
    }

    private static LayerGraph withLinearLayer(LayerGraph encoder, int dimension) {
        LayerGraph.Node features = encoder.output(LayerGraph.FEATURES);
        int in = features.shape().get(0);
        LayerGraph.Builder g = encoder.extend();
        return g.output(
                        ProjectionHead.PROJECTION,
                        g.add(new Layer.Dense("to_teacher", in, dimension, true, Weight.fanIn(in)), features))
                .build();
    }
}
