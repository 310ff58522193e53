// SPDX-License-Identifier: Apache-2.0
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
        JsonObject result = look(
                "pretrain",
                3 * 9,
                "pretrain",
                "--images",
                images,
                "--out",
                dir.resolve("out.onnx"),
                "--epochs",
                3,
                "--width",
                0.0625,
                "--image-size",
                16,
                "--batch",
                16,
                "--knn",
                images,
                "--knn-every",
                1);
        assertEquals(3, result.getAsJsonArray("history").size());
        assertTrue(result.getAsJsonArray("history").get(2).getAsJsonObject().has("lossAtChance"));
        String text = text();
        assertTrue(
                text.contains("Original")
                        && text.contains(result.get("encoderSha256").getAsString())
                        && text.contains("--knn-every 1"),
                text);
        // Each image and each of its views was decoded.
        assertEquals(
                "[30,0]",
                browser.script("var all = Array.from(document.images); return [all.length, all.filter(i =>"
                                + " !i.naturalWidth).length]")
                        .toString());
    }

    @Test
    void thePageOfAnEvaluation() throws IOException {
        JsonObject result = look(
                "evaluate",
                100,
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                images,
                "--test",
                test,
                "--labels",
                "50%,100%",
                "--repeat",
                2,
                "--protocol",
                "linear,knn");
        assertEquals(10, result.getAsJsonArray("perClass").size());
        int total = 0;
        for (var row : result.getAsJsonArray("confusionMatrix")) {
            for (var count : row.getAsJsonArray()) {
                total += count.getAsInt();
            }
        }
        assertEquals(30, total, "each test image is in the matrix");
        assertEquals(10, result.getAsJsonArray("neighbours").size());
        assertEquals(
                "30",
                browser.script("return '' + document.querySelectorAll('.stage svg circle').length")
                        .getAsString());
        assertTrue(text().contains(result.getAsJsonObject("data")
                .getAsJsonObject("test")
                .get("fingerprint")
                .getAsString()));
        theMapFollowsTheKeys();
    }

    @Test
    void thePageOfNearestNeighboursAlone() throws IOException {
        look(
                "knn",
                10,
                "evaluate",
                "--encoder",
                encoder,
                "--train",
                images,
                "--test",
                test,
                "--labels",
                "100%",
                "--protocol",
                "knn");
        assertTrue(text().contains("No baseline was measured"), text());
    }

    private static void theMapFollowsTheKeys() throws IOException {
        assertEquals(
                "Point at",
                browser.script("document.querySelector('.stage canvas').focus();"
                                + " return document.querySelector('.look output').textContent.slice(0, 8)")
                        .getAsString());
        for (int i = 0; i < 5; i++) {
            browser.press("+", 187);
        }
        browser.press("ArrowRight", 39);
        // Somewhere near the middle of 30 images is one.
        browser.press("0", 48);
        String named = browser.script("return document.querySelector('.look output').textContent")
                .getAsString();
        assertTrue(named.contains(".png ("), named);
        assertEquals(
                "true",
                browser.script("var b = document.querySelector('.kinds button'); b.click();"
                                + " return b.getAttribute('aria-pressed')")
                        .getAsString());
        // The picture differs with and without the images themselves, and every tile of the sheet was decoded.
        assertEquals(
                "true",
                browser.script("var c = document.querySelector('.stage canvas'), before = c.toDataURL();"
                                + " document.querySelector('.pictures').click(); return '' + (before !== c.toDataURL()"
                                + " && document.getElementById('image-sheet').naturalWidth === 6 * 32)")
                        .getAsString());
    }

    @Test
    void thePageOfAComparison() throws IOException {
        Path other = CommandLineTest.untrained(dir.resolve("other.onnx"), 2);
        JsonObject result = look(
                "compare",
                150,
                "compare",
                "--encoder",
                encoder,
                "--encoder",
                other,
                "--train",
                images,
                "--test",
                test,
                "--labels",
                "50%,100%");
        assertEquals(
                "[encoder, other]",
                List.copyOf(result.getAsJsonObject("linear").keySet()).toString());
        JsonObject pair = result.getAsJsonArray("paired").get(0).getAsJsonObject();
        assertEquals(
                30,
                pair.get("bothRight").getAsInt()
                        + pair.get("onlyFirst").getAsInt()
                        + pair.get("onlySecond").getAsInt()
                        + pair.get("neither").getAsInt());
        assertEquals(
                result.getAsJsonObject("linear")
                        .getAsJsonObject("encoder")
                        .get("100%")
                        .getAsDouble(),
                (pair.get("bothRight").getAsInt() + pair.get("onlyFirst").getAsInt()) / 30.,
                1e-9);
        assertEquals(
                2,
                browser.script("return document.querySelectorAll('.stage canvas').length")
                        .getAsInt());
        CommandLineTest.Run one = run("compare", "--encoder", encoder, "--train", images, "--test", test);
        assertEquals(2, one.code());
        assertTrue(one.err().contains("--encoder must be given at least twice"), one.err());
    }

    @Test
    void thePagesOfStudies() throws IOException {
        Path first = dir.resolve("study");
        Object[] tiny = {
            "--images",
            images,
            "--train",
            images,
            "--test",
            test,
            "--epochs",
            1,
            "--width",
            0.0625,
            "--image-size",
            16,
            "--batch",
            16
        };
        List<Object> lines = new ArrayList<>(List.of(
                "study", "grid", "--axis", "temperature=0.1,0.5", "--axis", "head=linear,nonlinear", "--out", first));
        lines.addAll(List.of(tiny));
        JsonObject result = look("grid", 12, lines.toArray());
        assertEquals(4, result.getAsJsonArray("cells").size());
        // Without the option the page is in the study's folder, and is that of the bars.
        List<Object> bars = new ArrayList<>(List.of(
                "study",
                "grid",
                "--axis",
                "head=linear,none",
                "--out",
                dir.resolve("bars"),
                "--device",
                "cpu",
                "--threads",
                1));
        bars.addAll(List.of(tiny));
        assertEquals(0, run(bars.toArray()).code());
        new PageCheck(browser, dir.resolve("bars/grid.html")).soundness();
    }

    @Test
    void thePageOfTheQuickstart() throws IOException {
        Path out = dir.resolve("quick");
        CommandLineTest.Run run = run(
                "quickstart",
                "--out",
                out,
                "--images",
                8,
                "--epochs",
                2,
                "--device",
                "cpu",
                "--threads",
                1,
                "--json",
                dir.resolve("quick.json"));
        assertEquals(0, run.code(), run.err());
        assertTrue(run.out().contains("report.html"), run.out());
        new PageCheck(browser, out.resolve("report.html")).soundness().figures(json(dir.resolve("quick.json")), 200);
    }

    @Test
    void aReportThatCannotBeWrittenIsSaidBeforeTheWorkBegins() {
        Path out = dir.resolve("never.onnx");
        for (String[] c : new String[][] {
            {"/proc/none/report.html", "Can't write /proc/none/report.html"},
            {"report.txt", "--report must end in .html, found report.txt"}
        }) {
            CommandLineTest.Run run =
                    run("pretrain", "--images", images, "--out", out, "--report", c[0], "--device", "cpu");
            assertTrue(run.code() != 0 && run.err().contains(c[1]), run.err());
            assertTrue(!run.err().contains("epoch"), run.err());
        }
    }

    @Test
    void thePageOfImagesToTick() throws IOException {
        look(
                "neighbours",
                0,
                "neighbours",
                "--encoder",
                encoder,
                "--images",
                test,
                "--top",
                2,
                "--out",
                dir.resolve("n.csv"));
        assertEquals(
                "1 ticked",
                browser.script("document.querySelector('input').click();"
                                + " return document.querySelector('output').textContent")
                        .getAsString());
        assertTrue(Files.exists(dir.resolve("n.csv")));
    }
}
