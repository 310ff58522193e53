package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.train.teacher.Teacher;
import io.github.simclr4j.train.teacher.TeacherFeatures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;

/** The student of a {@linkplain FeatureDistillation teacher's features}. */
final class FeatureStudent implements Method {
    /** Views whose pixels are in Java's memory at once. */
    private static final int CHUNK = 64;
    /** Folder of the features beside the checkpoints. */
    private static final String FOLDER = "teacher-features";

    private final Branch both;
    private final KeyQueue queue;
    private final double temperature;
    private final long seed;
    private final Lessons lessons;
    private TeacherFeatures cached;

    /**
     * What the teacher is shown, and where its features are kept.
     *
     * @param resources own the teacher, and get the features
     * @param ofViews whether it is shown the student's views
     * @param cache folder of the features; null for one beside the checkpoints
     */
    record Lessons(Teacher teacher, RunResources resources, boolean ofViews, Path cache) {}

    FeatureStudent(Branch both, KeyQueue queue, double temperature, long seed, Lessons lessons) {
        this.both = both;
        this.queue = queue;
        this.temperature = temperature;
        this.seed = seed;
        this.lessons = lessons;
    }

    /**
     * Computes the teacher's features of all images unless it is shown views, and fills the queue with those of images that are
     * drawn at random.
     */
    @Override
    public void begin(RunStart start) throws IOException {
        ImageSource images = start.images().originals();
        if (!lessons.ofViews()) {
            Path folder = lessons.cache() != null ? lessons.cache()
                    : start.folder() == null ? null : start.folder().resolve(FOLDER);
            cached = lessons.resources().own(TeacherFeatures.of(lessons.teacher(), images, folder, start.progress()));
            // A large one takes much memory, and is not asked again.
            lessons.teacher().close();
        }
        if (!start.continued()) {
            fill(images, start);
        }
    }

    private void fill(ImageSource images, RunStart start) throws IOException {
        int[] drawn = ImageSource.draw(images.size(), queue.size(), seed);
        List<float[]> some = new ArrayList<>();
        if (cached != null) {
            for (int i : drawn) {
                some.add(cached.get(i));
            }
        } else {
            start.progress().start("teacher", drawn.length);
            lessons.teacher().embed(images.only(drawn), features -> {
                some.add(features);
                start.progress().at(some.size(), "");
            });
            start.progress().end();
        }
        some.removeIf(Objects::isNull);
        Collections.shuffle(some, new Random(seed));
        if (!some.isEmpty()) {
            try (NDManager m = queue.rows().getManager().newSubManager()) {
                queue.enqueue(Rows.like(queue.rows(), unit(some, m)));
                queue.position().muli(0);
            }
        }
    }

    private static NDArray unit(List<float[]> rows, NDManager manager) {
        int d = rows.get(0).length;
        FloatBuffer all = FloatBuffer.allocate(rows.size() * d);
        rows.forEach(all::put);
        return Rows.normalise(manager.create(all.array(), new Shape(rows.size(), d)));
    }

    /** Returns the teacher's features of each row of the branch, each of length 1. */
    @Override
    public NDArray targets(StepViews views, NDManager manager) {
        if (lessons.ofViews()) {
            return unit(ofViews(views, manager), manager);
        }
        List<float[]> rows = new ArrayList<>();
        try {
            for (int i : views.images()) {
                float[] features = cached.get(i);
                if (features == null) {
                    throw new IOException(cached.name(i) + " could not be read when the teacher looked at the images, and now it can:"
                            + " delete the teacher's features, and the next run computes them again");
                }
                rows.add(features);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        NDArray one = unit(rows, manager);
        return NDArrays.concat(new NDList(one, one));
    }

    private List<float[]> ofViews(StepViews views, NDManager manager) {
        int all = both.views().size() * views.size();
        List<float[]> rows = new ArrayList<>();
        for (int from = 0; from < all; from += CHUNK) {
            int[] some = IntStream.range(from, Math.min(all, from + CHUNK)).toArray();
            try (NDArray x = views.rows(manager, some)) {
                rows.addAll(List.of(lessons.teacher().embed(pixels(x.toFloatArray(), some.length))));
            }
        }
        return rows;
    }

    /** Pixels as bytes, which encoders take; a view that no augmentation has changed has just these. */
    private static List<RgbImage> pixels(float[] views, int count) {
        int plane = views.length / count / 3;
        int side = (int) Math.round(Math.sqrt(plane));
        List<RgbImage> images = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] rgb = new byte[3 * plane];
            for (int c = 0; c < 3; c++) {
                for (int p = 0; p < plane; p++) {
                    rgb[3 * p + c] = (byte) Math.round(255 * views[(3 * i + c) * plane + p]);
                }
            }
            images.add(new RgbImage(side, side, rgb));
        }
        return images;
    }

    @Override
    public List<Branch> branches() {
        return List.of(both);
    }

    @Override
    public int anchors(int images) {
        return 2 * images;
    }

    /**
     * Returns {@code KL(softmax(teacher queue' / t) || softmax(student queue' / t))}, the mean over the rows, whose vectors are divided
     * by their length.
     *
     * @param student [n, d]
     * @param teacher [n, d], without gradient
     * @param queue [K, d], each row of length 1
     */
    static NDArray loss(NDArray student, NDArray teacher, NDArray queue, double temperature) {
        return Losses.divergence(Losses.similarities(student, queue, temperature), Losses.similarities(teacher, queue, temperature));
    }

    /** The rank is that of the image in the queue that is nearest for the teacher, among those that are near for the student. */
    @Override
    public Loss loss(Embeddings z) {
        String some = z.from() + ":" + z.to();
        NDArray student = Losses.similarities(z.of(both).get(some), queue.rows(), temperature);
        NDArray teacher = Losses.similarities(Rows.like(student, z.targets().get(some)), queue.rows(), temperature);
        return Loss.of(Losses.divergence(student, teacher), Losses.rankOfHighest(student.stopGradient(), teacher));
    }

    @Override
    public NDList pairs(Embeddings z) {
        return new NDList(z.of(both).stopGradient(), Rows.like(z.of(both), z.targets()));
    }

    /** All features of some teachers point in nearly one direction. */
    @Override
    public boolean needsSpread() {
        return false;
    }

    /** The features of the batch's images, or of their first views, take the places of the oldest. */
    @Override
    public void afterStep(Embeddings z) {
        queue.enqueue(Rows.like(queue.rows(), z.targets().get(":" + z.size())));
    }
}
