package io.github.simclr4j.train.monitor;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.simclr4j.util.AtomicFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A file of one JSON object a line, a line an epoch. Several runs may write to one file in turn: each line has its run's name,
 * and a run that continues first takes out its own lines of the epochs that it does again.
 */
public final class Metrics {
    /** Of every line. */
    private static final String START = "{\"run\":";

    private final Path file;
    private final String run;

    public Metrics(Path file, String run, int doneEpochs) throws IOException {
        this.file = file;
        this.run = run;
        if (!Files.exists(file)) {
            return;
        }
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
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
                long end = out.length();
                try {
                    out.seek(end);
                    out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                } catch (IOException e) {
                    // Half a line would spoil the next one.
                    out.setLength(end);
                    throw e;
                }
            }
        } catch (IOException e) {
            throw new IOException("Can't write " + file + ": " + e + "; choose another path or free some space", e);
        }
    }
}
