// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.ArrayList;
import java.util.List;

/**
 * The family of residual networks that encode an image in patches; see {@link PatchEncoder}.
 *
 * @since 0.1.0
 */
public final class PatchEncoderFamily implements EncoderFamily {
    private static final Option<Integer> PATCH = Option.whole(
            "patch-size",
            8,
            8,
            1024,
            "Side length of a patch in pixels, at least 32 with the ImageNet stem",
            "80 for images of 260 pixels in Hénaff et al. 2020, appendix A; 8 for 32 in small reproductions");
    private static final Option<Integer> STRIDE = Option.whole(
            "patch-stride",
            4,
            1,
            1024,
            "Distance from one patch to the next in pixels; half the side length makes patches overlap by half",
            "Hénaff et al. 2020, appendix A");
    private final ResNetFamily net = new ResNetFamily();

    @Override
    public List<String> names() {
        return net.names().stream().map(n -> n + PatchEncoder.SUFFIX).toList();
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1905.09272";
    }

    @Override
    public List<Option<?>> options() {
        List<Option<?>> all = new ArrayList<>(net.options());
        all.add(PATCH);
        all.add(STRIDE);
        return all;
    }

    @Override
    public Architecture create(String name, OptionValues values) {
        String of = name.substring(0, name.length() - PatchEncoder.SUFFIX.length());
        return new PatchEncoder((ResNet) net.create(of, values), values.get(PATCH), values.get(STRIDE));
    }
}
