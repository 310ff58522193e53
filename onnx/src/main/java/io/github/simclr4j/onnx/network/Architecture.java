package io.github.simclr4j.onnx.network;

import java.util.Map;

/**
 * An encoder's architecture, as an encoder's file records it. It yields the network as a
 * {@link LayerGraph}; training, export and reading of weights need nothing else. Implementations are immutable and compare by
 * value; an {@link EncoderFamily} makes them.
 */
public interface Architecture {
    /** Returns the name, such as {@code resnet18}. */
    String name();

    /** Returns the settings that make up the architecture beside its name, as they go into a file's metadata, such as width. */
    Map<String, String> settings();

    /** Returns the length of the features. */
    int dimension();

    /**
     * Returns the network for images of a size; its result {@link LayerGraph#FEATURES} is [dimension].
     *
     * @param imageSize side of the images in pixels
     * @throws IllegalArgumentException if the network can't take images of this size
     */
    LayerGraph graph(int imageSize);

    /** Returns the architecture in one line, such as {@code resnet18 width 0.25 stem CIFAR}. */
    String describe();
}
