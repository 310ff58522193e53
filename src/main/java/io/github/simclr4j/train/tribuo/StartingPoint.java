// SPDX-License-Identifier: Apache-2.0
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
 * @param network architecture of the encoder
 * @param imageSize side of the encoder's images in pixels
 * @param sha256 SHA-256 of the file, in hexadecimal
 * @param metadata metadata of the file
 */
record StartingPoint(Architecture network, int imageSize, String sha256, Map<String, String> metadata) {

    /**
     * Reads a file.
     *
     * @throws IOException if the file cannot be read or has an unknown architecture
     */
    static StartingPoint of(Path file) throws IOException {
        return of(file, 0);
    }

    /**
     * Reads a file that may leave the size of its images open.
     *
     * @param file the encoder
     * @param imageSize side of the images in pixels; 0 for the size in the file
     * @throws IOException if the file cannot be read or has an unknown architecture
     */
    static StartingPoint of(Path file, int imageSize) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file: choose the encoder file to start from");
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
