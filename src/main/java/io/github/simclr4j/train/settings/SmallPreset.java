// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.settings;

/**
 * For images of 32 to 64 pixels, such as those of CIFAR-10, and for a first try on a laptop: the defaults that hold without any
 * preset.
 *
 * @since 0.1.0
 */
public final class SmallPreset implements Preset {
    @Override
    public String name() {
        return "small";
    }

    @Override
    public String summary() {
        return "for images of 32 to 64 pixels: the defaults without a preset";
    }

    @Override
    public String source() {
        return "";
    }

    @Override
    public String encoder() {
        return EncoderChoice.USUAL;
    }

    @Override
    public void defaults(PresetDefaults run) {
        // They are the common ones.
    }
}
