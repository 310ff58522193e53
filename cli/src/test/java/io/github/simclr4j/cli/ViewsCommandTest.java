// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.augment.AugmentationFactory;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.augment.AugmentationStep;
import io.github.simclr4j.train.data.BuiltInImages;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code simclr views} from the options to the pixels. */
class ViewsCommandTest {
    @TempDir
    static Path dir;

    private static Path images;

    @BeforeAll
    static void draw() throws IOException {
        images = dir.resolve("images");
        BuiltInImages.write(images, 1, 1);
    }

    private static Path out(String name) {
        return dir.resolve(name + ".png");
    }

    private static Run run(String name, Object... more) {
        List<Object> args = new ArrayList<>(List.of("views", "--images", images, "--out", out(name)));
        args.addAll(List.of(more));
        return CommandLineTest.run(args.toArray());
    }

    @Test
    void aGridHoldsTheImageAndItsViews() throws IOException {
        Path json = dir.resolve("v.json");
        Run run = run("grid", "--count", 4, "--per-image", 3, "--views", "none", "--views2", "grey@1", "--json", json);
        assertEquals(0, run.code(), run.err());
        BufferedImage grid = ImageIO.read(out("grid").toFile());
        JsonObject result = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        assertEquals(grid.getWidth(), result.get("width").getAsInt());
        assertEquals(4, result.get("images").getAsInt());
        assertEquals(6, result.get("viewsPerImage").getAsInt());
        assertEquals("[\"none\",\"grey@1.0\"]", result.getAsJsonArray("views").toString());
        assertEquals(0xffffff, grid.getRGB(0, 0) & 0xffffff);
        assertEquals(grid.getHeight(), result.get("height").getAsInt());
        assertTrue(grid.getWidth() >= 1200, "" + grid.getWidth());
        int side = result.get("side").getAsInt();
        int[] left = ints(result, "columns");
        int[] top = ints(result, "rows");
        assertEquals(7, left.length);
        assertEquals(4, top.length);
        int factor = side / 32;
        assertEquals(32 * factor, side);
        // Columns: the image, three equal to it, three in grey.
        for (int row = 0; row < 4; row++) {
            for (int p = 0; p < side * side; p++) {
                int y = top[row] + p / side;
                int original = grid.getRGB(left[0] + p % side, y);
                for (int c = 1; c <= 3; c++) {
                    assertEquals(original, grid.getRGB(left[c] + p % side, y));
                    int grey = grid.getRGB(left[3 + c] + p % side, y);
                    assertEquals(grey & 255, grey >> 8 & 255);
                    assertEquals(
                            0.2989 * (original >> 16 & 255) + 0.587 * (original >> 8 & 255) + 0.114 * (original & 255),
                            grey & 255,
                            0.51);
                }
            }
        }
        // The rows are images of the folder, in order.
        boolean[] found = new boolean[4];
        try (var files = Files.walk(images)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".png")).toList()) {
                BufferedImage image = ImageIO.read(file.toFile());
                for (int row = 0; row < 4; row++) {
                    boolean same = true;
                    for (int p = 0; p < side * side; p++) {
                        same &= image.getRGB(p % side / factor, p / side / factor)
                                == grid.getRGB(left[0] + p % side, top[row] + p / side);
                    }
                    found[row] |= same;
                }
            }
        }
        assertArrayEquals(new boolean[] {true, true, true, true}, found);
    }

    private static int[] ints(JsonObject result, String name) {
        return result.getAsJsonArray(name).asList().stream()
                .mapToInt(JsonElement::getAsInt)
                .toArray();
    }

    @Test
    void aPictureOfTheDefaultsHasTheWidthOfAPage() throws IOException {
        assertEquals(0, run("page", "--count", 2).code());
        int width = ImageIO.read(out("page").toFile()).getWidth();
        assertTrue(width >= 1200 && width < 1600, "" + width);
    }

    @Test
    void digitsArePlainUnderEveryLocale() {
        Locale locale = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            Run run = run("l", "--count", 2, "--per-image", 3);
            assertEquals(0, run.code(), run.err());
            assertTrue(run.out().matches("(?s).*2 images, 3 views of each, [0-9]{4}x[0-9]{3} pixels.*"), run.out());
        } finally {
            Locale.setDefault(locale);
        }
    }

    @Test
    void theSeedDecidesThePicture() throws IOException {
        for (String name : List.of("a", "b", "c")) {
            assertEquals(
                    0,
                    run(name, "--count", 2, "--seed", name.equals("c") ? 2 : 1).code());
        }
        byte[] first = Files.readAllBytes(out("a"));
        assertArrayEquals(first, Files.readAllBytes(out("b")));
        assertFalse(Arrays.equals(first, Files.readAllBytes(out("c"))));
    }

    @Test
    void badUsageIsRefusedInOneSentence() {
        for (Object[] args : new Object[][] {
            {"--views", "wobble"},
            {"--views", "crop:2"},
            {"--views2", "flip@2"},
            {"--count", 0},
            {"--per-image", 0},
            {"--image-size", 4},
        }) {
            Run run = run("bad", args);
            assertEquals(2, run.code(), Arrays.toString(args));
            assertTrue(run.err().contains(", found "), run.err());
            assertEquals(1, run.err().strip().lines().count(), run.err());
            assertFalse(Files.exists(out("bad")));
        }
        assertEquals(
                2,
                CommandLineTest.run("views", "--images", images, "--out", "x.jpg")
                        .code());
    }

    @Test
    void helpNamesEveryAugmentationWithItsDefaultsAndEveryPreset() {
        String help = CommandLineTest.run("views", "--help").out();
        for (AugmentationFactory a : AugmentationFactory.all()) {
            String text =
                    AugmentationStep.of(a.name()).toString().replace(".0@", "@").replaceAll("\\.0$", "");
            assertTrue(
                    help.replace("2.0@", "2@")
                            .lines()
                            .anyMatch(l -> l.equals("  " + text) || l.startsWith("  " + text + " ")),
                    text);
        }
        AugmentationPipeline.presets().forEach(p -> assertTrue(help.contains(p), p));
        assertTrue(help.lines().allMatch(l -> l.length() <= 80), help);
    }
}
