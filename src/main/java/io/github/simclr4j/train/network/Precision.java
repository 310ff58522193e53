package io.github.simclr4j.train.network;

import java.util.Locale;

/**
 * The type in which convolutions, dense layers on tokens and attention are computed. Weights, batch statistics, heads, the loss and
 * the optimizer are float32 in any case (float64 is for the check of gradients).
 */
public enum Precision {
    /** 64 bits throughout. */
    FLOAT64(7),
    /** 32 bits throughout. */
    FLOAT32(6),
    /** 16 bits with the range of float32. */
    BFLOAT16(15),
    /** 16 bits of a small range: gradients need a loss scale (Micikevicius et al. 2018). */
    FLOAT16(5);

    private final int number;

    Precision(int number) {
        this.number = number;
    }

    /** Returns TorchScript's number of the type. */
    int number() {
        return number;
    }

    /** Whether everything is computed in the type of the weights. */
    boolean isWide() {
        return this == FLOAT32 || this == FLOAT64;
    }

    /** Returns the name in lower case, such as {@code bfloat16}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads the name of a precision for training.
     *
     * @param text {@code auto}, {@code float32}, {@code bfloat16} or {@code float16}
     * @return null for {@code auto}: bfloat16 where the device computes with it natively, else float32
     * @throws IllegalArgumentException if it is none of these
     */
    public static Precision parse(String text) {
        return switch (text) {
            case "auto" -> null;
            case "float32" -> FLOAT32;
            case "bfloat16" -> BFLOAT16;
            case "float16" -> FLOAT16;
            default -> throw new IllegalArgumentException(
                    "Unknown precision, expected auto, float32, bfloat16 or float16, found " + text);
        };
    }
}
