// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.train.settings.PretrainBuilder;
import io.github.simclr4j.train.settings.PretrainSettings;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code pretrain} says where images are far larger than its views. */
class PresetSuggestionTest {
    private static final String PHOTOGRAPHS =
            "at least half of the images have a short side of 300 pixels or more, and the default"
                    + " --image-size shrinks them to 32: give --preset photos (224 pixels) or --preset serving (224 pixels) for photographs, or"
                    + " another --image-size";

    @TempDir
    Path dir;

    private void write(String name, int width, int height) throws IOException {
        Path file = dir.resolve("set").resolve(name);
        Files.createDirectories(file.getParent());
        ImageIO.write(new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB), "png", file.toFile());
    }

    private Optional<String> suggestion() throws IOException {
        PretrainSettings settings = new PretrainBuilder().build(10);
        try (ImageSource source = ImageSource.open(dir.resolve("set"))) {
            return PresetSuggestion.of(source, settings);
        }
    }

    @Test
    void photographsGetThePresetsForThem() throws IOException {
        write("0.png", 400, 300);
        write("1.png", 300, 500);
        write("2.png", 32, 32);
        assertEquals(Optional.of(PHOTOGRAPHS), suggestion());
    }

    /** A preset of 224 pixels would enlarge them. */
    @Test
    void imagesOf96PixelsGetNoPreset() throws IOException {
        write("0.png", 96, 96);
        assertEquals(
                Optional.of(
                        "at least half of the images have a short side of 96 pixels or more, and the default --image-size"
                                + " shrinks them to 32: give another --image-size"),
                suggestion());
    }

    @Test
    void imagesThatAreNotFarLargerAndThoseThatCannotBeReadGetNone() throws IOException {
        write("0.png", 95, 400);
        assertEquals(Optional.empty(), suggestion());
        Files.writeString(dir.resolve("set/0.png"), "not an image");
        assertEquals(Optional.empty(), suggestion());
    }

    private Run pretrain(String... more) {
        List<Object> all = new ArrayList<>(List.of(
                "pretrain",
                "--images",
                dir.resolve("set"),
                "--width",
                "0.0625",
                "--batch",
                "4",
                "--epochs",
                "1",
                "--device",
                "cpu",
                "--threads",
                "1",
                "--out",
                dir.resolve("encoder.onnx")));
        all.addAll(Arrays.asList(more));
        Run run = run(all.toArray());
        assertEquals(0, run.code(), run.err());
        return run;
    }

    @Test
    @Tag("slow")
    void whoChoseTheSizeOrAPresetIsToldNothing() throws IOException {
        for (int i = 0; i < 4; i++) {
            write(i + ".png", 300 + i, 400);
        }
        String plain = PHOTOGRAPHS.replace("300", "301");
        assertTrue(pretrain().err().contains(plain), "nothing was chosen");
        assertFalse(pretrain("--image-size", "32").err().contains("at least half"), "the size was chosen");
        assertFalse(pretrain("--preset", "small").err().contains("at least half"), "the preset was chosen");
    }
}
