// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The files that image_matrix.py writes, with what is to be read from them. */
final class ImageMatrix {
    private static final Path FOLDER = Path.of("src/test/resources/matrix");

    private ImageMatrix() {}

    /**
     * A file of the matrix.
     *
     * @param name its name in the archive, with the format's ending
     * @param pixels width and height as big-endian integers, then the bytes [height, width, 3]; null if it is to be refused
     * @param refused a regular expression for what the message holds; null if it is to be read
     * @param largest largest absolute difference allowed
     * @param mean mean absolute difference allowed
     */
    record Row(String name, byte[] file, byte[] pixels, String refused, double largest, double mean) {}

    static List<String> archives() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(".zip"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Row> read(String archive) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (InputStream in = Files.newInputStream(FOLDER.resolve(archive));
                ZipInputStream zip = new ZipInputStream(in)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                entries.put(entry.getName(), zip.readAllBytes());
            }
        }
        List<Row> rows = new ArrayList<>();
        for (String name : entries.keySet()) {
            if (!name.matches(".*\\.(rgb|refused|tolerance)")) {
                String stem = name.substring(0, name.lastIndexOf('.'));
                byte[] refused = entries.get(stem + ".refused");
                byte[] tolerance = entries.getOrDefault(stem + ".tolerance", "0 0".getBytes(StandardCharsets.UTF_8));
                String[] allowed =
                        new String(tolerance, StandardCharsets.UTF_8).strip().split("\\s+");
                byte[] pixels = entries.get(stem + ".rgb");
                if ((pixels == null) == (refused == null)) {
                    throw new IOException(archive + ": " + name + " needs either pixels or a message");
                }
                rows.add(new Row(
                        name,
                        entries.get(name),
                        pixels,
                        refused == null ? null : new String(refused, StandardCharsets.UTF_8).strip(),
                        Double.parseDouble(allowed[0]),
                        Double.parseDouble(allowed[1])));
            }
        }
        return rows;
    }
}
