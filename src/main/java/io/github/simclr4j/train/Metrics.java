package io.github.simclr4j.train;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.simclr4j.onnx.EncoderWriter;
import java.io.IOException;
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
        List<String> all = Files.readAllLines(file);
        for (String line : all) {
            if (!again(line, doneEpochs)) {
                keep.add(line);
            }
        }
        if (keep.size() < all.size()) {
            String text = keep.isEmpty() ? "" : String.join("\n", keep) + "\n";
            EncoderWriter.write(file, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    /** True for a line of this run that is to be written again, and for one that a kill has cut off. */
    private boolean again(String line, int doneEpochs) {
        try {
            JsonObject o = JsonParser.parseString(line).getAsJsonObject();
            return o.get("run").getAsString().equals(run) && o.get("epoch").getAsInt() > doneEpochs;
        } catch (JsonParseException | IllegalStateException | NullPointerException e) {
            return true;
        }
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
