package io.github.simclr4j.onnx.network;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * A family of encoder architectures. Families are found by {@link java.util.ServiceLoader}, so that one in another jar can be
 * named like those of this library.
 */
public interface EncoderFamily {
    /** Returns the names of the architectures, such as {@code resnet18} and {@code resnet50}. */
    List<String> names();

    /** Returns the paper, as an address. */
    String paper();

    /** Returns the settings that these architectures have. */
    List<Option<?>> options();

    /**
     * Makes an architecture.
     *
     * @param name one of {@link #names()}
     * @param values of {@link #options()}
     * @throws IllegalArgumentException if a value is out of range
     */
    Architecture create(String name, OptionValues values);

    /**
     * Returns which of these architectures a file may hold whose metadata does not say, so that its weights are read without the
     * architecture being named; none by default. Each is tried until all of its layers are found in the file.
     *
     * @param shapes of the weights of the file's convolutions, [out, in / groups, height, width], and dense layers, [out, in], in
     *     data-flow order
     */
    default List<Architecture> candidates(List<List<Integer>> shapes) {
        return List.of();
    }
}
