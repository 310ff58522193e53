package io.github.simclr4j.train;

import io.github.simclr4j.onnx.ResNet;
import java.util.Map;
import java.util.TreeMap;

/**
 * Everything that decides a pretraining run.
 *
 * @param encoder the architecture
 * @param imageSize side of the views in pixels
 * @param views how the views are made
 * @param batch images a step; each gives two views
 * @param epochs passes over the images
 * @param temperature of the loss, above 0
 * @param hidden width of the head's hidden layer; 0 for the encoder's dimension
 * @param projection length of a projection
 * @param optimiser {@code adam} or {@code lars}
 * @param learningRate after the warm-up, above 0
 * @param weightDecay of weights that are not batch norm's
 * @param warmup share of all steps in which the learning rate rises, 0 to 1
 * @param seed of weights, order and views
 */
public record PretrainSettings(
        ResNet encoder,
        int imageSize,
        ViewSettings views,
        int batch,
        int epochs,
        double temperature,
        int hidden,
        int projection,
        String optimiser,
        double learningRate,
        double weightDecay,
        double warmup,
        long seed) {

    /** Checks the ranges. */
    public PretrainSettings {
        atLeast("Batch", batch, 2);
        atLeast("Epochs", epochs, 1);
        atLeast("Projection", projection, 1);
        atLeast("Image size", imageSize, 8);
        if (!(temperature > 0)) {
            throw new IllegalArgumentException("Temperature must be above 0, found " + temperature);
        }
        if (!(learningRate > 0)) {
            throw new IllegalArgumentException("Learning rate must be above 0, found " + learningRate);
        }
        if (!(weightDecay >= 0) || !(warmup >= 0 && warmup <= 1)) {
            throw new IllegalArgumentException("Weight decay must be at least 0 and warm-up from 0 to 1, found "
                    + weightDecay + " and " + warmup);
        }
        if (!optimiser.equals("adam") && !optimiser.equals("lars")) {
            throw new IllegalArgumentException("Unknown optimiser, expected adam or lars, found " + optimiser);
        }
        if (hidden == 0) {
            hidden = encoder.dimension();
        }
    }

    private static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " must be at least " + least + ", found " + value);
        }
    }

    /**
     * The learning rate that goes with a batch: for LARS {@code 0.075 * sqrt(B)} (Chen et al. 2020, appendix B.1), for Adam
     * {@code 0.008 * sqrt(B / 128)}, chosen on a held-out part of CIFAR-10's training images.
     */
    public static double defaultRate(String optimiser, int batch) {
        return optimiser.equals("lars") ? 0.075 * Math.sqrt(batch) : 0.008 * Math.sqrt(batch / 128.0);
    }

    /** The settings as text, for metadata and to compare a checkpoint's with the present ones. */
    public Map<String, String> describe() {
        Map<String, String> d = new TreeMap<>();
        d.put("training.method", "simclr");
        d.put("training.encoder", encoder.name() + " width " + encoder.width() + " stem " + encoder.stem());
        d.put("training.image_size", "" + imageSize);
        d.put("training.views", views.toString());
        d.put("training.batch", "" + batch);
        d.put("training.epochs", "" + epochs);
        d.put("training.temperature", "" + temperature);
        d.put("training.head", hidden + "-" + projection);
        d.put("training.optimiser", optimiser);
        d.put("training.learning_rate", "" + learningRate);
        d.put("training.weight_decay", "" + weightDecay);
        d.put("training.warmup", "" + warmup);
        d.put("training.seed", "" + seed);
        return d;
    }
}
