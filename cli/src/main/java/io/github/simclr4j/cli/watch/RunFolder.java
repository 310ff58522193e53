// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.watch;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.cli.report.page.PretrainPage;
import io.github.simclr4j.cli.report.page.ViewRow;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A live page about the newest run in a folder. It reads two files of the folder, without following links: the metrics file, with one
 * line per epoch, and the {@linkplain #recordOf record} beside it.
 */
public final class RunFolder implements PageSource {
    /** Largest size of a file in bytes; a line of metrics has about 400. */
    private static final long MOST_BYTES = 64L << 20;
    /** Interval in seconds at which a browser without scripts reloads the page. */
    private static final int REFRESH = 10;

    private static final String STYLE = """
            #live { position: sticky; bottom: 0; margin: 1rem 0 0; padding: .5rem 0; background: var(--page); color: var(--quiet);
              font-size: .88rem; } @media print { #live { display: none; } }
            """;

    private final Path folder;
    private final String metrics;
    private String made;
    private List<Object> madeOf;

    /**
     * Watches a folder.
     *
     * @param folder an existing folder; its files need not exist yet
     * @param metrics name of the metrics file
     * @throws IOException if {@code folder} is not a folder
     * @throws IllegalArgumentException if {@code metrics} is not a file name
     */
    public RunFolder(Path folder, String metrics) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new NotDirectoryException(
                    "No folder " + folder + ": expected the folder of the encoder and its metrics");
        }
        if (Path.of(metrics).getNameCount() != 1
                || metrics.equals("..")
                || metrics.equals(".")
                || metrics.isEmpty()
                || Path.of(metrics).isAbsolute()) {
            throw new IllegalArgumentException("Expected the name of a file in " + folder + ", found " + metrics);
        }
        this.folder = folder.toRealPath();
        this.metrics = metrics;
    }

    /** Returns the file beside a metrics file that has the newest run's data other than the metrics of its epochs. */
    public static Path recordOf(Path metrics) {
        return metrics.resolveSibling(metrics.getFileName().toString().replaceFirst("\\.jsonl?$", "") + ".run.json");
    }

    @Override
    public String page() throws IOException {
        Path figures = folder.resolve(metrics);
        Path about = recordOf(figures);
        List<Object> now = List.of(stamp(about), stamp(figures));
        if (!now.equals(madeOf)) {
            made = live(text(about), text(figures)).toString();
            madeOf = now;
        }
        return made;
    }

    /** Returns a value that changes when a file changes; a missing file has one, too. */
    private static Object stamp(Path file) throws IOException {
        try {
            BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!a.isRegularFile()) {
                throw new IOException(file + " is not a regular file, and links are not followed");
            }
            return List.of(a.size(), a.lastModifiedTime(), String.valueOf(a.fileKey()));
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    private static String text(Path file) throws IOException {
        try (InputStream in = Channels.newInputStream(
                Files.newByteChannel(file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)))) {
            byte[] bytes = in.readNBytes((int) MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException(file + " is larger than " + (MOST_BYTES >> 20) + " MB: start a new metrics file");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    /** Builds the record of the page. */
    private static JsonObject record(String about, String figures) {
        JsonObject record = object(about);
        List<JsonObject> lines = figures.lines()
                .map(RunFolder::object)
                .filter(l -> l.has("run") && l.has("epoch"))
                .toList();
        String run = record.has("run")
                ? record.get("run").getAsString()
                : lines.isEmpty() ? "" : lines.get(lines.size() - 1).get("run").getAsString();
        JsonArray history = new JsonArray();
        lines.stream().filter(l -> l.get("run").getAsString().equals(run)).forEach(l -> {
            l.remove("run");
            history.add(l);
        });
        record.add("history", history);
        return record;
    }

    /** Parses a line; a line that is not completely written yet gives an empty object. */
    private static JsonObject object(String text) {
        try {
            JsonElement read = JsonParser.parseString(text);
            return read.isJsonObject() ? read.getAsJsonObject() : new JsonObject();
        } catch (JsonParseException e) {
            return new JsonObject();
        }
    }

    private HtmlPage live(String about, String figures) throws IOException {
        HtmlPage page;
        if (about.isEmpty() && figures.isEmpty()) {
            page = new HtmlPage("Nothing to see yet")
                    .element(
                            "p",
                            "No run has written to " + folder + " so far. This page will show the"
                                    + " first run that does.");
        } else {
            try {
                JsonObject record = record(about, figures);
                page = PretrainPage.of(record, views(record));
            } catch (IllegalStateException
                    | ClassCastException
                    | NullPointerException
                    | UnsupportedOperationException e) {
                throw new IOException(
                        recordOf(folder.resolve(metrics)) + " or " + metrics + " beside it is not the file of a run",
                        e);
            }
        }
        return page.live(REFRESH)
                .style(STYLE)
                .html("<p id=\"live\" role=\"status\">State of the run when this page was loaded.</p>\n")
                .script(script());
    }

    private static String script() throws IOException {
        try (InputStream in = RunFolder.class.getResourceAsStream("live.js")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static List<ViewRow> views(JsonObject record) {
        List<ViewRow> rows = new ArrayList<>();
        if (record.has("views")) {
            for (JsonElement e : record.getAsJsonArray("views")) {
                JsonObject row = e.getAsJsonObject();
                rows.add(new ViewRow(
                        row.get("name").getAsString(),
                        row.get("original").getAsString(),
                        row.getAsJsonArray("views").asList().stream()
                                .map(way -> way.getAsJsonArray().asList().stream()
                                        .map(JsonElement::getAsString)
                                        .toList())
                                .toList()));
            }
        }
        return rows;
    }
}
