// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli.report.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.JsonRecord;
import io.github.simclr4j.cli.report.Numbers;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Pages made of records that are made up. What a browser makes of pages is tested elsewhere. */
class PagesTest {
    private static JsonObject run(int epochs, String verdict) {
        JsonArray history = new JsonArray();
        for (int e = 1; e <= epochs; e++) {
            JsonObject epoch = new JsonObject();
            epoch.addProperty("epoch", e);
            epoch.addProperty("loss", 5.0 / e);
            epoch.addProperty("lossAtChance", 5.5);
            epoch.addProperty("learningRate", 0.01);
            epoch.addProperty("viewsPerSecond", 1234.5);
            epoch.add("top1", null);
            epoch.addProperty("alignment", 0.5);
            epoch.addProperty("uniformity", -2);
            epoch.addProperty("spread", 0.9);
            epoch.addProperty("effectiveRank", 12.25);
            epoch.addProperty("codeUse", 3.5);
            epoch.addProperty("verdict", verdict);
            history.add(epoch);
        }
        JsonObject run = new JsonObject();
        run.add("history", history);
        return run;
    }

    private static String page(JsonObject run) {
        return PretrainPage.of(run, List.of()).toString();
    }

    @Test
    void theWordAtTheTopIsTheVerdictOfTheLastEpoch() {
        for (String[] c : new String[][] {
            {"learning", "word open", "Learning"},
            {"at chance", "word bad", "At chance"},
            {"collapsed", "word bad", "Collapsed"},
            {"diverging", "word bad", "Diverging"},
            {"no step", "word bad", "No step"}
        }) {
            String html = page(run(3, c[0]));
            assertTrue(html.contains("<div class=\"" + c[1] + "\">") && html.contains("<strong>" + c[2]), c[0]);
        }
        JsonObject done = run(3, "learning");
        done.addProperty("encoderSha256", "ab");
        assertTrue(page(done).contains("<div class=\"word good\">"));
    }

    @Test
    void aRunThatHasJustBegunAndAFigureThatIsMissingHaveAPage() {
        assertTrue(page(run(0, "")).contains("Training begins"));
        String html = page(run(1, "learning"));
        assertFalse(html.contains("Contrastive accuracy"), "a method without candidates has none");
        assertTrue(html.contains("codeUse"), "a figure of the method's own is drawn");
        assertFalse(html.contains("NaN") || html.contains("null"), html);
    }

    @Test
    void textsFromOutsideStayTexts() {
        JsonObject run = run(1, "<script>alert(1)</script>");
        run.addProperty("encoder", "</title><script>alert(2)</script>.onnx");
        run.addProperty("command", "./simclr '<img src=x onerror=alert(3)>'");
        JsonObject settings = new JsonObject();
        settings.addProperty("training.views", "\"><script>alert(4)</script>");
        run.add("settings", settings);
        JsonArray warnings = new JsonArray();
        warnings.add("<b>");
        run.getAsJsonArray("history").get(0).getAsJsonObject().add("warnings", warnings);
        String html = PretrainPage.of(
                        run, List.of(new ViewRow("\" onload=\"alert(5)", "data:x", List.of(List.of("data:y")))))
                .toString();
        assertFalse(
                html.contains("<script>alert")
                        || html.contains("<img src=x")
                        || html.contains("<b>")
                        || html.contains("\" onload"),
                html);
    }

    @Test
    void aThousandEpochsStaySmall() {
        int size = page(run(1000, "learning")).length();
        assertTrue(size < 2_000_000, size + " characters");
    }

    @Test
    void aFigureSaysWhereItIsFrom() {
        JsonObject root = new JsonObject();
        JsonObject shares = new JsonObject();
        shares.addProperty("a/b~c", 0.123456789);
        root.add("linear", shares);
        JsonRecord record = new JsonRecord(root);
        assertEquals(
                "<data value=\"0.123456789\" data-json=\"/linear/a~1b~0c\">12.3%</data>",
                record.figure(Numbers::percent, "linear", "a/b~c"));
        assertEquals("&ndash;", record.figure(Numbers::percent, "linear", "none"));
        assertEquals(Optional.empty(), record.at("linear", "a/b~c", "deeper"));
    }

    @Test
    void numbersAreReadable() {
        assertEquals("0.01235", Numbers.plain(0.012345678));
        assertEquals("3.10e-05", Numbers.plain(3.1e-5));
        assertEquals("12\u202f345", Numbers.plain(12345));
        assertEquals("2.978", Numbers.plain(2.97808));
        assertEquals("0", Numbers.plain(0));
        assertEquals("7 min 13 s", Numbers.time(432.9));
        assertEquals("2 h 5 min", Numbers.time(7500));
    }

    @Test
    void aStudysHeatMapMarksTheBestCellAndLeavesOpenOnesEmpty() {
        JsonObject study = new JsonObject();
        study.addProperty("summary", "s");
        study.addProperty("chart", "heat_map");
        JsonArray axes = new JsonArray();
        axes.add("first");
        axes.add("second");
        study.add("axes", axes);
        JsonArray cells = new JsonArray();
        for (int i = 0; i < 4; i++) {
            JsonObject levels = new JsonObject();
            levels.addProperty("first", "f" + i / 2);
            levels.addProperty("second", "s" + i % 2);
            JsonObject cell = new JsonObject();
            cell.add("levels", levels);
            cell.addProperty("state", i < 3 ? "done" : "open");
            if (i < 3) {
                cell.addProperty("accuracy", 0.2 + 0.1 * i);
            }
            cells.add(cell);
        }
        study.add("cells", cells);
        String html = StudyPage.of(study).toString();
        assertTrue(
                html.contains(
                        "<td class=\"own\" style=\"--v:100\"><data value=\"0.4\" data-json=\"/cells/2/accuracy\">40.0%</data></td>"
                                + "<td style=\"--v:0\">&ndash;</td>"),
                html);
        assertTrue(
                html.contains("So far the best is first f1, second s0") && html.contains("3 of 4 cells are done"),
                html);
    }
}
