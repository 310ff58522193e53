// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.util.List;

/**
 * The family of residual networks; see {@link ResNet}.
 *
 * @since 0.1.0
 */
public final class ResNetFamily implements EncoderFamily {
    private static final Option<Double> WIDTH = new Option<>(
            "width",
            Double.class,
            1.0,
            "above 0 and at most 8",
            v -> v > 0 && v <= 8,
            List.of(),
            "Factor of the number of channels of every layer",
            "He et al. 2016");
    private static final Option<String> STEM = Option.choice(
            "stem",
            List.of("cifar", "imagenet"),
            "First layers of the network: a 3x3 convolution for images of about 32x32 pixels, or a strided 7x7 convolution and"
                    + " pooling for about 224x224",
            "Chen et al. 2020, appendix B.9");

    @Override
    public List<String> names() {
        return List.of("resnet18", "resnet34", "resnet50", "resnet101", "resnet152");
    }

    @Override
    public String paper() {
        return "https://arxiv.org/abs/1512.03385";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(WIDTH, STEM);
    }

    @Override
    public Architecture create(String name, OptionValues values) {
        return ResNet.of(name, values.get(WIDTH), values.get(STEM));
    }
}
