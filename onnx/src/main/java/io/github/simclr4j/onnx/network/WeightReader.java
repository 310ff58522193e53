package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.file.EncoderMetadata;
import io.github.simclr4j.onnx.file.InvalidEncoderException;
import io.github.simclr4j.onnx.file.ModelFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the weights of an encoder out of an ONNX file, so that they can be trained further. Layers are found by the graph's
 * structure, never by the names in it, which exporters make up. Files of ours, and of both of PyTorch's exporters with batch norm
 * folded or not, in single or half precision or with quantised weights, are read alike.
 *
 * <p>A batch norm that was folded into its layer comes back as one that changes nothing but the bias: gamma 1, beta the layer's
 * bias, mean 0, variance 1 minus epsilon. One with another epsilon, or behind a layer with a bias, is given the variance and mean
 * that make it the same function.
 */
public final class WeightReader {
    private static final List<String> RESIDUAL = new ResNetFamily().names();

    private WeightReader() {}

    /**
     * What was read.
     *
     * @param network the architecture that the weights are for
     * @param weights values by name, see {@link LayerGraph#weights}; row-major
     * @param missing what the architecture needs and the file has not got, each with the reason; empty if all was found
     * @param leftOver the file's tensors that were not used, such as a classifier's, with their shapes
     */
    public record Loaded(Architecture network, Map<String, float[]> weights, List<String> missing, List<String> leftOver) {}

    /**
     * Finds out the architecture and reads its weights.
     *
     * @throws InvalidEncoderException if the file is damaged, or holds no architecture of a known {@linkplain EncoderFamilies
     *     family}
     * @throws IOException if it can't be read
     */
    public static Loaded read(Path file) throws IOException {
        return read(ModelFile.bytes(file), file.toString(), file.toAbsolutePath().getParent(), null, 0);
    }

    /**
     * Reads what fits an architecture, for images of the size that the file is for.
     *
     * @param file the file
     * @param network the architecture; a layer of it that the file lacks, or has in another shape, is listed as missing
     * @throws InvalidEncoderException if the file is damaged, or has nothing that fits
     * @throws IOException if it can't be read
     */
    public static Loaded read(Path file, Architecture network) throws IOException {
        return read(file, network, 0);
    }

    /**
     * Reads what fits an architecture.
     *
     * @param file the file
     * @param network the architecture; a layer of it that the file lacks, or has in another shape, is listed as missing
     * @param imageSize side of the images that the weights are wanted for, or 0 for the size that the file is for
     * @throws InvalidEncoderException if the file is damaged, has nothing that fits, or has weights that depend on the image
     *     size, such as position embeddings, for another one
     * @throws IOException if it can't be read
     */
    public static Loaded read(Path file, Architecture network, int imageSize) throws IOException {
        return read(ModelFile.bytes(file), file.toString(), file.toAbsolutePath().getParent(), network, imageSize);
    }

    static Loaded read(byte[] bytes, String name, Path folder, Architecture network) throws InvalidEncoderException {
        return read(bytes, name, folder, network, 0);
    }

    static Loaded read(byte[] bytes, String name, Path folder, Architecture network, int imageSize)
            throws InvalidEncoderException {
        FileGraph graph = new FileGraph(ModelFile.check(bytes, name, folder).model(), folder, name);
        if (network instanceof ResNet net) {
            return new ResNetReader(graph).load(net);
        }
        return network == null ? detect(graph) : new GraphReader(graph).load(network, imageSize);
    }

    /**
     * An architecture that the metadata name comes first, then residual networks, which are told apart by their blocks, and then
     * what the other families take for one of theirs. That order does the least work for the files that are most common.
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
        throw new InvalidEncoderException(notResidual.getMessage() + "; it is none of "
                + String.join(", ", EncoderFamilies.names(families)) + " either", notResidual);
    }
}
