// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Parses the texts of settings. */
final class SettingTexts {
    private SettingTexts() {}

    /** Parses height and width. */
    static int[] extent(String text) {
        String[] parts = text.toLowerCase(Locale.ROOT).split("x", -1);
        if (parts.length > 2) {
            throw new NumberFormatException(text);
        }
        return new int[] {Integer.parseInt(parts[0].strip()), Integer.parseInt(parts[parts.length - 1].strip())};
    }

    static double number(String text) {
        String[] parts = text.split("/", -1);
        if (parts.length > 2) {
            throw new NumberFormatException(text);
        }
        double d = Double.parseDouble(parts[0]);
        return parts.length == 2 ? d / Double.parseDouble(parts[1]) : d;
    }

    static List<Double> numbers(String text) {
        List<Double> list = new ArrayList<>();
        for (String s : text.split(",", -1)) {
            list.add(number(s.strip()));
        }
        if (list.size() != 1 && list.size() != 3) {
            throw new IllegalArgumentException("expected one number or three, found " + text);
        }
        return list;
    }

    static <E extends Enum<E>> E choice(Class<E> type, String text) {
        String name = text.toUpperCase(Locale.ROOT).replace('-', '_');
        List<String> known = new ArrayList<>();
        for (E e : type.getEnumConstants()) {
            if (e.name().equals(name)) {
                return e;
            }
            known.add(e.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
        throw new IllegalArgumentException("expected " + String.join(", ", known) + ", found " + text);
    }
}
