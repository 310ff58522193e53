// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.source.ImageSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuiltInImagesTest {
    @Test
    void drawnImagesReplaceThoseDrawnBeforeAndNothingElse(@TempDir Path dir) throws IOException {
        BuiltInImages.write(dir, 3, 1);
        BuiltInImages.write(dir, 2, 1);
        try (ImageSource source = ImageSource.open(dir)) {
            assertEquals(20, source.size());
        }
        Path mine = Files.createDirectories(dir.resolve("cats")).resolve("tom.png");
        Files.writeString(mine, "a cat");
        IOException e = assertThrows(IOException.class, () -> BuiltInImages.write(dir, 1, 1));
        assertTrue(e.getMessage().contains("tom.png"), e.getMessage());
        try (ImageSource source = ImageSource.open(dir)) {
            assertEquals(21, source.size());
        }
        assertThrows(IllegalArgumentException.class, () -> BuiltInImages.write(dir.resolve("new"), 0, 1));
        assertFalse(Files.exists(dir.resolve("new")));
    }
}
