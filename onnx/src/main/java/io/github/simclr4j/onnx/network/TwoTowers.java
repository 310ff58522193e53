// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.network;

import io.github.simclr4j.onnx.network.LayerGraph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Two residual networks of half the width side by side
 * (<a href="https://arxiv.org/abs/1906.05849">Tian, Krishnan and Isola 2020</a>, section 3.2). One sees an image's luminance, the other
 * its chrominance. The features are the concatenation of both networks' features.
 *
 * @param whole the network whose channels the two networks share equally
 * @param space the colour space that separates luminance and chrominance
 * @since 0.1.0
 */
public record TwoTowers(ResNet whole, Space space) implements Architecture {
    /** The name of the luminance tower's features, [dimension / 2]. */
    public static final String LUMINANCE = "luminance";
    /** The name of the chrominance tower's features, [dimension / 2]. */
    public static final String CHROMINANCE = "chrominance";
    /** Suffix of the architecture's name after the name of the whole network. */
    static final String SUFFIX = "-towers";

    /** A colour space with one channel of luminance and two of chrominance. */
    public enum Space {
        /** Y, Cb and Cr of JPEG (ITU-T T.871, section 7). */
        YCBCR,
        /** CIELab of sRGB with the white point D65, each channel divided by half of its range, as in the paper's code. */
        LAB
    }

    /** Returns the network of each tower. */
    ResNet tower() {
        return new ResNet(whole.depth(), whole.width() / 2, whole.stem());
    }

    @Override
    public String name() {
        return whole.name() + SUFFIX;
    }

    @Override
    public Map<String, String> settings() {
        return Map.of(
                "width",
                Double.toString(whole.width()),
                "stem",
                whole.stem().name().toLowerCase(Locale.ROOT),
                "colour_space",
                space.name().toLowerCase(Locale.ROOT));
    }

    @Override
    public int dimension() {
        return 2 * tower().dimension();
    }

    @Override
    public String describe() {
        return name() + " width " + whole.width() + " stem " + whole.stem() + " " + space;
    }

    @Override
    public LayerGraph graph(int imageSize) {
        LayerGraph.Builder g = LayerGraph.builder();
        Node image = g.input(3, imageSize, imageSize);
        List<Node> channels = new ArrayList<>();
        Node light = space == Space.LAB ? g.activation(Layer.Activation.Function.LINEAR_LIGHT, image) : image;
        for (int c = 0; c < 3; c++) {
            channels.add(g.add(new Layer.Slice(0, c, c + 1), light));
        }
        List<Node> split = space == Space.LAB ? lab(g, channels) : ycbcr(g, channels);
        Node luminance = tower().append(g, split.get(0), "luminance.", ResNet.Norm.BATCH);
        Node chrominance = tower().append(
                        g, g.add(new Layer.Concat(0), split.get(1), split.get(2)), "chrominance.", ResNet.Norm.BATCH);
        return g.output(LUMINANCE, luminance)
                .output(CHROMINANCE, chrominance)
                .output(LayerGraph.FEATURES, g.add(new Layer.Concat(0), luminance, chrominance))
                .build();
    }

    /**
     * Adds the conversion to YCbCr. The weights of Y sum to 1 and those of Cb and Cr to 0. So an image that is normalised in RGB is also
     * normalised in YCbCr, and zero padding is grey in both.
     */
    private static List<Node> ycbcr(LayerGraph.Builder g, List<Node> rgb) {
        return List.of(
                mix(g, rgb, 0.299, 0.587, 0.114),
                mix(g, rgb, -0.168736, -0.331264, 0.5),
                mix(g, rgb, 0.5, -0.418688, -0.081312));
    }

    /**
     * Adds the conversion from linear light to CIELab: X, Y and Z relative to the white point, then L = 116 f(Y) - 16,
     * a = 500 (f(X) - f(Y)) and b = 200 (f(Y) - f(Z)). L - 50, a and b are divided by 50, 92.2 and 101.2, half of their ranges, as in the
     * paper's code, which also subtracts the middle of their ranges from a and b, 6.0 and -6.7.
     */
    private static List<Node> lab(LayerGraph.Builder g, List<Node> light) {
        Node x = lab(g, mix(g, light, 0.412453 / 0.950456, 0.357580 / 0.950456, 0.180423 / 0.950456));
        Node y = lab(g, mix(g, light, 0.212671, 0.715160, 0.072169));
        Node z = lab(g, mix(g, light, 0.019334 / 1.088754, 0.119193 / 1.088754, 0.950227 / 1.088754));
        List<Node> xyz = List.of(x, y, z);
        return List.of(
                g.add(new Layer.Scale(116 / 50f), y),
                mix(g, xyz, 500 / 92.2, -500 / 92.2, 0),
                mix(g, xyz, 0, 200 / 101.2, -200 / 101.2));
    }

    private static Node lab(LayerGraph.Builder g, Node x) {
        return g.activation(Layer.Activation.Function.LAB, x);
    }

    private static Node mix(LayerGraph.Builder g, List<Node> channels, double... weights) {
        Node sum = null;
        for (int c = 0; c < weights.length; c++) {
            if (weights[c] != 0) {
                Node part = g.add(new Layer.Scale((float) weights[c]), channels.get(c));
                sum = sum == null ? part : g.add(new Layer.Add(), sum, part);
            }
        }
        return sum;
    }
}
