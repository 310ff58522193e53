// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import java.util.Map;

/**
 * The architecture of an encoder, as recorded in the metadata of its file. It describes the network as a {@link LayerGraph}, from which
 * training, export and the reading of weights follow. Implementations are immutable and compare by value. An {@link EncoderFamily}
 * creates them.
 *
 * @since 0.1.0
 */
public interface Architecture {
    /** Returns the name, such as {@code resnet18}. */
    String name();

    /** Returns the settings of the architecture beside its name, such as width, by their keys in a file's metadata. */
    Map<String, String> settings();

    /** Returns the length of a feature vector. */
    int dimension();

    /**
     * Returns the network for images of a given size. Its result {@link LayerGraph#FEATURES} has the shape [dimension].
     *
     * @param imageSize side length of the images in pixels
     * @throws IllegalArgumentException if the network does not support images of this size
     */
    LayerGraph graph(int imageSize);

    /** Returns a description in one line, such as {@code resnet18 width 0.25 stem CIFAR}. */
    String describe();
}
