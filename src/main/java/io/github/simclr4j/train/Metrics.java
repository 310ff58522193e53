package io.github.simclr4j.train;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.simclr4j.onnx.EncoderWriter;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A file of one JSON object a line, a line an epoch. Several runs may write to one file in turn: each line has its run's name,
 * and a run that continues first takes out its own lines of the epochs that it does again.
 */
final class Metrics {
    private final Path file;
    private final String run;

    Metrics(Path file, String run, int doneEpochs) throws IOException {
        this.file = file;
        this.run = run;
        if (!Files.exists(file)) {
            return;
        }
        List<String> keep = new ArrayList<>();
        List<String> all = lines(file);
        for (int i = 0; i < all.size(); i++) {
            JsonObject line = parse(all.get(i));
            // Only the last line can be one that a kill has cut off.
            if (line == null && (i + 1 < all.size() || !all.get(i).startsWith("{\"run\":"))) {
                throw new IOException(file + " holds other things than an epoch's figures in line " + (i + 1)
                        + ": choose another file for the metrics");
            }
            if (line != null && !again(line, doneEpochs)) {
                keep.add(all.get(i));
            }
        }
        if (keep.size() < all.size()) {
            String text = keep.isEmpty() ? "" : String.join("\n", keep) + "\n";
            EncoderWriter.write(file, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
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

    /** Adds a line; what is no number becomes null. */
    void add(Map<String, Object> figures) throws IOException {
        JsonObject line = new JsonObject();
        line.addProperty("run", run);
        Gson gson = new Gson();
        figures.forEach((k, v) -> line.add(
                k, v instanceof Double d && !Double.isFinite(d) ? null : gson.toJsonTree(v)));
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.writeString(file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new IOException("Can't write " + file + ": " + e + "; choose another path or free some space", e);
        }
    }
}
