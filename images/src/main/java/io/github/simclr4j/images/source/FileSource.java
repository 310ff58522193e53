package io.github.simclr4j.images.source;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.util.RegularFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.DuplicateHeaderMode;
import org.apache.commons.io.input.BOMInputStream;

/** Image files of a folder, or that a table names. */
final class FileSource extends EncodedSource {
    private static final List<String> PATH_COLUMNS = List.of("path", "image");
    private static final List<String> LABEL_COLUMNS = List.of("label", "class");
    /** If none of so many first files is there, the table does not fit the place where it lies. */
    private static final int LOOKED_FOR = 100;

    private final Path folder;

    private FileSource(Path folder, List<String> names, Labels labels) {
        super(folder + folder.getFileSystem().getSeparator(), names, labels);
        this.folder = folder;
    }

    /** The images below a folder; null if there are none. */
    static FileSource below(Path folder) throws IOException {
        List<String> names = Images.find(folder).stream()
                .map(f -> folder.relativize(f).toString().replace(folder.getFileSystem().getSeparator(), "/")).toList();
        return names.isEmpty() ? null : new FileSource(folder, names, Labels.ofFolders(names, false));
    }

    /** The images of a table. */
    static FileSource table(Path table) throws IOException {
        List<String> names = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        try {
            rows(table, names, labels);
        } catch (IOException | IllegalArgumentException | UncheckedIOException e) {
            Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
            if (cause instanceof CharacterCodingException) {
                throw new IOException(table + " is no text in UTF-8: save it in that encoding", e);
            }
            throw new IOException(table + " is no table of images: " + cause.getMessage(), e);
        }
        Path folder = table.getParent() == null ? Path.of("") : table.getParent();
        if (names.isEmpty()) {
            throw new IOException(table + ": expected a row an image, found only a header");
        }
        FileSource source = new FileSource(folder, List.copyOf(names), Labels.ofNames(labels));
        boolean found = false;
        for (int i = 0; i < Math.min(LOOKED_FOR, names.size()); i++) {
            found |= source.length(i) >= 0;
        }
        if (!found) {
            throw new IOException(table + ": found no file of its first rows; paths are relative to the table, and "
                    + source.name(0) + " isn't there");
        }
        return source;
    }

    private static void rows(Path table, List<String> names, List<String> labels) throws IOException {
        try (Reader text = reader(table); CSVParser rows = format(table).parse(text)) {
            List<String> header = rows.getHeaderNames();
            if (header.isEmpty()) {
                throw new IOException("expected a header and a row an image, found an empty table");
            }
            if (Images.isImageName(header.get(0))) {
                throw new IOException("expected a header such as 'path,label' in the first line, found the image '"
                        + header.get(0) + "'");
            }
            int path = Math.max(0, column(header, PATH_COLUMNS));
            int label = column(header, LABEL_COLUMNS);
            for (CSVRecord row : rows) {
                if (row.size() != header.size() || row.get(path).isEmpty()) {
                    throw new IOException("row " + row.getRecordNumber() + ": expected a path and " + header.size()
                            + " values, found " + row.toList());
                }
                names.add(row.get(path));
                labels.add(label < 0 || row.get(label).isEmpty() ? null : row.get(label));
            }
        }
    }

    private static int column(List<String> header, List<String> wanted) {
        List<String> lower = header.stream().map(h -> h.toLowerCase(Locale.ROOT)).toList();
        return wanted.stream().mapToInt(lower::indexOf).filter(i -> i >= 0).findFirst().orElse(-1);
    }

    /** Fails where bytes are no UTF-8: replaced, different names would be alike. */
    private static Reader reader(Path table) throws IOException {
        return new InputStreamReader(BOMInputStream.builder().setInputStream(Files.newInputStream(table)).get(),
                StandardCharsets.UTF_8.newDecoder());
    }

    private static CSVFormat format(Path table) throws IOException {
        String first;
        try (BufferedReader text = new BufferedReader(reader(table))) {
            first = text.readLine();
        }
        char delimiter = ',';
        for (char c : new char[] {'\t', ';'}) {
            if (first != null && first.indexOf(c) >= 0 && first.indexOf(',') < 0) {
                delimiter = c;
            }
        }
        return CSVFormat.DEFAULT.builder().setDelimiter(delimiter).setHeader().setSkipHeaderRecord(true).setTrim(true)
                .setDuplicateHeaderMode(DuplicateHeaderMode.ALLOW_EMPTY).setAllowMissingColumnNames(true).get();
    }

    /** Null for what can be no path on this system. */
    private Path file(int i) {
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

    @Override
    long length(int i) throws IOException {
        Path file = file(i);
        return file != null && Files.isRegularFile(file) ? Files.size(file) : -1;
    }

    @Override
    String missing(int i) {
        Path file = file(i);
        return file == null ? super.missing(i) : RegularFiles.objection(file);
    }

    @Override
    byte[] bytes(int i) throws IOException {
        return RegularFiles.read(file(i));
    }

    @Override
    public void close() {}
}
