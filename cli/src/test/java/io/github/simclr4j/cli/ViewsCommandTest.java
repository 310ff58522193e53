package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.simclr4j.train.augment.Augmentation;
import io.github.simclr4j.train.augment.AugmentationPipeline;
import io.github.simclr4j.train.data.BuiltInImages;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code simclr views} from the options to the pixels. */
class ViewsCommandTest {
    private static final int MARGIN = 2;

    @TempDir
    static Path dir;

    private static Path images;

    @BeforeAll
    static void draw() throws IOException {
        images = dir.resolve("images");
        BuiltInImages.write(images, 1, 1);
    }

    private record Run(int code, String error, Path out) {}

    private static Run run(String name, Object... more) {
        Path out = dir.resolve(name + ".png");
        CommandLine line = new CommandLine(new ViewsCommand());
        StringWriter error = new StringWriter();
        line.setErr(new PrintWriter(error, true));
        line.setExecutionExceptionHandler((e, c, p) -> {
            error.write(e.toString());
            return e instanceof IllegalArgumentException ? 2 : 1;
        });
        String[] args = Arrays.stream(more).map(Object::toString).toArray(String[]::new);
        String[] all = Arrays.copyOf(
                new String[] {"--images", images.toString(), "--out", out.toString(), "--device", "cpu"}, 6 + args.length);
        System.arraycopy(args, 0, all, 6, args.length);
        return new Run(line.execute(all), error.toString(), out);
    }

    @Test
    void aGridHoldsTheImageAndItsViews() throws IOException {
        Path json = dir.resolve("v.json");
        Run run = run("grid", "--count", 4, "--per-image", 3, "--views", "none", "--views2", "grey@1", "--json", json);
        assertEquals(0, run.code(), run.error());
        BufferedImage grid = ImageIO.read(run.out().toFile());
        assertEquals(4 * 34 + MARGIN, grid.getHeight());
        JsonObject result = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        assertEquals(grid.getWidth(), result.get("width").getAsInt());
        assertEquals(4, result.get("images").getAsInt());
        assertEquals(6, result.get("viewsPerImage").getAsInt());
        assertEquals("[\"none\",\"grey@1.0\"]", result.getAsJsonArray("views").toString());
        assertEquals(0xffffff, grid.getRGB(0, 0) & 0xffffff);
        // Columns: the image, three equal to it, three in grey. Margins double after the image and between the two.
        int[] left = {2, 38, 72, 106, 142, 176, 210};
        assertEquals(left[6] + 32 + MARGIN, grid.getWidth());
        for (int row = 0; row < 4; row++) {
            for (int p = 0; p < 32 * 32; p++) {
                int y = MARGIN + row * 34 + p / 32;
                int original = grid.getRGB(left[0] + p % 32, y);
                for (int c = 1; c <= 3; c++) {
                    assertEquals(original, grid.getRGB(left[c] + p % 32, y));
                    int grey = grid.getRGB(left[3 + c] + p % 32, y);
                    assertEquals(grey & 255, grey >> 8 & 255);
                    assertEquals(0.2989 * (original >> 16 & 255) + 0.587 * (original >> 8 & 255) + 0.114 * (original & 255),
                            grey & 255, 0.51);
                }
            }
        }
        // The rows are images of the folder, in order.
        boolean[] found = new boolean[4];
        try (var files = Files.walk(images)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".png")).toList()) {
                BufferedImage image = ImageIO.read(file.toFile());
                for (int row = 0; row < 4; row++) {
                    found[row] |= Arrays.equals(image.getRGB(0, 0, 32, 32, null, 0, 32),
                            grid.getRGB(left[0], MARGIN + row * 34, 32, 32, null, 0, 32));
                }
            }
        }
        assertArrayEquals(new boolean[] {true, true, true, true}, found);
    }

    @Test
    void theDeviceIsNamedAndDigitsArePlainUnderEveryLocale() {
        Locale locale = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            CommandLineTest.Run run = CommandLineTest.run("views", "--images", images, "--out", dir.resolve("l.png"),
                    "--count", 2, "--per-image", 3);
            assertEquals(0, run.code(), run.err());
            assertTrue(run.out().contains("2 images, 3 views of each, 140x70 pixels"), run.out());
            assertTrue(run.err().startsWith("device cpu, libtorch "), run.err());
        } finally {
            Locale.setDefault(locale);
        }
    }

    @Test
    void theSeedDecidesThePicture() throws IOException {
        byte[] first = Files.readAllBytes(run("a", "--count", 2).out());
        assertArrayEquals(first, Files.readAllBytes(run("b", "--count", 2).out()));
        byte[] other = Files.readAllBytes(run("c", "--count", 2, "--seed", 2).out());
        assertFalse(Arrays.equals(first, other));
    }

    @Test
    void badUsageIsRefusedInOneSentence() {
        for (Object[] args : new Object[][] {
            {"--views", "wobble"}, {"--views", "crop:2"}, {"--views2", "flip@2"}, {"--count", 0}, {"--per-image", 0},
            {"--image-size", 4},
        }) {
            Run run = run("bad", args);
            assertEquals(2, run.code(), Arrays.toString(args));
            assertTrue(run.error().contains(", found "), run.error());
            assertFalse(Files.exists(run.out()));
        }
        assertEquals(2, new CommandLine(new ViewsCommand()).setExecutionExceptionHandler((e, c, p) ->
                e instanceof IllegalArgumentException ? 2 : 1).execute("--images", images.toString(), "--out", "x.jpg"));
    }

    @Test
    void helpNamesEveryAugmentationWithItsDefaultsAndEveryPreset() {
        String help = new CommandLine(new ViewsCommand()).getUsageMessage(CommandLine.Help.Ansi.OFF);
        for (Augmentation.Kind kind : Augmentation.Kind.values()) {
            String text = Augmentation.of(kind.text()).toString().replace(".0@", "@").replaceAll("\\.0$", "");
            assertTrue(help.replace("2.0@", "2@").contains("  " + text + " "), text);
        }
        AugmentationPipeline.presets().forEach(p -> assertTrue(help.contains(p), p));
        assertTrue(help.lines().allMatch(l -> l.length() <= 80), help);
    }
}
