package io.github.simclr4j.cli.report;

import java.util.ArrayList;
import java.util.List;

/**
 * One self-contained HTML page: styles and scripts are inside, nothing is loaded, light or dark as the reader's system is. Texts
 * are escaped here; what is already HTML or SVG goes in by {@link #html}. Used by one thread.
 */
public final class HtmlPage {
    private static final String STYLE = """
            :root { color-scheme: light dark; --page: #fff; --text: #1a1c1f; --quiet: #565b63; --line: #c9cdd3; --card: #f4f5f7;
              --accent: #0b57d0; --chosen: #dce8fd; }
            @media (prefers-color-scheme: dark) { :root { --page: #15171a; --text: #e8eaed; --quiet: #a9afb8; --line: #4a4f57;
              --card: #212428; --accent: #8ab4f8; --chosen: #25364f; } }
            * { box-sizing: border-box; }
            body { margin: 0 auto; max-width: 80rem; padding: 1rem; background: var(--page); color: var(--text);
              font: 1rem/1.5 system-ui, sans-serif; }
            h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
            a { color: var(--accent); } .quiet { color: var(--quiet); } code { overflow-wrap: anywhere; }
            table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem .75rem .25rem 0; vertical-align: top; }
            button { font: inherit; padding: .4rem .9rem; border: 1px solid var(--line); border-radius: .4rem;
              background: var(--card); color: var(--text); cursor: pointer; }
            :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
            @media print { body { max-width: none; } button { display: none; } }
            """;

    private final String title;
    private final List<String> styles = new ArrayList<>(List.of(STYLE));
    private final List<String> scripts = new ArrayList<>();
    private final StringBuilder body = new StringBuilder();

    /** A page with a title, which is also its heading. */
    public HtmlPage(String title) {
        this.title = title;
        element("h1", title);
    }

    /** Returns a text as it stands in an element or in an attribute with quotation marks. */
    public static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                // An attribute keeps its line breaks.
                case '\n', '\r', '\t' -> out.append("&#").append(c).append(';');
                default -> out.appendCodePoint(c < ' ' || c == 0x7f || Character.getType(c) == Character.SURROGATE ? 0xfffd : c);
            }
        });
        return out.toString();
    }

    /** Adds rules to the page's style sheet. */
    public HtmlPage style(String css) {
        styles.add(css);
        return this;
    }

    /** Adds a script, which runs at the end of the page; it must not hold the text of anything that was read. */
    public HtmlPage script(String code) {
        scripts.add(code);
        return this;
    }

    /** Adds an element with a text. */
    public HtmlPage element(String name, String text) {
        return html("<" + name + ">" + escape(text) + "</" + name + ">\n");
    }

    /** Adds HTML or SVG as it is. */
    public HtmlPage html(String html) {
        body.append(html);
        return this;
    }

    /** Adds a table of two columns, names and values. */
    public HtmlPage facts(Iterable<? extends java.util.Map.Entry<String, ?>> facts) {
        html("<table>\n");
        facts.forEach(f -> html("<tr><th scope=\"row\">" + escape(f.getKey()) + "</th><td>"
                + escape(String.valueOf(f.getValue())) + "</td></tr>\n"));
        return html("</table>\n");
    }

    /** Returns the whole page. */
    @Override
    public String toString() {
        StringBuilder page = new StringBuilder("""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
                style-src 'unsafe-inline'; script-src 'unsafe-inline'">
                """);
        page.append("<title>").append(escape(title)).append("</title>\n<style>\n").append(String.join("", styles))
                .append("</style>\n</head>\n<body>\n<main>\n").append(body).append("</main>\n");
        scripts.forEach(s -> page.append("<script>\n").append(s).append("</script>\n"));
        return page.append("</body>\n</html>\n").toString();
    }
}
