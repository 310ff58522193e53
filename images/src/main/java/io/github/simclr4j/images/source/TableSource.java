// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import io.github.simclr4j.images.ImageNames;
import io.github.simclr4j.images.LeftOut;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.DuplicateHeaderMode;

/** A source of the image files that a table names. A file in a format that is not supported is unreadable instead of left out. */
final class TableSource extends PathSource {
    private static final List<String> PATH_COLUMNS =
            List.of("path", "image", "file", "file_name", "filename", "filepath", "file_path", "image_path");
    private static final List<String> LABEL_COLUMNS = List.of("label", "class");
    /** Number of first files of which at least one must exist, or else the paths are considered wrong. */
    private static final int LOOKED_FOR = 100;

    private final Path folder;

    private TableSource(Path folder, List<String> names, Labels labels) {
        super(folder, names, labels, LeftOut.NONE);
        this.folder = folder;
    }

    /** The content of a table. */
    private static final class Rows {
        private final List<String> names = new ArrayList<>();
        private final List<String> labels = new ArrayList<>();
        private List<String> header;
        private String pathColumn;
        private boolean guessed;
    }

    static TableSource open(Path table, TableColumns columns) throws IOException {
        Rows rows = new Rows();
        try {
            read(table, columns, rows);
        } catch (IOException | IllegalArgumentException | UncheckedIOException e) {
            Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
            if (cause instanceof CharacterCodingException) {
                throw new IOException(table + " is not text in UTF-8: save it in that encoding", e);
            }
            throw new IOException(table + " is not a table of images: " + cause.getMessage(), e);
        }
        Path folder = table.getParent() == null ? Path.of("") : table.getParent();
        if (rows.names.isEmpty()) {
            throw new IOException(table + ": expected one row per image, found only a header");
        }
        TableSource source = new TableSource(folder, List.copyOf(rows.names), Labels.ofNames(rows.labels));
        for (int i = 0; i < Math.min(LOOKED_FOR, source.size()); i++) {
            if (source.length(i) >= 0) {
                return source;
            }
        }
        throw new IOException(table + ": found no file of its first rows; paths are relative to the table, and "
                + source.name(0)
                + " does not exist. They were read from the column '" + rows.pathColumn + "'"
                + (rows.guessed ? ", the first, since none is called 'path' or 'image'" : "") + "; the columns are "
                + rows.header + ", and the setting path-column chooses another");
    }

    private static void read(Path table, TableColumns columns, Rows rows) throws IOException {
        try (BoundedText text = BoundedText.open(table);
                CSVParser parser = format(table).parse(text)) {
            List<String> header = parser.getHeaderNames();
            if (header.isEmpty()) {
                throw new IOException("expected a header and one row per image, found an empty table");
            }
            if (ImageNames.isImageName(header.get(0))) {
                throw new IOException("expected a header such as 'path,label' in the first line, found the image '"
                        + header.get(0) + "'");
            }
            int path = columns.path() == null ? find(header, PATH_COLUMNS) : chosen(header, columns.path(), "path");
            int label =
                    columns.label() == null ? find(header, LABEL_COLUMNS) : chosen(header, columns.label(), "label");
            rows.header = header;
            rows.guessed = path < 0;
            path = Math.max(0, path);
            rows.pathColumn = header.get(path);
            text.rowEnded(parser.getCurrentLineNumber() + 1);
            for (CSVRecord row : parser) {
                text.rowEnded(parser.getCurrentLineNumber() + 1);
                if (row.size() != header.size() || row.get(path).isEmpty()) {
                    throw new IOException("row " + row.getRecordNumber() + ": expected a path and " + header.size()
                            + " values, found " + shortened(row.toList().toString()));
                }
                rows.names.add(row.get(path));
                rows.labels.add(label < 0 || row.get(label).isEmpty() ? null : row.get(label));
            }
        }
    }

    private static String shortened(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "...";
    }

    private static int find(List<String> header, List<String> wanted) {
        List<String> lower =
                header.stream().map(h -> h.toLowerCase(Locale.ROOT)).toList();
        return wanted.stream()
                .mapToInt(lower::indexOf)
                .filter(i -> i >= 0)
                .findFirst()
                .orElse(-1);
    }

    private static int chosen(List<String> header, String column, String what) throws IOException {
        if (!header.contains(column)) {
            throw new IOException("it has no column '" + column + "', which the setting " + what
                    + "-column names: expected one of " + header);
        }
        return header.indexOf(column);
    }

    private static CSVFormat format(Path table) throws IOException {
        String first = BoundedText.firstLine(table);
        char delimiter = ',';
        for (char c : new char[] {'\t', ';'}) {
            if (first.indexOf(c) >= 0 && first.indexOf(',') < 0) {
                delimiter = c;
            }
        }
        return CSVFormat.DEFAULT
                .builder()
                .setDelimiter(delimiter)
                .setHeader()
                .setSkipHeaderRecord(true)
                .setTrim(true)
                .setDuplicateHeaderMode(DuplicateHeaderMode.ALLOW_EMPTY)
                .setAllowMissingColumnNames(true)
                .get();
    }

    @Override
    Path file(int i) {
        try {
            return folder.resolve(names.get(i));
        } catch (InvalidPathException e) {
            return null;
        }
    }

    @Override
    public String name(int i) {
        Path file = file(i);
        return file == null ? super.name(i) : file.toString();
    }
}
