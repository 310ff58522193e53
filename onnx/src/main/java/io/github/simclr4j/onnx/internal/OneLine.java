package io.github.simclr4j.onnx.internal;

import java.util.List;

/** Makes messages about a model one line of reasonable length, whatever names or lists are in them. */
public final class OneLine {
    /** The most characters of a message. */
    public static final int LONGEST = 240;

    private OneLine() {}

    /** Returns a text on one line, cut where it is too long. */
    public static String of(String text) {
        // A name in the message comes from the file.
        String line = String.valueOf(text).strip().replaceAll("\\s+", " ").replaceAll("\\p{Cntrl}", "?");
        return line.length() > LONGEST ? line.substring(0, LONGEST) + "..." : line;
    }

    /** Returns the first of some problems, as many as fit on a line, and how many more there are. */
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
