package io.github.simclr4j.train;

import io.github.simclr4j.onnx.network.LinearClassifier;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.loop.EncoderTrainer;
import io.github.simclr4j.util.AtomicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** What came of a {@link Pretraining}: the encoder, and how the run went. It holds no native memory. */
public final class PretrainingResult {
    private final EncoderTrainer.Result result;
    private final List<String> skipped;

    PretrainingResult(EncoderTrainer.Result result, List<String> skipped) {
        this.result = result;
        this.skipped = List.copyOf(skipped);
    }

    /** Returns the bytes of the encoder's ONNX file, a copy. */
    public byte[] encoder() {
        return result.onnx().clone();
    }

    /**
     * Writes the encoder's ONNX file. Whatever happens, the file is the old one or the whole new one.
     *
     * @throws IOException if the path can't be written; the message names it
     */
    public void writeEncoder(Path file) throws IOException {
        AtomicFiles.write(file, result.onnx());
    }

    /**
     * Opens the encoder in ONNX Runtime, without a file.
     *
     * @param runtime how it is run, such as {@link RuntimeSettings#DEFAULT}
     * @return the caller's to close
     */
    public OnnxEncoder openEncoder(RuntimeSettings runtime) {
        try {
            return OnnxEncoder.open(result.onnx(), "the trained encoder", EncoderSettings.none(), runtime);
        } catch (IOException e) {
            throw new IllegalStateException("The trained encoder is not sound: " + e.getMessage(), e);
        }
    }

    /** Returns what the encoder's file records of its training and its images, by key. */
    public Map<String, String> settings() {
        return Map.copyOf(result.settings());
    }

    /** Returns the number of epochs in all, those before a restart included. */
    public int epochs() {
        return result.epochs();
    }

    /** Returns the number of steps in all, those before a restart included. */
    public long steps() {
        return result.steps();
    }

    /** Returns the number of epochs that were done before this run, 0 for a fresh one. */
    public int resumedAt() {
        return result.resumedAt();
    }

    /** Returns the mean loss of the last epoch in which a step was taken; NaN if there was none. */
    public double finalLoss() {
        return result.finalLoss();
    }

    /** Returns the rate of this run, 0 if nothing was left to do. */
    public double viewsPerSecond() {
        return result.viewsPerSecond();
    }

    /** Returns the accuracy of nearest neighbours after the last epoch, 0 to 1, if it was measured. */
    public OptionalDouble neighboursAccuracy() {
        return Double.isNaN(result.knn()) ? OptionalDouble.empty() : OptionalDouble.of(result.knn());
    }

    /** Returns the linear classifier on the features, of a method that trains one. */
    public Optional<LinearClassifier> classifier() {
        return Optional.ofNullable(result.classifier());
    }

    /** Returns the images that could not be read, and why. */
    public List<String> skipped() {
        return skipped;
    }

    @Override
    public String toString() {
        return "PretrainingResult(epochs=" + epochs() + ",steps=" + steps() + ",finalLoss=" + finalLoss() + ")";
    }
}
