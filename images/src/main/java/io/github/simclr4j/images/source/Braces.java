// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Expands braces as in shells and in WebDataset: {@code {a,b}} and {@code {000..012}}. */
final class Braces {
    private static final Pattern RANGE = Pattern.compile("(\\d{1,9})\\.\\.(\\d{1,9})");
    /** Maximum number of texts after expansion. */
    private static final int MOST = 100_000;

    private Braces() {}

    /**
     * Returns the expansion of a text, in order; the text itself if it has no braces.
     *
     * @throws IllegalArgumentException if the expansion has more than 100,000 texts
     */
    static List<String> expand(String text) {
        for (int open = text.indexOf('{'); open >= 0; open = text.indexOf('{', open + 1)) {
            int close = close(text, open);
            List<String> choices = close < 0 ? List.of() : choices(text.substring(open + 1, close));
            if (choices.size() > 1) {
                List<String> all = new ArrayList<>();
                for (String choice : choices) {
                    all.addAll(expand(text.substring(0, open) + choice + text.substring(close + 1)));
                    if (all.size() > MOST) {
                        throw new IllegalArgumentException(text + " stands for more than " + MOST + " files");
                    }
                }
                return all;
            }
        }
        return List.of(text);
    }

    /** Returns the position of the matching closing brace, or -1 if there is none. */
    private static int close(String text, int open) {
        int depth = 0;
        for (int i = open; i < text.length(); i++) {
            depth += text.charAt(i) == '{' ? 1 : text.charAt(i) == '}' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        return -1;
    }

    /** Splits a text at commas outside of inner braces. */
    private static List<String> split(String inside) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int from = 0;
        for (int i = 0; i < inside.length(); i++) {
            char c = inside.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (c == ',' && depth == 0) {
                parts.add(inside.substring(from, i));
                from = i + 1;
            }
        }
        parts.add(inside.substring(from));
        return parts;
    }

    private static List<String> choices(String inside) {
        Matcher range = RANGE.matcher(inside);
        if (!range.matches()) {
            return split(inside);
        }
        int from = Integer.parseInt(range.group(1));
        int to = Integer.parseInt(range.group(2));
        if (to - from >= MOST) {
            throw new IllegalArgumentException("{" + inside + "} stands for more than " + MOST + " files");
        }
        boolean padded = range.group(1).startsWith("0") && range.group(1).length() > 1;
        String format = padded ? "%0" + range.group(1).length() + "d" : "%d";
        List<String> numbers = new ArrayList<>();
        for (int n = from; n <= to; n++) {
            numbers.add(String.format(Locale.ROOT, format, n));
        }
        return numbers;
    }
}
