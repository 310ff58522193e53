// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * The interpolation filter of resizing. Both filters are antialiased, as in Pillow and torchvision.
 *
 * @since 0.1.0
 */
public enum Interpolation {
    /** The triangle filter of support 1. */
    BILINEAR(1) {
        @Override
        double weight(double distance) {
            return Math.max(0, 1 - distance);
        }
    },
    /** The cubic filter of support 2 with a = -0.5 (Keys 1981, "Cubic convolution interpolation for digital image processing"). */
    BICUBIC(2) {
        @Override
        double weight(double distance) {
            if (distance < 1) {
                return (1.5 * distance - 2.5) * distance * distance + 1;
            }
            return distance < 2 ? ((-0.5 * distance + 2.5) * distance - 4) * distance + 2 : 0;
        }
    };

    private final int support;

    Interpolation(int support) {
        this.support = support;
    }

    /** Returns the distance in pixels beyond which weights are 0. */
    int support() {
        return support;
    }

    /** Returns the unnormalised weight of a pixel at a distance of at least 0. */
    abstract double weight(double distance);
}
