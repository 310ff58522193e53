// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.monitor;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Destination;
import io.github.simclr4j.util.OutputLock;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A file of metrics, one JSON object per line and one line per epoch.
 *
 * <p>Several runs may write to one file, since each line has the name of its run. A continued run first removes its own lines of
 * the epochs that it repeats. A device or FIFO only receives the lines.
 *
 * @since 0.1.0
 */
public final class Metrics implements AutoCloseable {
    /** The start of every line. */
    private static final String START = "{\"run\":";
    /** How long to wait for another run that is writing a line. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path file;
    private final String run;
    /** Stream to a device or FIFO; null for a regular file, and before the first line. */
    private OutputStream stream;

    /**
     * Opens a file of metrics, which need not exist.
     *
     * @param file the file
     * @param run name of this run
     * @param doneEpochs epochs whose lines are kept
     * @throws IOException if the file cannot be read or written, or has other content
     */
    public Metrics(Path file, String run, int doneEpochs) throws IOException {
        this.file = file;
        this.run = run;
        if (!Files.exists(file) || !Destination.of(file).replaced()) {
            return;
        }
        OutputLock lock = OutputLock.waitFor(file, PATIENCE);
        try {
            clean(doneEpochs);
        } finally {
            lock.close();
        }
    }

    /**
     * Reads the lines of one run.
     *
     * @param file the file
     * @param run name of the run
     * @return one object per epoch, in the order of the file; empty if the file does not exist or is a device or FIFO
     * @throws IOException if the file cannot be read
     */
    public static List<JsonObject> read(Path file, String run) throws IOException {
        if (!Files.isRegularFile(file)) {
            return List.of();
        }
        return text(file)
                .lines()
                .map(Metrics::parse)
                .filter(l -> l != null && l.get("run").getAsString().equals(run))
                .toList();
    }

    /** Removes the lines that will be written again. */
    private void clean(int doneEpochs) throws IOException {
        List<String> keep = new ArrayList<>();
        String before = text(file);
        List<String> all = before.lines().toList();
        boolean ended = before.isEmpty() || before.endsWith("\n");
        for (int i = 0; i < all.size(); i++) {
            JsonObject line = parse(all.get(i));
            // A crash may have cut off the last line. It is dropped if it starts like a line of metrics, and kept if it
            // is complete.
            boolean cut =
                    i + 1 == all.size() && !ended && (all.get(i).startsWith(START) || START.startsWith(all.get(i)));
            if (line == null && !cut) {
                throw new IOException("Line " + (i + 1) + " of " + file
                        + " is not a line of metrics: choose another file for the metrics");
            }
            if (line != null && !again(line, doneEpochs)) {
                keep.add(all.get(i));
            }
        }
        if (keep.size() < all.size() || !ended) {
            String text = keep.isEmpty() ? "" : String.join("\n", keep) + "\n";
            AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String text(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not a text file: choose another file for the metrics", e);
        }
    }

    /** Returns the object of a line, or null if it is not a line of metrics. */
    private static JsonObject parse(String line) {
        try {
            JsonObject o = JsonParser.parseString(line).getAsJsonObject();
            o.get("run").getAsString();
            o.get("epoch").getAsInt();
            return o;
        } catch (JsonParseException
                | IllegalStateException
                | NumberFormatException
                | UnsupportedOperationException
                | NullPointerException e) {
            return null;
        }
    }

    /** Tells whether a line of this run will be written again. */
    private boolean again(JsonObject line, int doneEpochs) {
        return line.get("run").getAsString().equals(run) && line.get("epoch").getAsInt() > doneEpochs;
    }

    /**
     * Appends a line; NaN and infinity become null.
     *
     * @param figures values by name
     * @throws IOException if the line cannot be written, for example on a full disk; earlier lines are kept
     */
    public void add(Map<String, Object> figures) throws IOException {
        JsonObject line = new JsonObject();
        line.addProperty("run", run);
        Gson gson = new Gson();
        figures.forEach((k, v) ->
                line.add(k, v instanceof Double d && !Double.isFinite(d) ? null : gson.toJsonTree(v)));
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            Destination destination = Destination.of(file);
            if (destination.replaced()) {
                append(bytes);
            } else {
                stream = stream == null ? destination.open() : stream;
                stream.write(bytes);
                stream.flush();
            }
        } catch (IOException e) {
            throw new IOException("Can't write " + file + ": " + e + "; choose another path or free some space", e);
        }
    }

    private void append(byte[] line) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        OutputLock lock = OutputLock.waitFor(file, PATIENCE);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            long end = out.length();
            try {
                out.seek(end);
                out.write(line);
            } catch (IOException e) {
                // An incomplete line would corrupt the next one.
                out.setLength(end);
                throw e;
            }
        } finally {
            lock.close();
        }
    }

    /** Closes the stream to a device or FIFO. */
    @Override
    public void close() throws IOException {
        if (stream != null) {
            stream.close();
        }
    }
}
