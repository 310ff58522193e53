package io.github.simclr4j.images.internal;

/** Arithmetic on single values of pixels. */
public final class Samples {
    private Samples() {}

    /** Returns an 8-bit value of an opacity from 0 to 255, laid over black. */
    public static byte over(int value, int alpha) {
        return (byte) ((value * alpha + 127) / 255);
    }

    /** Returns the 8-bit value of one of 1 to 16 bits: the upper 8, or spread over 0 to 255. */
    public static int eight(int value, int bits) {
        return bits == 8 ? value : bits > 8 ? value >>> bits - 8 : value * 255 / ((1 << bits) - 1);
    }

    /** Returns a value rounded and limited to 0 to 255. */
    public static int clamp(double v) {
        return (int) Math.max(0, Math.min(255, Math.round(v)));
    }
}
