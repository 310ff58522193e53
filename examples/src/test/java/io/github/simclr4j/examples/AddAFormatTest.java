// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.Images;
import io.github.simclr4j.images.RgbImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The image format that the example adds, as the library finds it. */
class AddAFormatTest {
    private static byte[] ppm(String header, int... values) {
        byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
        byte[] file = Arrays.copyOf(text, text.length + values.length);
        for (int i = 0; i < values.length; i++) {
            file[text.length + i] = (byte) values[i];
        }
        return file;
    }

    @Test
    void aFolderOfSuchImagesIsRead(@TempDir Path dir) throws IOException {
        Files.write(dir.resolve("a.ppm"), ppm("P6\n# two pixels\n2 1\n255\n", 1, 2, 3, 250, 251, 252));
        assertEquals(List.of(dir.resolve("a.ppm")), Images.find(dir));
        RgbImage image = Images.read(dir.resolve("a.ppm"));
        assertEquals(2, image.width());
        assertArrayEquals(new byte[] {1, 2, 3, (byte) 250, (byte) 251, (byte) 252}, image.rgb());
    }

    @Test
    void damagedFilesAreRefused() {
        IOException cut = assertThrows(IOException.class, () -> Images.read(ppm("P6 2 2 255\n", 1, 2, 3)));
        assertTrue(cut.getMessage().contains("PPM"), cut.getMessage());
        IOException deep = assertThrows(IOException.class, () -> Images.read(ppm("P6 1 1 65535\n", 0, 1, 0, 2, 0, 3)));
        assertTrue(deep.getMessage().contains("8 bits"), deep.getMessage());
        // A header's claim alone allocates nothing: it is refused before that.
        assertThrows(IOException.class, () -> Images.read(ppm("P6 999999999 999999999 255\n", 1, 2, 3)));
    }
}
