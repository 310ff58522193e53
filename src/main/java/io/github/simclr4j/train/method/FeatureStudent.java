// SPDX-License-Identifier: Apache-2.0
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

/** The student of {@link FeatureDistillation}. */
final class FeatureStudent implements Method {
    /** Number of views whose pixels are in Java's memory at once. */
    private static final int CHUNK = 64;
    /** Folder of the cached features beside the checkpoints. */
    private static final String FOLDER = "teacher-features";

    private final Branch both;
    private final KeyQueue queue;
    private final double temperature;
    private final long seed;
    private final Lessons lessons;
    private TeacherFeatures cached;

    /**
     * What the teacher embeds, and where its features are cached.
     *
     * @param teacher the teacher
     * @param resources owner of the teacher and of its features
     * @param ofViews whether the teacher embeds the student's views
     * @param cache folder of the features; null for a folder beside the checkpoints
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
     * Computes the teacher's features of all images unless it embeds views, and fills the queue with the features of randomly
     * drawn images.
     */
    @Override
    public void begin(RunStart start) throws IOException {
        ImageSource images = start.images().originals();
        if (!lessons.ofViews()) {
            Path folder = lessons.cache() != null
                    ? lessons.cache()
                    : start.folder() == null ? null : start.folder().resolve(FOLDER);
            cached = lessons.resources().own(TeacherFeatures.of(lessons.teacher(), images, folder, start.progress()));
            // The teacher is not needed again, and a large one takes much memory.
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
            start.progress().start("first features of the teacher", drawn.length);
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
            }
        }
    }

    private static NDArray unit(List<float[]> rows, NDManager manager) {
        int d = rows.get(0).length;
        FloatBuffer all = FloatBuffer.allocate(rows.size() * d);
        rows.forEach(all::put);
        return Rows.normalise(manager.create(all.array(), new Shape(rows.size(), d)));
    }

    /** Returns the teacher's features of each row of the branch, normalised. */
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
                    throw new IOException(cached.name(i)
                            + " was unreadable when the teacher's features in " + cached.path()
                            + " were computed, but is readable now: start the training again, which computes the"
                            + " features of unreadable images again");
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

    /** Converts pixels to bytes, the input of encoders; this is exact for a view that no augmentation has changed. */
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
     * Returns {@code KL(softmax(teacher queue' / t) || softmax(student queue' / t))} of normalised vectors, averaged over the rows.
     *
     * @param student [n, d]
     * @param teacher [n, d], without gradient
     * @param queue [K, d], each row normalised
     */
    static NDArray loss(NDArray student, NDArray teacher, NDArray queue, double temperature) {
        return Losses.divergence(
                Losses.similarities(student, queue, temperature), Losses.similarities(teacher, queue, temperature));
    }

    /** Returns the divergence; the rank is that of the teacher's most similar image of the queue among the student's similarities. */
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

    /** Returns {@code false}, because all features of some teachers point in nearly the same direction. */
    @Override
    public boolean needsSpread() {
        return false;
    }

    /**
     * Replaces the oldest features in the queue by those of the batch's images, or of their first views.
     *
     * <p>As in the code of Koohpayegani et al., nothing is masked: with a queue of K of N images, an image is compared with its own
     * features of the epoch before in a share K^2 / 2N^2 of the comparisons.
     */
    @Override
    public void afterStep(Embeddings z) {
        queue.enqueue(Rows.like(queue.rows(), z.targets().get(":" + z.size())));
    }
}
