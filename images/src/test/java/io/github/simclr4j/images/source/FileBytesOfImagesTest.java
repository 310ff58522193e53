// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bytes of an image's file, wherever it lies. */
class FileBytesOfImagesTest {
    @TempDir
    Path dir;

    private static byte[] png(int grey) throws IOException {
        BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, grey);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    private Path folder() throws IOException {
        Path folder = Files.createDirectories(dir.resolve("images"));
        for (int i = 0; i < 3; i++) {
            Files.write(Files.createDirectories(folder.resolve("class" + i)).resolve("a.png"), png(i));
        }
        return folder;
    }

    @Test
    void filesOfAFolderAnArchiveAndASubsetAreGivenAsTheyAre() throws IOException {
        Path folder = folder();
        Path zip = dir.resolve("images.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            for (int i = 0; i < 3; i++) {
                out.putNextEntry(new ZipEntry("class" + i + "/a.png"));
                out.write(png(i));
            }
        }
        for (Path set : new Path[] {folder, zip}) {
            try (ImageSource source = ImageSource.open(set)) {
                for (int i = 0; i < 3; i++) {
                    assertArrayEquals(png(i), source.fileBytes(i).orElseThrow());
                }
                assertArrayEquals(
                        png(2), source.only(new int[] {0, 2}).fileBytes(1).orElseThrow());
            }
        }
    }

    @Test
    void aMissingFileIsNamed() throws IOException {
        Path folder = folder();
        try (ImageSource source = ImageSource.open(folder)) {
            Files.delete(folder.resolve("class1/a.png"));
            assertEquals(
                    folder.resolve("class1/a.png") + ": no such file",
                    assertThrows(IOException.class, () -> source.fileBytes(1)).getMessage());
        }
    }

    @Test
    void aBinaryHasNoFilesAndAFolderOfImagesIsReadAsOneWhateverLiesInIt() throws IOException {
        Path folder = folder();
        Files.write(folder.resolve("data_batch_1.bin"), new byte[3073]);
        try (ImageSource cifar = ImageSource.open(folder);
                ImageSource files = ImageSource.folder(folder).orElseThrow()) {
            assertEquals(1, cifar.size());
            assertEquals(Optional.empty(), cifar.fileBytes(0));
            assertEquals(3, files.size());
        }
        assertTrue(ImageSource.folder(Files.createDirectories(dir.resolve("empty")))
                .isEmpty());
        assertThrows(IOException.class, () -> ImageSource.folder(dir.resolve("gone")));
    }
}
