package io.github.simclr4j.cli;

import io.github.simclr4j.tribuo.extraction.ImageFeatureExtractor;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Features as CSV: a header, then the path and the features of each image. */
final class CsvFeatures implements FeatureFile {
    private final Path file;
    private final TemporaryFile part;

    CsvFeatures(Path file, int columns) throws IOException {
        this.file = file;
        part = TemporaryFile.beside(file);
        line("path", String.join(",", ImageFeatureExtractor.names("h", columns)));
    }

    private void line(String name, String rest) throws IOException {
        part.stream().write((name + "," + rest + "\n").getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void add(String name, float[] features) throws IOException {
        StringBuilder row = new StringBuilder();
        for (float f : features) {
            row.append(row.length() == 0 ? "" : ",").append(f);
        }
        line(quote(name), row.toString());
    }

    static String quote(String path) {
        return path.matches("(?s).*[\",\n\r].*") ? '"' + path.replace("\"", "\"\"") + '"' : path;
    }

    @Override
    public void finish() throws IOException {
        part.force();
        part.moveTo(file);
    }

    @Override
    public void close() throws IOException {
        part.close();
    }
}
