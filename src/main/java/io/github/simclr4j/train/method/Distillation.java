// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.method;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.github.simclr4j.onnx.network.ProjectionHead;
import io.github.simclr4j.train.loss.Losses;
import io.github.simclr4j.train.loss.Rows;
import io.github.simclr4j.util.Option;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;

/**
 * Distillation from soft labels (<a href="https://arxiv.org/abs/2006.10029">Chen et al. 2020b</a>, equation 2): the student
 * learns a teacher's class probabilities of both views of an image.
 *
 * <p>The hard labels of the images are the teacher's most likely classes; only the monitor uses them. The method is created in
 * Java with its soft labels and cannot be chosen by name.
 *
 * <p>The teacher is a classifier. {@link FeatureDistillation} learns from a teacher that yields features instead of classes.
 *
 * @since 0.1.0
 */
public final class Distillation implements MethodFactory {
    /** Temperature of the teacher's and the student's distributions. */
    public static final Option<Double> TEMPERATURE =
            Option.above("temperature", 1, 0, "Temperature of the soft labels", "Chen et al. 2020b, equation 2");

    private final SoftLabels soft;

    /**
     * Creates the method.
     *
     * @param soft one distribution per image of the training set
     */
    public Distillation(SoftLabels soft) {
        this.soft = soft;
    }

    @Override
    public String name() {
        return "distillation";
    }

    @Override
    public String summary() {
        return "A student learns a teacher's class probabilities of each image";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2006.10029";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(TEMPERATURE);
    }

    @Override
    public HeadUse headUse() {
        return HeadUse.CLASSIFIER;
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of("training.soft_labels", soft.sha256());
    }

    @Override
    public boolean needsManyImages() {
        return false;
    }

    @Override
    public Method create(MethodContext context) {
        return new Student(
                Branch.trained(context.train(context.encoder()), ProjectionHead.PROJECTION, 0, 1),
                soft,
                context.options().get(TEMPERATURE));
    }

    private record Student(Branch both, SoftLabels soft, double temperature) implements Method {
        @Override
        public List<Branch> branches() {
            return List.of(both);
        }

        @Override
        public int anchors(int images) {
            return 2 * images;
        }

        @Override
        public Loss loss(Embeddings z) {
            int classes = soft.probabilities()[0].length;
            FloatBuffer targets = FloatBuffer.allocate((z.to() - z.from()) * classes);
            for (int i = z.from(); i < z.to(); i++) {
                targets.put(soft.probabilities()[z.images()[i % z.size()]]);
            }
            NDArray p = z.manager().create(targets.array(), new Shape(z.to() - z.from(), classes));
            NDArray some = z.of(both).get(z.from() + ":" + z.to());
            return Loss.of(
                    Losses.softCrossEntropy(some, Rows.like(some, p), temperature),
                    Losses.rankOf(some.stopGradient(), Supervised.labels(z)));
        }
    }
}
