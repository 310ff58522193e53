// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.augment;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/** Measures and draws lines of text in one size. Without a font in Java, nothing is drawn and text takes no space. */
final class Lettering {
    private static final Color TEXT = new Color(0x1a1c1f);
    private static final Color QUIET = new Color(0x565b63);
    private static final Graphics2D MEASURE =
            smooth(new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics());
    private static final boolean FONTS = fonts();

    private final Font font;
    private final Color colour;

    private Lettering(int style, int pixels, Color colour) {
        font = new Font(Font.SANS_SERIF, style, pixels);
        this.colour = colour;
    }

    private static boolean fonts() {
        try {
            return MEASURE.getFontMetrics(new Font(Font.SANS_SERIF, Font.PLAIN, 12))
                            .stringWidth("views")
                    > 0;
        } catch (LinkageError | InternalError | RuntimeException e) {
            // Without any font in the system, Java throws one of these, depending on its version.
            return false;
        }
    }

    private static Graphics2D smooth(Graphics2D g) {
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
        return g;
    }

    /** Tells whether there is a font. */
    static boolean isAvailable() {
        return FONTS;
    }

    static Lettering bold(int pixels) {
        return new Lettering(Font.BOLD, pixels, TEXT);
    }

    static Lettering quiet(int pixels) {
        return new Lettering(Font.PLAIN, pixels, QUIET);
    }

    /** Returns the height of a line in pixels. */
    int lineHeight() {
        return FONTS ? MEASURE.getFontMetrics(font).getHeight() : 0;
    }

    /** Returns the width of a line in pixels. */
    int width(String text) {
        return FONTS ? MEASURE.getFontMetrics(font).stringWidth(text) : 0;
    }

    /** Returns a text that fits into a width in pixels; a long text gets an ellipsis in its middle. */
    String shortened(String text, int width) {
        if (width(text) <= width) {
            return text;
        }
        int[] points = text.codePoints().toArray();
        for (int kept = points.length - 1; kept > 1; kept--) {
            int head = kept / 2;
            String shorter =
                    new String(points, 0, head) + "…" + new String(points, points.length - (kept - head), kept - head);
            if (width(shorter) <= width) {
                return shorter;
            }
        }
        return "…";
    }

    /** Wraps comma-separated parts to lines that fit into a width in pixels. */
    List<String> wrapped(List<String> parts, int width) {
        List<String> lines = new ArrayList<>();
        String line = "";
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i) + (i + 1 < parts.size() ? "," : "");
            String longer = line.isEmpty() ? part : line + " " + part;
            if (!line.isEmpty() && width(longer) > width) {
                lines.add(line);
                longer = part;
            }
            line = shortened(longer, width);
        }
        if (!line.isEmpty()) {
            lines.add(line);
        }
        return lines;
    }

    /** Draws a line of text at the position of its upper left corner. */
    void write(Graphics2D g, String text, int left, int top) {
        if (!FONTS) {
            return;
        }
        smooth(g).setFont(font);
        g.setColor(colour);
        g.drawString(text, left, top + g.getFontMetrics().getAscent());
    }
}
