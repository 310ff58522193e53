// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.internal;

/** Arithmetic on single pixel values. */
public final class Samples {
    private Samples() {}

    /** Blends an 8-bit value with black, with an opacity from 0 to 255. */
    public static byte over(int value, int alpha) {
        return (byte) ((value * alpha + 127) / 255);
    }

    /** Converts a value of 1 to 16 bits to 8 bits: the upper 8 bits, or scaled to 0 to 255 if there are fewer. */
    public static int eight(int value, int bits) {
        return bits == 8 ? value : bits > 8 ? value >>> bits - 8 : value * 255 / ((1 << bits) - 1);
    }

    /** Rounds a value and clamps it to 0 to 255. */
    public static int clamp(double v) {
        return (int) Math.max(0, Math.min(255, Math.round(v)));
    }
}
