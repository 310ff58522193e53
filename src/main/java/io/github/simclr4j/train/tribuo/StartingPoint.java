package io.github.simclr4j.train.tribuo;

import io.github.simclr4j.onnx.network.Architecture;
import io.github.simclr4j.onnx.network.WeightReader;
import io.github.simclr4j.onnx.runtime.EncoderSettings;
import io.github.simclr4j.onnx.runtime.OnnxEncoder;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * An encoder file that training starts from.
 *
 * @param network its architecture
 * @param imageSize side in pixels of the images that it takes
 * @param sha256 of the file, in hexadecimal
 * @param metadata what the file says of itself
 */
record StartingPoint(Architecture network, int imageSize, String sha256, Map<String, String> metadata) {

    /**
     * Looks at a file.
     *
     * @throws IOException if it can't be read, or is of no known architecture
     */
    static StartingPoint of(Path file) throws IOException {
        return of(file, 0);
    }

    /**
     * Looks at a file that may leave the size of its images open.
     *
     * @param imageSize their side in pixels; 0 for what the file says
     * @throws IOException if it can't be read, or is of no known architecture
     */
    static StartingPoint of(Path file, int imageSize) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: name the encoder to start from");
        }
        WeightReader.Loaded loaded = WeightReader.read(file);
        EncoderSettings given = imageSize == 0
                ? EncoderSettings.none()
                : EncoderSettings.of(Map.of("image-size", Integer.toString(imageSize)), "argument");
        try (OnnxEncoder encoder = OnnxEncoder.open(file, given, RuntimeSettings.DEFAULT.withThreads(1))) {
            return new StartingPoint(
                    loaded.network(), encoder.preprocessing().size(), encoder.sha256(), Map.copyOf(encoder.metadata()));
        }
    }
}
