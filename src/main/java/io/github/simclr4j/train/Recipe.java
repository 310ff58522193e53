package io.github.simclr4j.train;

import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.github.simclr4j.onnx.ResNet;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;

/**
 * How a classifier is trained end to end (Chen et al. 2020, appendix B.5): Nesterov momentum 0.9 at the rate
 * {@code 0.05 * B / 256}, no warm-up, no weight decay, crop and flip.
 */
final class Recipe {
    private Recipe() {}

    /** Checks what can be configured, with errors that name it. */
    static void check(int epochs, int batchSize, double learningRate, String views, int threads) {
        atLeast("epochs", epochs, 1);
        atLeast("batchSize", batchSize, 2);
        atLeast("threads", threads, 0);
        if (!(learningRate >= 0)) {
            throw new PropertyException("", "learningRate", "Expected at least 0, found " + learningRate);
        }
        try {
            Composition.of(views);
        } catch (IllegalArgumentException e) {
            throw new PropertyException(e, "", "views", e.getMessage());
        }
    }

    private static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new PropertyException("", what, "Expected at least " + least + ", found " + value);
        }
    }

    /**
     * The settings of a run.
     *
     * @param temperature of soft labels; without them it does nothing
     */
    static PretrainSettings settings(ResNet network, int imageSize, int images, int epochs, int batchSize,
            double learningRate, String views, double temperature, long seed) {
        int batch = Math.max(2, Math.min(batchSize, images));
        Composition composition = Composition.of(views);
        return new PretrainSettings(network, imageSize, Head.simclr(1), composition, composition,
                MethodSettings.of("supervised", "nt-xent", temperature),
                new OptimiserSettings("nesterov", learningRate == 0 ? 0.05 * batch / 256 : learningRate, 0, 0.9, 0, "cosine", 0, 0),
                batch, 0, 0, epochs, false, true, seed);
    }

    /** The seed of one invocation; the first is the configured one. */
    static long seed(long seed, int invocation) {
        return invocation == 0 ? seed : Batch.mix(seed, invocation);
    }

    /** For Tribuo's interface, which knows no checked exception; a thread stays interrupted. */
    static UncheckedIOException unchecked(IOException e) {
        if (e instanceof InterruptedIOException) {
            Thread.currentThread().interrupt();
        }
        return new UncheckedIOException(e.getMessage(), e);
    }
}
