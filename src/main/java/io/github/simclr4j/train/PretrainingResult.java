// SPDX-License-Identifier: Apache-2.0
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

/**
 * The result of a {@link Pretraining}: the encoder and figures of the run. It holds no native memory.
 *
 * @since 0.1.0
 */
public final class PretrainingResult {
    private final EncoderTrainer.Result result;
    private final List<String> skipped;

    PretrainingResult(EncoderTrainer.Result result, List<String> skipped) {
        this.result = result;
        this.skipped = List.copyOf(skipped);
    }

    /** Returns a copy of the encoder's ONNX file. */
    public byte[] encoder() {
        return result.onnx().clone();
    }

    /**
     * Writes the encoder's ONNX file atomically, also in an interrupted thread, which stays interrupted.
     *
     * @param file the file, which is replaced if it exists
     * @throws IOException if the file cannot be written; the message names it
     */
    public void writeEncoder(Path file) throws IOException {
        AtomicFiles.write(file, result.onnx());
    }

    /**
     * Opens the encoder in ONNX Runtime without writing a file.
     *
     * @param runtime settings of ONNX Runtime, such as {@link RuntimeSettings#DEFAULT}
     * @return the encoder, which the caller closes
     */
    public OnnxEncoder openEncoder(RuntimeSettings runtime) {
        try {
            return OnnxEncoder.open(result.onnx(), "the trained encoder", EncoderSettings.none(), runtime);
        } catch (IOException e) {
            throw new IllegalStateException("The trained encoder is not a valid model: " + e.getMessage(), e);
        }
    }

    /** Returns the metadata of the encoder file about its training and images, by key. */
    public Map<String, String> settings() {
        return Map.copyOf(result.settings());
    }

    /** Returns the number of epochs in total, those before a restart included. */
    public int epochs() {
        return result.epochs();
    }

    /** Returns the number of steps in total, those before a restart included. */
    public long steps() {
        return result.steps();
    }

    /** Returns the number of epochs that were done before this run; 0 for a fresh run. */
    public int resumedAt() {
        return result.resumedAt();
    }

    /** Returns the mean loss of the last epoch with at least one step; NaN if there was none. */
    public double finalLoss() {
        return result.finalLoss();
    }

    /** Returns the throughput of this run in views per second; 0 if all epochs were already done. */
    public double viewsPerSecond() {
        return result.viewsPerSecond();
    }

    /** Returns the nearest-neighbour accuracy after the last epoch, 0 to 1, if it was measured. */
    public OptionalDouble neighboursAccuracy() {
        return Double.isNaN(result.knn()) ? OptionalDouble.empty() : OptionalDouble.of(result.knn());
    }

    /** Returns the linear classifier on the features if the method trains one. */
    public Optional<LinearClassifier> classifier() {
        return Optional.ofNullable(result.classifier());
    }

    /** Returns the images that could not be read, with the reasons. */
    public List<String> skipped() {
        return skipped;
    }

    @Override
    public String toString() {
        return "PretrainingResult(epochs=" + epochs() + ",steps=" + steps() + ",finalLoss=" + finalLoss() + ")";
    }
}
