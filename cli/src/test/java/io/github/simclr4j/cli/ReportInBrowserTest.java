package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.Browser;
import io.github.simclr4j.cli.report.PageCheck;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reports of the commands, as a browser shows them. */
@Tag("slow")
class ReportInBrowserTest {
    @TempDir
    static Path dir;

    private static Browser browser;
    private static Path images;
    private static Path test;
    private static Path encoder;

    @BeforeAll
    static void begin() throws IOException {
        browser = Browser.openOrSkip();
        run("--version");
        images = dir.resolve("images");
        test = dir.resolve("test");
        BuiltInImages.write(images, 6, 1);
        BuiltInImages.write(test, 3, 2);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
    }

    @AfterAll
    static void end() throws IOException {
        if (browser != null) {
            browser.close();
        }
    }

    /** Runs a command with a result and a report, and looks at the page. */
    private static JsonObject look(String name, int figures, Object... command) throws IOException {
        Path page = dir.resolve(name + ".html");
        Path file = dir.resolve(name + ".json");
        List<Object> args = new ArrayList<>(List.of(command));
        args.addAll(List.of("--json", file, "--report", page, "--device", "cpu", "--threads", 1));
        CommandLineTest.Run run = run(args.toArray());
        assertEquals(0, run.code(), run.err());
        new PageCheck(browser, page).soundness().figures(json(file), figures);
        return json(file);
    }

    private static String text() throws IOException {
        return browser.script("return document.body.innerText").getAsString();
    }

    @Test
    void thePageOfAPretraining() throws IOException {
        JsonObject result = look("pretrain", 3 * 9, "pretrain", "--images", images, "--out", dir.resolve("out.onnx"), "--epochs", 3,
                "--width", 0.0625, "--image-size", 16, "--batch", 16, "--knn", images, "--knn-every", 1);
        assertEquals(3, result.getAsJsonArray("history").size());
        assertTrue(result.getAsJsonArray("history").get(2).getAsJsonObject().has("lossAtChance"));
        String text = text();
        assertTrue(text.contains("Original") && text.contains(result.get("encoderSha256").getAsString())
                && text.contains("--knn-every 1"), text);
        // Each image and each of its views was decoded.
        assertEquals("[30,0]", browser.script("var all = Array.from(document.images); return [all.length, all.filter(i =>"
                + " !i.naturalWidth).length]").toString());
    }

    @Test
    void thePageOfImagesToTick() throws IOException {
        look("neighbours", 0, "neighbours", "--encoder", encoder, "--images", test, "--top", 2, "--out", dir.resolve("n.csv"));
        assertEquals("1 ticked", browser.script("document.querySelector('input').click();"
                + " return document.querySelector('output').textContent").getAsString());
        assertTrue(Files.exists(dir.resolve("n.csv")));
    }
}
