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
 * A file of one JSON object a line, a line an epoch. Several runs may write to one file in turn: each line has its run's name,
 * and a run that continues first takes out its own lines of the epochs that it does again. A device or a FIFO just gets the lines.
 */
public final class Metrics implements AutoCloseable {
    /** Of every line. */
    private static final String START = "{\"run\":";
    /** How long another run's line is waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path file;
    private final String run;
    /** To a device or a FIFO; null for a file, and before the first line. */
    private OutputStream stream;

    /**
     * Opens a file of metrics, which need not exist.
     *
     * @param run the name of this run
     * @param doneEpochs epochs whose lines stay
     * @throws IOException if the file can't be read or written, or holds something else
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
     * @param run its name
     * @return the epochs' figures, in the order of the file; empty where there is no such file or it is a device or a FIFO
     * @throws IOException if the file can't be read
     */
    public static List<JsonObject> read(Path file, String run) throws IOException {
        if (!Files.isRegularFile(file)) {
            return List.of();
        }
        return text(file).lines().map(Metrics::parse).filter(l -> l != null && l.get("run").getAsString().equals(run)).toList();
    }

    /** Takes out the lines that are to be written again. */
    private void clean(int doneEpochs) throws IOException {
        List<String> keep = new ArrayList<>();
        String before = text(file);
        List<String> all = before.lines().toList();
        boolean ended = before.isEmpty() || before.endsWith("\n");
        for (int i = 0; i < all.size(); i++) {
            JsonObject line = parse(all.get(i));
            // The last line can be one that a kill has cut off: it is dropped if it starts like one of ours, and kept if it is whole.
            boolean cut = i + 1 == all.size() && !ended && (all.get(i).startsWith(START) || START.startsWith(all.get(i)));
            if (line == null && !cut) {
                throw new IOException(file + " holds other things than an epoch's figures in line " + (i + 1)
                        + ": choose another file for the metrics");
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
            throw new IOException(file + " is no text: choose another file for the metrics", e);
        }
    }

    /** A line's object, or null if it is none of ours. */
    private static JsonObject parse(String line) {
        try {
            JsonObject o = JsonParser.parseString(line).getAsJsonObject();
            o.get("run").getAsString();
            o.get("epoch").getAsInt();
            return o;
        } catch (JsonParseException | IllegalStateException | NumberFormatException | UnsupportedOperationException
                | NullPointerException e) {
            return null;
        }
    }

    /** True for a line of this run that is to be written again. */
    private boolean again(JsonObject line, int doneEpochs) {
        return line.get("run").getAsString().equals(run) && line.get("epoch").getAsInt() > doneEpochs;
    }

    /**
     * Adds a line; what is no number becomes null.
     *
     * @throws IOException if it can't be written, on a full disk, say; the lines before stay as they are
     */
    public void add(Map<String, Object> figures) throws IOException {
        JsonObject line = new JsonObject();
        line.addProperty("run", run);
        Gson gson = new Gson();
        figures.forEach((k, v) -> line.add(
                k, v instanceof Double d && !Double.isFinite(d) ? null : gson.toJsonTree(v)));
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
                // Half a line would spoil the next one.
                out.setLength(end);
                throw e;
            }
        } finally {
            lock.close();
        }
    }

    /** Ends the writing to a device or a FIFO. */
    @Override
    public void close() throws IOException {
        if (stream != null) {
            stream.close();
        }
    }
}
