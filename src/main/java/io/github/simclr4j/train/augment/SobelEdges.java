// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.util.List;

/**
 * Sobel filter: replaces an image by the gradient magnitude of its grey values
 * (<a href="https://arxiv.org/abs/2002.05709">Chen et al. 2020</a>, figure 4, "Sobel filtering").
 *
 * <p>Border pixels are repeated. A step from 0 to 1 between two columns or rows has magnitude 1; larger values are clamped.
 *
 * @since 0.1.0
 */
public final class SobelEdges implements AugmentationFactory {

    @Override
    public String name() {
        return "sobel";
    }

    @Override
    public String help() {
        return "edges in grey";
    }

    @Override
    public double probability() {
        return 0.5;
    }

    @Override
    public Augmentation create(List<Double> strengths) {
        return (side, random) -> SobelEdges::change;
    }

    static void change(ViewImage image) {
        int side = image.side();
        float[][] x = image.planes();
        float[] grey = image.spare()[0];
        Colours.luma(x[0], x[1], x[2], grey, image.pixels());
        for (int row = 0; row < side; row++) {
            int above = Math.max(0, row - 1) * side;
            int here = row * side;
            int below = Math.min(side - 1, row + 1) * side;
            for (int column = 0; column < side; column++) {
                int left = Math.max(0, column - 1);
                int right = Math.min(side - 1, column + 1);
                float across =
                        0.25f * (grey[above + right] - grey[above + left] + grey[below + right] - grey[below + left])
                                + 0.5f * (grey[here + right] - grey[here + left]);
                float down =
                        0.25f * (grey[below + left] - grey[above + left] + grey[below + right] - grey[above + right])
                                + 0.5f * (grey[below + column] - grey[above + column]);
                x[0][here + column] = Colours.cut((float) Math.sqrt(across * across + down * down));
            }
        }
        System.arraycopy(x[0], 0, x[1], 0, image.pixels());
        System.arraycopy(x[0], 0, x[2], 0, image.pixels());
    }
}
