// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.images.Preprocessing;
import io.github.simclr4j.images.RgbImage;
import io.github.simclr4j.images.load.ResidentImages;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.data.ImageSet;
import io.github.simclr4j.train.loop.RunOptions;
import io.github.simclr4j.tribuo.evaluation.Accuracies;
import io.github.simclr4j.tribuo.evaluation.LabelledImages;
import io.github.simclr4j.tribuo.evaluation.LinearEvaluation;
import io.github.simclr4j.tribuo.evaluation.Protocol;
import io.github.simclr4j.tribuo.evaluation.ProtocolContext;
import io.github.simclr4j.tribuo.model.EncodedModel;
import io.github.simclr4j.util.Option;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;

/** Base of the protocols that train the encoder together with a classifier, see {@link EndToEndTrainer}. */
abstract class TrainingProtocol implements Protocol {
    /** Number of images that are read and predicted together. */
    private static final int BATCH = 64;

    @Override
    public List<Option<?>> options() {
        return FineTuneProtocol.TRAINING;
    }

    @Override
    public boolean usesFeatures() {
        return false;
    }

    @Override
    public Accuracies run(ProtocolContext context) throws IOException {
        context.train().sameClasses(context.test());
        checkSettings(context);
        firstReadable(context.test());
        return Accuracies.measure(context, (share, seed) -> measure(context, new Draw(context, share, seed)));
    }

    /** Trains with some of the labels and returns the accuracy. */
    abstract double measure(ProtocolContext context, Draw draw) throws IOException;

    /**
     * A choice of labels.
     *
     * @param share share of the labels, as the context writes it
     * @param part the same as a number
     * @param seed seed of the choice and of the training
     */
    record Draw(String share, double part, long seed) {
        Draw(ProtocolContext context, double part, long seed) {
            this(
                    context.shares().entrySet().stream()
                            .filter(e -> e.getValue() == part)
                            .findFirst()
                            .map(Map.Entry::getKey)
                            .orElseThrow(),
                    part,
                    seed);
        }
    }

    private static void checkSettings(ProtocolContext context) {
        Set<String> given = new TreeSet<>(context.settings().values().keySet());
        given.remove("image-size");
        if (!given.isEmpty()) {
            context.shared(TrainingProtocol.class, () -> {
                context.progress()
                        .warn("training uses its own cropping and scaling of images: " + String.join(", ", given)
                                + " have no effect on it");
                return given;
            });
        }
    }

    /** Checks that there is a readable test image before hours of training. */
    private static void firstReadable(LabelledImages test) throws IOException {
        IOException last = null;
        for (int i = 0; i < test.source().size(); i++) {
            try {
                if (test.source().label(i).isPresent()) {
                    test.source().read(i);
                    return;
                }
            } catch (IOException e) {
                last = e;
            }
        }
        throw new IOException("No readable image with a class in " + test.path(), last);
    }

    /** Returns a trainer with the options of the context. */
    static FineTuneTrainer trainer(ProtocolContext context, long seed) {
        return FineTuneTrainer.builder(context.encoder())
                .epochs(context.options().get(FineTuneProtocol.EPOCHS))
                .batchSize(context.options().get(FineTuneProtocol.BATCH))
                .learningRate(context.options().get(FineTuneProtocol.LEARNING_RATE))
                .views(context.options().get(FineTuneProtocol.VIEWS))
                .imageSize(imageSize(context))
                .device(context.device())
                .threads(context.runtime().threads())
                .seed(seed)
                .build();
    }

    /** Returns the image size that was given for the encoder; 0 if none was given. */
    static int imageSize(ProtocolContext context) {
        return context.settings().get("image-size").map(TrainingProtocol::side).orElse(0);
    }

    private static int side(String size) {
        try {
            return Integer.parseInt(size);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "Training needs square images, an image size such as 224, found " + size, e);
        }
    }

    /** Returns all training images with a class; they are decoded once for all protocols. */
    static ImageSet images(ProtocolContext context) throws IOException {
        return context.shared(ImageSet.class, () -> {
            ImageSource all = context.train().source();
            int[] labelled = IntStream.range(0, all.size())
                    .filter(i -> all.label(i).isPresent())
                    .toArray();
            if (labelled.length < all.size()) {
                context.progress()
                        .warn((all.size() - labelled.length) + " images of "
                                + context.train().path() + " have no class and are ignored");
            }
            int size = trainer(context, 1).imageSize();
            // The context closes the source of the images.
            return ImageSet.of(ResidentImages.read(all.only(labelled), size, context.progress()));
        });
    }

    /** Returns the images of a choice, with their labels. */
    static ImageSet known(ProtocolContext context, Draw draw) throws IOException {
        ImageSet all = images(context);
        List<String> labels =
                Arrays.stream(all.labels()).mapToObj(all.classes()::get).toList();
        return all.only(LinearEvaluation.share(labels, draw.part(), draw.seed()));
    }

    /** Returns the description of a model's training images for its provenance. */
    static String description(ProtocolContext context, Draw draw) {
        return draw.share() + " of the labels of " + context.train().path();
    }

    private record Tuned(String trainer, Draw draw) {}

    /** Returns the fine-tuned encoder with its classifier. It is trained once for all protocols, and the context closes it. */
    static EncodedModel<Label> tuned(ProtocolContext context, Draw draw) throws IOException {
        FineTuneTrainer trainer = trainer(context, draw.seed());
        return context.shared(
                new Tuned(trainer.toString(), draw),
                () -> trainer.train(
                                known(context, draw),
                                description(context, draw),
                                RunOptions.checkpoints(null),
                                context.progress())
                        .model());
    }

    /** Returns the accuracy on the test images; images without a class and unreadable images are ignored. */
    double accuracy(EncodedModel<Label> model, ProtocolContext context) throws IOException {
        ImageSource test = context.test().source();
        // Resizes images as the model would, so that few large ones are in memory.
        Preprocessing rule = new Preprocessing(trainer(context, 1).imageSize());
        int right = 0;
        int asked = 0;
        for (int from = 0; from < test.size(); from += BATCH) {
            List<RgbImage> images = new ArrayList<>();
            List<String> expected = new ArrayList<>();
            for (int i = from; i < Math.min(test.size(), from + BATCH); i++) {
                try {
                    if (test.label(i).isPresent()) {
                        images.add(rule.apply(test.read(i)));
                        expected.add(test.classes().get(test.label(i).getAsInt()));
                    }
                } catch (IOException e) {
                    context.progress().warn("skipped " + e.getMessage());
                }
            }
            List<Prediction<Label>> predictions = model.predictImages(images);
            for (int i = 0; i < expected.size(); i++) {
                asked++;
                right += predictions.get(i).getOutput().getLabel().equals(expected.get(i)) ? 1 : 0;
            }
        }
        if (asked == 0) {
            throw new IOException(
                    "No readable image with a class in " + context.test().path());
        }
        return (double) right / asked;
    }

    /** Tells whether a text names views; if not, the parser throws an exception with the reason. */
    static boolean isViews(String text) {
        AugmentationPipeline.of(text);
        return true;
    }
}
