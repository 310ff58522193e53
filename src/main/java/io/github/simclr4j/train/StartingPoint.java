package io.github.simclr4j.train;

import io.github.simclr4j.onnx.OnnxEncoder;
import io.github.simclr4j.onnx.ResNet;
import io.github.simclr4j.onnx.WeightReader;
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
record StartingPoint(ResNet network, int imageSize, String sha256, Map<String, String> metadata) {

    /**
     * Looks at a file.
     *
     * @throws IOException if it can't be read, or is no residual network
     */
    static StartingPoint of(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: name the encoder to start from");
        }
        WeightReader.Loaded loaded = WeightReader.read(file);
        try (OnnxEncoder encoder = OnnxEncoder.open(file, 1)) {
            return new StartingPoint(
                    loaded.network(), encoder.preprocessing().size(), encoder.sha256(), Map.copyOf(encoder.metadata()));
        }
    }
}
