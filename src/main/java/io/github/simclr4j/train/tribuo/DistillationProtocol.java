// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.classification.Label;

/**
 * Distillation (<a href="https://arxiv.org/abs/2006.10029">Chen et al. 2020b</a>): the fine-tuned encoder teaches a student on all
 * images, see {@link DistillationTrainer}.
 *
 * @since 0.1.0
 */
public class DistillationProtocol extends TrainingProtocol {
    /** Epochs of the student. */
    public static final Option<Integer> STUDENT_EPOCHS =
            Option.whole("student-epochs", 10, 1, Integer.MAX_VALUE, "Passes of the student over all images", "");
    /** Temperature of the teacher's and the student's distributions. */
    public static final Option<Double> TEMPERATURE =
            Option.above("temperature", 1, 0, "Temperature of distillation", "");

    @Override
    public String name() {
        return "distillation";
    }

    @Override
    public String help() {
        return "the fine-tuned encoder teaches a student, which starts from this encoder, on all images";
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/2006.10029";
    }

    @Override
    public List<Option<?>> options() {
        List<Option<?>> all = new ArrayList<>(super.options());
        all.addAll(List.of(STUDENT_EPOCHS, UNLABELLED, TEMPERATURE));
        return all;
    }

    @Override
    public Accuracies run(ProtocolContext context) throws IOException {
        if (imageSize(context) != 0) {
            throw new IllegalArgumentException(
                    "Distillation does not support an image size: its student starts from an encoder whose"
                            + " file has the size of its images");
        }
        return super.run(context);
    }

    @Override
    double measure(ProtocolContext context, Draw draw) throws IOException {
        DistillationTrainer student = DistillationTrainer.builder(trainer(context, draw.seed()))
                .encoder(context.encoder())
                .temperature(context.options().get(TEMPERATURE))
                .epochs(context.options().get(STUDENT_EPOCHS))
                .batchSize(context.options().get(FineTuneProtocol.BATCH))
                .learningRate(context.options().get(FineTuneProtocol.LEARNING_RATE))
                .views(context.options().get(FineTuneProtocol.VIEWS))
                .device(context.device())
                .threads(context.runtime().threads())
                .seed(draw.seed())
                .build();
        ImageSet all = images(context);
        int unlabelled = context.options().get(UNLABELLED);
        ImageSet seen = unlabelled == 0 ? all : all.only(ImageSource.draw(all.count(), unlabelled, draw.seed()));
        try (EncodedModel<Label> model =
                student.distil(tuned(context, draw), seen, description(context, draw), context.progress())) {
            return accuracy(model, context);
        }
    }
}
