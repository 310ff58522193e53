// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Reads the weights of an encoder from an ONNX file, so that they can be trained further. Layers are found by the structure of the graph
 * and never by names, which differ between exporters. Files of this library and of both PyTorch exporters are supported, with batch norm
 * folded or not, in single or half precision, or with quantized weights.
 *
 * <p>A batch norm that was folded into its layer is restored as one that only adds the bias: gamma is 1, beta is the layer's bias, the
 * mean is 0 and the variance is 1 minus epsilon. For a batch norm with another epsilon, or after a layer with a bias, the variance and
 * mean are adapted so that the function stays the same.
 *
 * @since 0.1.0
 */
public final class WeightReader {
    private static final List<String> RESIDUAL = new ResNetFamily().names();

    private WeightReader() {}

    /**
     * The weights that were read.
     *
     * @param network the architecture of the weights
     * @param weights values by name, row-major; see {@link LayerGraph#weights}
     * @param missing layers of the architecture that are missing in the file, each with the reason; empty if all were found
     * @param leftOver tensors of the file that were not used, such as a classifier's, with their shapes
     * @param differences other differences between the file's network and the requested architecture: additional layers, as in a deeper
     *     network, and settings without weights, such as pooling or a colour space; empty if there are none. A classifier or projection
     *     head behind the encoder is not a difference
     */
    public record Loaded(
            Architecture network,
            Map<String, float[]> weights,
            List<String> missing,
            List<String> leftOver,
            List<String> differences) {
        private Loaded and(List<String> more) {
            List<String> all = new ArrayList<>(more);
            all.addAll(differences);
            return new Loaded(network, weights, missing, leftOver, List.copyOf(all));
        }
    }

    /**
     * Detects the architecture and reads its weights.
     *
     * @param file the ONNX file
     * @throws InvalidEncoderException if the file is damaged, or if its architecture does not belong to a known
     *     {@linkplain EncoderFamilies family}
     * @throws IOException if the file can't be read
     */
    public static Loaded read(Path file) throws IOException {
        return read(
                ModelFile.bytes(file), file.toString(), file.toAbsolutePath().getParent(), null, 0);
    }

    /**
     * Reads the weights of a given architecture, for the file's image size.
     *
     * @param file the ONNX file
     * @param network the architecture; layers that the file lacks, or has in another shape, are listed as missing
     * @throws InvalidEncoderException if the file is damaged, or if no layer matches
     * @throws IOException if the file can't be read
     */
    public static Loaded read(Path file, Architecture network) throws IOException {
        return read(file, network, 0);
    }

    /**
     * Reads the weights of a given architecture and image size.
     *
     * @param file the ONNX file
     * @param network the architecture; layers that the file lacks, or has in another shape, are listed as missing
     * @param imageSize image size in pixels, or 0 for the file's image size
     * @throws InvalidEncoderException if the file is damaged, if no layer matches, or if weights that depend on the image size, such as
     *     position embeddings, are for another size
     * @throws IOException if the file can't be read
     */
    public static Loaded read(Path file, Architecture network, int imageSize) throws IOException {
        return read(
                ModelFile.bytes(file), file.toString(), file.toAbsolutePath().getParent(), network, imageSize);
    }

    static Loaded read(byte[] bytes, String name, Path folder, Architecture network) throws InvalidEncoderException {
        return read(bytes, name, folder, network, 0);
    }

    static Loaded read(byte[] bytes, String name, Path folder, Architecture network, int imageSize)
            throws InvalidEncoderException {
        FileGraph graph = new FileGraph(ModelFile.check(bytes, name, folder).model(), folder, name);
        if (network == null) {
            return detect(graph);
        }
        Loaded loaded = network instanceof ResNet net
                ? new ResNetReader(graph).load(net)
                : new GraphReader(graph).load(network, imageSize);
        return loaded.and(otherSettings(EncoderMetadata.of(graph.model), network));
    }

    /** Compares an architecture with the metadata of a file of this library; other files may use the same keys differently. */
    private static List<String> otherSettings(Map<String, String> metadata, Architecture network) {
        List<String> different = new ArrayList<>();
        if (metadata.containsKey(EncoderMetadata.LIBRARY_VERSION)) {
            Map<String, String> expected = new TreeMap<>(network.settings());
            expected.put(EncoderMetadata.ARCHITECTURE, network.name());
            expected.forEach((key, value) -> {
                String found = metadata.getOrDefault(key, value);
                if (!found.equals(value)) {
                    different.add("its " + key + " is " + found + ", expected " + value);
                }
            });
        }
        return different;
    }

    /**
     * Detects the architecture: first by the metadata, then as a residual network by its blocks, then by the candidates of the other
     * families. This order is fastest for the most common files.
     */
    private static Loaded detect(FileGraph graph) throws InvalidEncoderException {
        Map<String, String> metadata = EncoderMetadata.of(graph.model);
        if (!RESIDUAL.contains(metadata.getOrDefault("architecture", ""))) {
            Optional<Architecture> named = EncoderFamilies.fromMetadata(metadata);
            GraphReader reader = named.isPresent() ? new GraphReader(graph) : null;
            if (reader != null && reader.holds(named.get())) {
                return reader.load(named.get(), 0);
            }
        }
        InvalidEncoderException notResidual;
        try {
            return new ResNetReader(graph).detect();
        } catch (InvalidEncoderException e) {
            notResidual = e;
        }
        GraphReader reader = new GraphReader(graph);
        List<EncoderFamily> families = EncoderFamilies.all();
        for (EncoderFamily family : families) {
            for (Architecture candidate : family.candidates(reader.shapes())) {
                if (reader.holds(candidate)) {
                    return reader.load(candidate, 0);
                }
            }
        }
        throw new InvalidEncoderException(
                notResidual.getMessage() + "; it is also none of " + String.join(", ", EncoderFamilies.names(families)),
                notResidual);
    }
}
