// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.network;

import java.util.Locale;

/**
 * The data type of convolutions, dense layers on tokens, and attention (mixed precision).
 *
 * <p>Weights, batch statistics, heads, the loss and the optimizer always use float32, except with {@link #FLOAT64}, which exists
 * for checks of gradients.
 *
 * @since 0.1.0
 */
public enum Precision {
    /** 64 bits in all computations. */
    FLOAT64(7),
    /** 32 bits in all computations. */
    FLOAT32(6),
    /** 16 bits with the exponent range of float32. */
    BFLOAT16(15),
    /**
     * 16 bits with a small exponent range, so that gradients need loss scaling
     * (<a href="https://arxiv.org/abs/1710.03740">Micikevicius et al. 2018</a>).
     */
    FLOAT16(5);

    private final int number;

    Precision(int number) {
        this.number = number;
    }

    /** Returns TorchScript's number of the data type. */
    int number() {
        return number;
    }

    /** Tells whether all computations use the data type of the weights. */
    boolean isWide() {
        return this == FLOAT32 || this == FLOAT64;
    }

    /** Returns the name in lower case, such as {@code bfloat16}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Parses the name of a precision for training.
     *
     * @param text {@code auto}, {@code float32}, {@code bfloat16} or {@code float16}
     * @return the precision, or null for {@code auto}: bfloat16 if the device supports it natively, else float32
     * @throws IllegalArgumentException if the name is unknown
     */
    public static Precision parse(String text) {
        return switch (text) {
            case "auto" -> null;
            case "float32" -> FLOAT32;
            case "bfloat16" -> BFLOAT16;
            case "float16" -> FLOAT16;
            default ->
                throw new IllegalArgumentException(
                        "Unknown precision, expected auto, float32, bfloat16 or float16, found " + text);
        };
    }
}
