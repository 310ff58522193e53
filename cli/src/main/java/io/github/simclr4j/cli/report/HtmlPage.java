// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A self-contained HTML page with inline styles and scripts, which loads nothing and follows the reader's light or dark theme.
 *
 * <p>Text is escaped here. HTML or SVG is added by {@link #html}. Not thread-safe.
 */
public final class HtmlPage {
    private static final String STYLE = """
            :root { color-scheme: light dark; --page: #fff; --text: #1b1e23; --quiet: #565c66; --line: #d5d9df; --edge: #868d98;
              --card: #f6f7f9; --accent: #0b57d0; --chosen: #dce8fd; --good: #0b6b4b; --good-back: #e3f4ec; --bad: #a3260f;
              --bad-back: #fdebe7; --warn: #7a4b00; --warn-back: #fdf2dc; --c0: #0a62a9; --c1: #b3500b; --c2: #00765b;
              --c3: #8a3f9e; --c4: #5a6270; --c5: #a61c54; --heat: #79b3e6; --cell: #eef1f4; }
            @media screen and (prefers-color-scheme: dark) { :root { --page: #14161a; --text: #e8eaed; --quiet: #aab1bb; --line: #363b43;
              --edge: #7e8692; --card: #1d2025; --accent: #8ab4f8; --chosen: #25364f; --good: #7fdcb4; --good-back: #15302a;
              --bad: #ffab98; --bad-back: #3d1e18; --warn: #f5cf85; --warn-back: #352a14; --c0: #7cb7f2; --c1: #f2a35e;
              --c2: #5fd0ae; --c3: #d7a1e3; --c4: #b3bbc7; --c5: #ff9bbd; --heat: #1f64a3; --cell: #262b32; } }
            * { box-sizing: border-box; }
            body { margin: 0 auto; max-width: 76rem; padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; background: var(--page);
              color: var(--text); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
            h1 { font-size: clamp(1.5rem, 4vw, 2rem); line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
            h2 { font-size: 1.3rem; line-height: 1.3; margin: 3rem 0 .75rem; } h3 { font-size: 1.02rem; margin: 0; }
            p { max-width: 46rem; } a { color: var(--accent); } .quiet { color: var(--quiet); } code { overflow-wrap: anywhere; }
            table { border-collapse: collapse; max-width: 100%; }
            th, td { text-align: left; padding: .3rem 1.25rem .3rem 0; vertical-align: top; }
            td { overflow-wrap: anywhere; } thead th { border-bottom: 1px solid var(--edge); }
            tbody tr + tr > * { border-top: 1px solid var(--line); }
            th[scope=row] { font-weight: 500; }
            button { font: inherit; padding: .4rem .9rem; border: 1px solid var(--edge); border-radius: .5rem;
              background: var(--card); color: var(--text); cursor: pointer; }
            button:hover { border-color: var(--accent); }
            summary { cursor: pointer; padding: .25rem 0; } summary:hover { color: var(--accent); }
            .scroll { overflow-x: auto; max-width: 100%; } .number { text-align: right; font-variant-numeric: tabular-nums;
              white-space: nowrap; padding-right: 0; padding-left: 1rem; }
            @media (max-width: 40rem) { th, td { padding-right: .75rem; } .number { padding-left: .6rem; } .scroll { font-size: .92rem; } }
            :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .2rem; }
            @media print { :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 10pt; } button { display: none; }
              h2 { margin-top: 1.75rem; } h2, h3, h2 + p { break-after: avoid; } tr { break-inside: avoid; } }
            """;

    private final String title;
    private final List<String> styles = new ArrayList<>(List.of(STYLE));
    private final List<String> scripts = new ArrayList<>();
    private final StringBuilder body = new StringBuilder();

    private String connections = "";
    private String refresh = "";

    /** Creates a page with a title, which is also its heading. */
    public HtmlPage(String title) {
        this.title = title;
        element("h1", title);
    }

    /** Returns a text escaped for an element or for an attribute in quotation marks. */
    public static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                // Keeps line breaks in attributes.
                case '\n', '\r', '\t' -> out.append("&#").append(c).append(';');
                default ->
                    out.appendCodePoint(
                            c < ' ' || c == 0x7f || Character.getType(c) == Character.SURROGATE ? 0xfffd : c);
            }
        });
        return out.toString();
    }

    /** Adds rules to the page's style sheet. */
    public HtmlPage style(String css) {
        styles.add(css);
        return this;
    }

    /** Adds a script, which runs at the end of the page; it must not contain text from files. */
    public HtmlPage script(String code) {
        scripts.add(code);
        return this;
    }

    /** Adds an element with text. */
    public HtmlPage element(String name, String text) {
        return html("<" + name + ">" + escape(text) + "</" + name + ">\n");
    }

    /** Adds HTML or SVG without escaping. */
    public HtmlPage html(String html) {
        body.append(html);
        return this;
    }

    /** Adds a table of names and values. */
    public HtmlPage facts(Iterable<? extends java.util.Map.Entry<String, ?>> facts) {
        html("<table>\n");
        facts.forEach(f -> html("<tr><th scope=\"row\">" + escape(f.getKey()) + "</th><td>"
                + escape(String.valueOf(f.getValue())) + "</td></tr>\n"));
        return html("</table>\n");
    }

    /**
     * Allows the page's scripts to connect to the server of the page, and to no other. Without scripts the browser reloads the page at
     * intervals.
     *
     * @param seconds interval of reloads in seconds
     */
    public HtmlPage live(int seconds) {
        connections = "; connect-src 'self'";
        // Without this icon the browser would request one.
        refresh = "<link rel=\"icon\" href=\"data:,\">\n<noscript><meta http-equiv=\"refresh\" content=\"" + seconds
                + "\"></noscript>\n";
        return this;
    }

    /** Returns the complete page. */
    @Override
    public String toString() {
        StringBuilder page = new StringBuilder("""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
                style-src 'unsafe-inline'; script-src 'unsafe-inline'""");
        page.append(connections).append("\">\n").append(refresh);
        page.append("<title>")
                .append(escape(title))
                .append("</title>\n<style>\n")
                .append(String.join("", styles))
                .append("</style>\n</head>\n<body>\n<main>\n")
                .append(body)
                .append("</main>\n");
        scripts.forEach(s -> page.append("<script>\n").append(s).append("</script>\n"));
        return page.append("</body>\n</html>\n").toString();
    }
}
