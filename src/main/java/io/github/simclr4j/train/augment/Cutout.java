// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Cutout (<a href="https://arxiv.org/abs/1708.04552">DeVries and Taylor 2017</a>): paints a grey square around a random pixel, partly
 * outside the image near its edges.
 *
 * @since 0.1.0
 */
public final class Cutout implements AugmentationFactory {
    private static final float GREY = 0.5f;

    @Override
    public String name() {
        return "cutout";
    }

    @Override
    public String help() {
        return "a grey square, side as a share of the image's";
    }

    @Override
    public double probability() {
        return 1;
    }

    @Override
    public List<Strength> strengths() {
        return List.of(Strength.positive("side", 0.5, 1, "side of the square over the side of the image"));
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> {
            int length = Math.max(1, (int) Math.round(strengths.get(0) * side));
            int top = corner(side, length, random);
            int left = corner(side, length, random);
            return image -> paint(image, top, left, length);
        };
    }

    private static int corner(int side, int length, RandomGenerator random) {
        return random.nextInt(side) - length / 2;
    }

    /** Paints a square that may be partly outside the image. */
    static void paint(ViewImage image, int top, int left, int length) {
        int side = image.side();
        int from = Math.max(0, left);
        int to = Math.max(from, Math.min(side, left + length));
        for (float[] plane : image.planes()) {
            for (int y = Math.max(0, top); y < Math.min(side, top + length); y++) {
                Arrays.fill(plane, y * side + from, y * side + to, GREY);
            }
        }
    }
}
