// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

/**
 * Defaults that go together, for a kind of images or a use of the encoder. A preset changes nothing but defaults. A setting comes
 * from the first of these that has it:
 *
 * <ol>
 *   <li>what was given,
 *   <li>the preset,
 *   <li>the method's {@linkplain io.github.simclr4j.train.method.MethodFactory#defaults own defaults}, for the images, the image
 *       size, the batch and the optimizer that the two before it come to,
 *   <li>the common defaults of {@link PretrainBuilder}.
 * </ol>
 *
 * <p>A preset therefore leaves to the methods what their papers say of the loss, the head and the views. Presets are found by
 * {@link java.util.ServiceLoader}, so that one in another jar can be chosen by its name: the jar has a file
 * {@code META-INF/services/io.github.simclr4j.train.settings.Preset} with the class's name.
 *
 * @since 0.1.0
 */
public interface Preset {
    /** Returns the name by which it is chosen: lower case letters, digits and dashes. */
    String name();

    /** Returns what it is for and what it sets, in one line without a full stop. */
    String summary();

    /** Returns where its settings are from, such as {@code He et al. 2020}; empty if they are this library's choice. */
    String source();

    /** Returns the name of the architecture where none is chosen, such as {@code resnet50}. */
    String encoder();

    /** Sets the defaults for a run. What is left alone stays the method's or the common default. */
    void defaults(PresetDefaults run);
}
