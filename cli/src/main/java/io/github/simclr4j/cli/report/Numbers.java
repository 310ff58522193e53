// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import java.util.Locale;

/** Formats numbers for pages. */
public final class Numbers {
    private Numbers() {}

    /** Returns a number with four significant digits, without an exponent unless the number is very small or large. */
    public static String plain(double value) {
        double size = Math.abs(value);
        if (!Double.isFinite(value)) {
            return String.valueOf(value);
        }
        if (value == Math.rint(value) && size < 1e15) {
            return whole(value);
        }
        if (size < 1e-4 || size >= 1e7) {
            return String.format(Locale.ROOT, "%.2e", value);
        }
        int digits = Math.max(0, 3 - (int) Math.floor(Math.log10(size)));
        return trim(String.format(Locale.ROOT, "%." + digits + "f", value));
    }

    /** Returns a fraction from 0 to 1 as a percentage with one decimal place. */
    public static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    /** Returns an integer with thin spaces between thousands. */
    public static String whole(double value) {
        return String.format(Locale.ROOT, "%,.0f", value).replace(",", "\u202f");
    }

    /** Returns a duration in seconds as hours, minutes and seconds. */
    public static String time(double seconds) {
        long s = Math.round(seconds);
        return s < 60
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : s < 3600 ? s / 60 + " min " + s % 60 + " s" : s / 3600 + " h " + s % 3600 / 60 + " min";
    }

    private static String trim(String text) {
        return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
    }
}
