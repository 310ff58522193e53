// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The family of pairs of residual networks; see {@link TwoTowers}.
 *
 * @since 0.1.0
 */
public final class TwoTowersFamily implements EncoderFamily {
    private static final Option<String> SPACE = Option.choice(
            "colour-space",
            List.of("ycbcr", "lab"),
            "Colour space that separates luminance and chrominance",
            "Tian et al. 2020, section 3.2; YCbCr is 0.5 to 1 points better in its repository");
    private final ResNetFamily whole = new ResNetFamily();

    @Override
    public List<String> names() {
        return whole.names().stream().map(n -> n + TwoTowers.SUFFIX).toList();
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1906.05849";
    }

    @Override
    public List<Option<?>> options() {
        List<Option<?>> all = new ArrayList<>(whole.options());
        all.add(SPACE);
        return all;
    }

    @Override
    public Architecture create(String name, OptionValues values) {
        String of = name.substring(0, name.length() - TwoTowers.SUFFIX.length());
        return new TwoTowers(
                (ResNet) whole.create(of, values),
                TwoTowers.Space.valueOf(values.get(SPACE).toUpperCase(Locale.ROOT)));
    }
}
