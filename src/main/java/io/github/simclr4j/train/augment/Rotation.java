// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * Rotates an image by 90, 180 or 270 degrees (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, figure 4).
 *
 * @since 0.1.0
 */
public final class Rotation implements AugmentationFactory {

    @Override
    public String name() {
        return "rotate";
    }

    @Override
    public String help() {
        return "by 90, 180 or 270 degrees";
    }

    @Override
    public double probability() {
        return 0.75;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> {
            int quarters = 1 + random.nextInt(3);
            return image -> rotate(image, quarters);
        };
    }

    /** Rotates counter-clockwise: after a quarter turn the last column is the first row. */
    private static void rotate(ViewImage image, int quarters) {
        int side = image.side();
        int last = side - 1;
        for (int c = 0; c < 3; c++) {
            float[] in = image.planes()[c];
            float[] out = image.spare()[c];
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    int from = switch (quarters) {
                        case 1 -> x * side + last - y;
                        case 2 -> (last - y) * side + last - x;
                        default -> (last - x) * side + y;
                    };
                    out[y * side + x] = in[from];
                }
            }
        }
        image.swap();
    }
}
