// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

/**
 * Declares a strength, a number that determines how much an augmentation changes an image.
 *
 * @param name a word
 * @param standard default value
 * @param positive {@code true} if the value must be above 0, {@code false} if it may be 0
 * @param most largest value
 * @param help description, without a full stop
 * @since 0.1.0
 */
public record Strength(String name, double standard, boolean positive, double most, String help) {

    /**
     * Checks the declaration.
     *
     * @throws IllegalArgumentException if the default is out of range, or the name or the description is empty
     */
    public Strength {
        if (name.isBlank() || help.isBlank() || !(standard >= 0 && standard <= most) || positive && standard == 0) {
            throw new IllegalArgumentException(
                    "Expected a strength with a name, a description and a default in range, found " + name + ", " + help
                            + ", " + standard);
        }
    }

    /** Declares a number above 0. */
    public static Strength positive(String name, double standard, double most, String help) {
        return new Strength(name, standard, true, most, help);
    }

    /** Declares a number that may be 0. */
    public static Strength upTo(String name, double standard, double most, String help) {
        return new Strength(name, standard, false, most, help);
    }

    /** Tells whether a value is in range. */
    public boolean allows(double value) {
        return value >= 0 && value <= most && !(positive && value == 0);
    }

    /** Returns the range in words that continue "must be". */
    public String range() {
        return (positive ? "above 0 and at most " : "from 0 to ") + most;
    }
}
