// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.spark.example.EmbedFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example of docs/spark.md. */
@Tag("slow")
class EmbedFolderTest {
    @Test
    void theFolderBecomesParquetWithTheEncodersValues(@TempDir Path dir) throws IOException {
        Path images = Samples.images(dir.resolve("images"), 3);
        Path encoder = Samples.encoder(dir.resolve("encoder.onnx"), 5);
        Map<String, float[]> expected = Samples.expected(encoder, images);
        Files.writeString(images.resolve("blue/bad.jpg"), "no image");
        Files.writeString(images.resolve("blue/notes.txt"), "no image either");
        Path out = dir.resolve("features.parquet");
        EmbedFolder.embed(LocalSpark.SESSION, encoder.toString(), images.toString(), out.toString());
        List<Row> rows = LocalSpark.SESSION.read().parquet(out.toString()).collectAsList();
        assertEquals(7, rows.size());
        for (Row row : rows) {
            float[] values = expected.get(java.net.URI.create(row.getString(0)).getPath());
            if (values == null) {
                assertTrue(row.getString(0).endsWith("bad.jpg") && row.isNullAt(1) && !row.isNullAt(2));
            } else {
                assertEquals(List.of(box(values)), row.getList(1));
            }
        }
    }

    /** Which files are images is what the images module says. */
    @Test
    void imagesOfAllEndingsAreFoundInSmallAndInCapitalLetters(@TempDir Path dir) throws IOException {
        Path images = Samples.images(dir.resolve("images"), 1);
        List<String> endings = List.of("png", "PNG", "Png", "jpg", "JPG", "jpeg", "JPEG", "WEBP", "TIF", "tiff", "bmp");
        for (String ending : Stream.concat(
                        endings.stream(), Stream.of("jfif", "jpe", "dib", "apng", "GIF", "txt", "png.gz", "xpng"))
                .toList()) {
            Files.copy(images.resolve("red/0.png"), images.resolve("blue/named-" + ending + "." + ending));
        }
        Path out = dir.resolve("features.parquet");
        EmbedFolder.embed(
                LocalSpark.SESSION,
                Samples.encoder(dir.resolve("encoder.onnx"), 5).toString(),
                images.toString(),
                out.toString());
        Set<Path> found = LocalSpark.SESSION.read().parquet(out.toString()).collectAsList().stream()
                .map(row -> Path.of(java.net.URI.create(row.getString(0)).getPath()))
                .collect(Collectors.toSet());
        assertEquals(Set.copyOf(Images.find(images)), found);
        assertEquals(2 + endings.size() + 5, found.size());
    }

    private static Float[] box(float[] values) {
        Float[] boxed = new Float[values.length];
        for (int i = 0; i < boxed.length; i++) {
            boxed[i] = values[i];
        }
        return boxed;
    }
}
