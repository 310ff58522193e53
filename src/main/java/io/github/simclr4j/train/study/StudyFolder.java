// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.study;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.github.simclr4j.util.AtomicFiles;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/**
 * The folder of a study:
 *
 * <ul>
 *   <li>{@code study.json} has the settings that all cells have in common;
 *   <li>each cell has a folder with its checkpoints, its encoder and, when it is done, {@code cell.json};
 *   <li>{@code NAME.csv} is the table of all cells;
 *   <li>{@code NAME.json} has all results.
 * </ul>
 */
final class StudyFolder {
    static final String ENCODER = "encoder.onnx";
    private static final String COMMON = "study.json";
    private static final String CELL = "cell.json";
    private static final Gson JSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeSpecialFloatingPointValues()
            .create();

    private final Path folder;

    /** The content of {@code study.json}: what all cells have in common. */
    private record Common(String study, Map<String, String> settings) {}

    /** The content of {@code cell.json}: a finished cell. */
    private record Done(Map<String, String> settings, CellResult.Measured measured) {}

    StudyFolder(Path folder) {
        this.folder = folder;
    }

    Path path() {
        return folder;
    }

    Path cell(Cell cell) {
        return folder.resolve(cell.folder());
    }

    /**
     * Begins or continues a study.
     *
     * @param study name of the study
     * @param settings what all cells have in common
     * @throws IOException if the folder holds another study, or this one with other settings
     */
    void begin(String study, Map<String, String> settings) throws IOException {
        Path file = folder.resolve(COMMON);
        Common now = new Common(study, new TreeMap<>(settings));
        if (!Files.exists(file)) {
            write(file, now);
            return;
        }
        Common before = read(file, Common.class);
        if (before.study() == null || before.settings() == null) {
            throw damaged(file);
        }
        if (!before.study().equals(study)) {
            throw new IOException(
                    folder + " holds the study " + before.study() + ", not " + study + ": choose another folder");
        }
        refuseOthers("the study " + study, before.settings(), now.settings());
    }

    /**
     * Returns the measurements of a finished cell, or null.
     *
     * @throws IOException if they belong to other settings
     */
    CellResult.Measured done(Cell cell, Map<String, String> settings) throws IOException {
        Path file = cell(cell).resolve(CELL);
        if (!Files.exists(file)) {
            return null;
        }
        Done before = read(file, Done.class);
        if (before.settings() == null || before.measured() == null) {
            throw damaged(file);
        }
        refuseOthers("the cell " + cell.title(), before.settings(), settings);
        return before.measured();
    }

    void finish(Cell cell, Map<String, String> settings, CellResult.Measured measured) throws IOException {
        write(cell(cell).resolve(CELL), new Done(new TreeMap<>(settings), measured));
    }

    private void refuseOthers(String what, Map<String, String> before, Map<String, String> now) throws IOException {
        List<String> different = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(now.keySet());
        for (String name : names) {
            if (!Objects.equals(before.get(name), now.get(name))) {
                different.add(name + " " + before.getOrDefault(name, "not given") + ", now "
                        + now.getOrDefault(name, "not given"));
            }
        }
        if (!different.isEmpty()) {
            throw new IOException(folder + " holds " + what + " with other settings (" + String.join("; ", different)
                    + "): choose another folder, or delete this one to start over");
        }
    }

    /** Writes the result. The table has no values that differ between two runs of a study on one machine. */
    void writeResult(StudyResult result) throws IOException {
        StringWriter text = new StringWriter();
        List<String> header = new ArrayList<>(result.axes());
        header.addAll(
                List.of("accuracy", "final_loss", "parameters", "dimension", "epochs", "steps", "state", "failure"));
        try (CSVPrinter csv = new CSVPrinter(
                text, CSVFormat.DEFAULT.builder().setRecordSeparator('\n').get())) {
            csv.printRecord(header);
            for (CellResult c : result.cells()) {
                List<Object> row = new ArrayList<>(c.cell().levels().values());
                CellResult.Measured m = c.measured();
                if (m == null) {
                    row.addAll(List.of("", "", "", "", "", ""));
                } else {
                    row.addAll(List.of(
                            number(m.accuracy()),
                            number(m.finalLoss()),
                            m.parameters(),
                            m.dimension(),
                            m.epochs(),
                            m.steps()));
                }
                row.add(c.state());
                row.add(c.failure() == null ? "" : c.failure());
                csv.printRecord(row);
            }
        }
        AtomicFiles.write(
                folder.resolve(result.name() + ".csv"), text.toString().getBytes(StandardCharsets.UTF_8));
        write(folder.resolve(result.name() + ".json"), result.toMap());
    }

    private static String number(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.6f", value) : "";
    }

    private static void write(Path file, Object content) throws IOException {
        AtomicFiles.write(file, (JSON.toJson(content) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static <T> T read(Path file, Class<T> type) throws IOException {
        try {
            T content = JSON.fromJson(Files.readString(file), type);
            if (content != null) {
                return content;
            }
        } catch (JsonParseException e) {
            throw new IOException(damaged(file).getMessage(), e);
        }
        throw damaged(file);
    }

    private static IOException damaged(Path file) {
        return new IOException(file + " is not a valid file of a study: delete it, or choose another folder");
    }
}
