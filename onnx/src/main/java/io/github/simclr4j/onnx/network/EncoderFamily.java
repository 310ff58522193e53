// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * A family of encoder architectures. Families are found by {@link java.util.ServiceLoader}. To add one in another jar, list its class in
 * the jar's file {@code META-INF/services/io.github.simclr4j.onnx.network.EncoderFamily}.
 *
 * @since 0.1.0
 */
public interface EncoderFamily {
    /** Returns the names of the architectures, such as {@code resnet18} and {@code resnet50}. */
    List<String> names();

    /** Returns the URL of the paper. */
    String paper();

    /** Returns the options of these architectures. */
    List<Option<?>> options();

    /**
     * Creates an architecture.
     *
     * @param name one of {@link #names()}
     * @param values the values of {@link #options()}
     * @throws IllegalArgumentException if a value is out of range
     */
    Architecture create(String name, OptionValues values);

    /**
     * Returns the architectures that a file without this information in its metadata may contain, so that its weights can be read even if
     * the architecture is not given. They are tried until one is found whose layers are all in the file. The default is none.
     *
     * @param shapes shapes of the weights of the file's convolutions, [out, in / groups, height, width], and dense layers, [out, in], in
     *     data-flow order
     */
    default List<Architecture> candidates(List<List<Integer>> shapes) {
        return List.of();
    }
}
