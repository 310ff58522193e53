// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.internal;

import java.util.List;

/** Shortens messages about a model to one line of reasonable length, whatever names or lists they contain. */
public final class OneLine {
    /** Maximum length of a message in characters. */
    public static final int LONGEST = 240;

    private OneLine() {}

    /** Returns a text on one line, truncated if it is too long. */
    public static String of(String text) {
        // Names in the message come from the file and may contain anything.
        String line = String.valueOf(text).strip().replaceAll("\\s+", " ").replaceAll("\\p{Cntrl}", "?");
        return line.length() > LONGEST ? line.substring(0, LONGEST) + "..." : line;
    }

    /** Returns the first problems, as many as fit on a line, and the number of others. */
    public static String of(List<String> problems) {
        StringBuilder line = new StringBuilder();
        int told = 0;
        for (String p : problems) {
            String one = of(p);
            if (told > 0 && line.length() + one.length() > LONGEST) {
                break;
            }
            line.append(told++ == 0 ? "" : "; ").append(one);
        }
        return line + (told < problems.size() ? "; and " + (problems.size() - told) + " more" : "");
    }
}
