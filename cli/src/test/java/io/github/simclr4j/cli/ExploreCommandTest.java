// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.json;
import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code neighbours}, {@code duplicates}, {@code select}, {@code outliers} and {@code mislabelled}, on drawn images. */
class ExploreCommandTest {
    @TempDir
    static Path dir;

    private static Path encoder;
    private static Path images;
    private static Path one;
    private static Path empty;
    private static int size;

    @BeforeAll
    static void make() throws IOException {
        run("--version");
        images = dir.resolve("images");
        BuiltInImages.write(images, 3, 1);
        encoder = CommandLineTest.untrained(dir.resolve("encoder.onnx"), 1);
        one = Files.createDirectories(dir.resolve("one"));
        Files.copy(images.resolve("disc/0000.png"), one.resolve("0.png"));
        empty = Files.createDirectories(dir.resolve("empty"));
        try (Stream<Path> all = Files.walk(images)) {
            size = (int) all.filter(Files::isRegularFile).count();
        }
    }

    private static Run explore(String command, Path set, Object... more) {
        List<Object> args = new ArrayList<>(List.of(
                command,
                "--encoder",
                encoder,
                "--images",
                set,
                "--out",
                dir.resolve(command + ".csv"),
                "--json",
                dir.resolve(command + ".json"),
                "--device",
                "cpu",
                "--threads",
                2));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private static List<String> rows(String command) throws IOException {
        return Files.readAllLines(dir.resolve(command + ".csv"));
    }

    private static List<String> table(String command, Path set, Object... more) throws IOException {
        Run run = explore(command, set, more);
        assertEquals(0, run.code(), run.err());
        return rows(command);
    }

    @Test
    void neighboursOfEachAndOfOneImage() throws IOException {
        List<String> all = table("neighbours", images, "--top", 4);
        assertEquals("query,rank,path,similarity", all.get(0));
        assertEquals(1 + 4 * size, all.size());
        String[] first = all.get(1).split(",");
        assertEquals("1", first[1]);
        assertNotEquals(first[0], first[2]);
        List<String> mine = table("neighbours", images, "--query", images.resolve("disc/0000.png"), "--top", 2);
        assertEquals(3, mine.size());
        assertFalse(mine.get(1).split(",")[2].endsWith("disc/0000.png"), "the query itself is no neighbour");
        // The same file under another name is one, and as near as can be.
        List<String> other = table("neighbours", images, "--query", one.resolve("0.png"), "--top", 1);
        assertEquals(
                List.of(one.resolve("0.png") + ",1," + images.resolve("disc/0000.png") + ",1.000000"),
                other.subList(1, 2));
    }

    @Test
    void duplicatesKeepOneOfEachGroup() throws IOException {
        Path set = Files.createDirectories(dir.resolve("copies"));
        Files.copy(images.resolve("checks/0000.png"), set.resolve("a.png"));
        Files.copy(images.resolve("disc/0001.png"), set.resolve("b.png"));
        ImageIO.write(
                ImageIO.read(set.resolve("a.png").toFile()),
                "bmp",
                set.resolve("c.bmp").toFile());
        List<String> rows = table("duplicates", set);
        assertEquals(
                List.of(
                        "group,path,similarity",
                        "1," + set.resolve("a.png") + ",1.000000",
                        "1," + set.resolve("c.bmp") + ",1.000000"),
                rows);
        JsonObject json = json(dir.resolve("duplicates.json"));
        assertEquals(1, json.get("groups").getAsInt());
        assertEquals(2, json.get("kept").getAsInt());
        assertEquals(3, json.get("images").getAsInt());
    }

    @Test
    void imagesAreSelectedBesideThoseThatAreLabelled() throws IOException {
        List<String> rows = table("select", images, "--count", 5);
        assertEquals("rank,path", rows.get(0));
        assertEquals(6, rows.size());
        assertTrue(rows.get(1).startsWith("1," + images));
        List<String> others = table("select", images, "--count", 5, "--labelled", one);
        assertTrue(others.stream().noneMatch(r -> r.endsWith("disc/0000.png")), others.toString());
        assertEquals(1, json(dir.resolve("select.json")).get("labelled").getAsInt());
    }

    @Test
    void outliersAndDoubtfulLabelsAreRanked() throws IOException {
        List<String> outliers = table("outliers", images);
        assertEquals("rank,path,score", outliers.get(0));
        assertEquals(1 + size, outliers.size());
        List<String> doubts = table("mislabelled", images);
        assertEquals("rank,path,label,suggested,score", doubts.get(0));
        assertEquals(1 + size, doubts.size());
        String[] first = doubts.get(1).split(",");
        assertTrue(first[1].contains("/" + first[2] + "/") && !first[2].equals(first[3]), doubts.get(1));
        assertEquals(
                10,
                json(dir.resolve("mislabelled.json")).getAsJsonArray("classes").size());
    }

    @Test
    void whatCantBeReadIsNamedAndLeftOut() throws IOException {
        Path set = Files.createDirectories(dir.resolve("broken"));
        Files.copy(images.resolve("disc/0000.png"), set.resolve("a.png"));
        Files.copy(images.resolve("disc/0001.png"), set.resolve("c.png"));
        Files.writeString(set.resolve("b.png"), "no image");
        for (String command : List.of("duplicates", "outliers", "neighbours", "select")) {
            Run run = explore(command, set, command.equals("select") ? new Object[] {"--count", 2} : new Object[0]);
            assertEquals(0, run.code(), run.err());
            assertTrue(run.err().contains("warning: skipped " + set.resolve("b.png")), run.err());
            assertEquals(
                    1,
                    json(dir.resolve(command + ".json"))
                            .getAsJsonArray("skipped")
                            .size());
            assertTrue(rows(command).stream().noneMatch(r -> r.contains("b.png")));
        }
        Run query = explore("neighbours", set, "--query", set.resolve("b.png"));
        assertEquals(1, query.code());
        assertTrue(query.err().contains("b.png") && query.err().contains("No readable image"), query.err());
        Files.delete(set.resolve("a.png"));
        Files.delete(set.resolve("c.png"));
        assertTrue(explore("outliers", set).err().contains("No readable image in " + set));
    }

    private static void fails(int code, String expected, Run run) {
        assertEquals(code, run.code(), run.err());
        assertTrue(run.err().contains(expected), run.err());
        assertFalse(run.err().contains("\tat "), run.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"neighbours", "duplicates", "outliers", "mislabelled"})
    void anEmptySetIsRefusedInAWord(String command) {
        Run run = explore(command, empty);
        fails(1, empty.toString(), run);
        assertEquals(1, run.err().strip().lines().count(), run.err());
    }

    @Test
    void oneImageIsEnoughOnlyWhereNothingIsCompared() throws IOException {
        fails(1, "1 readable image: expected at least 2", explore("outliers", one));
        fails(1, "1 readable image: expected at least 2", explore("neighbours", one));
        fails(1, "has a class: expected at least two classes", explore("mislabelled", one));
        assertEquals(List.of("group,path,similarity"), table("duplicates", one));
        assertEquals(2, table("select", one, "--count", 1).size());
        assertEquals(
                2,
                table("neighbours", one, "--query", images.resolve("disc/0000.png"))
                        .size());
        Path single = Files.createDirectories(dir.resolve("single/only"));
        Files.copy(images.resolve("disc/0000.png"), single.resolve("0.png"));
        Run run = explore("mislabelled", single.getParent());
        assertEquals(1, run.code());
        assertTrue(run.err().contains("expected at least two classes"), run.err());
    }

    @Test
    void optionsOutOfTheirRangeAreRefused() {
        fails(2, "--count must be at least 1", explore("select", images, "--count", 0));
        fails(
                2,
                "--count must be at most the number of readable images, " + size,
                explore("select", images, "--count", size + 1));
        fails(2, "--count", explore("select", images));
        fails(2, "--top must be at least 1", explore("neighbours", images, "--top", 0));
        fails(1, "gone.png: no such file", explore("neighbours", images, "--query", dir.resolve("gone.png")));
        fails(
                2,
                "--out must end in .csv",
                run("outliers", "--encoder", encoder, "--images", images, "--out", dir.resolve("x.txt")));
        fails(2, "--report must end in .html", explore("outliers", images, "--report", dir.resolve("x.csv")));
    }

    @Test
    void anInterruptedCommandSaysSoAndWritesNothing() throws IOException {
        for (String command : List.of("duplicates", "outliers")) {
            Path out = dir.resolve("interrupted.csv");
            Thread.currentThread().interrupt();
            Run run = run(command, "--encoder", encoder, "--images", images, "--out", out, "--device", "cpu");
            Thread.interrupted();
            assertEquals(130, run.code(), run.err());
            assertTrue(run.err().contains("interrupted: " + out + " was not written"), run.err());
            assertFalse(Files.exists(out));
        }
    }

    @Test
    void aFullDiskIsSaidWithTheFile() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full));
        Path link = Files.createSymbolicLink(dir.resolve("full.csv"), full);
        Run run = run("outliers", "--encoder", encoder, "--images", images, "--out", link, "--device", "cpu");
        assertEquals(1, run.code());
        assertTrue(run.err().contains("full.csv") && run.err().contains("No space left on device"), run.err());
    }

    @Test
    void theReportHoldsAllThatItShowsAndEscapesNames() throws IOException {
        assumeTrue(dir.getFileSystem().getSeparator().equals("/"));
        Path set = Files.createDirectories(dir.resolve("odd"));
        String name = "<img src=x onerror='alert(1)'> & \"q\", 1.png";
        Files.copy(images.resolve("disc/0000.png"), set.resolve(name));
        Files.copy(images.resolve("checks/0001.png"), set.resolve("plain.png"));
        Path report = dir.resolve("odd.html");
        List<String> rows = table("outliers", set, "--report", report);
        String html = Files.readString(report);
        assertFalse(html.contains("<img src=x"), "escaped");
        assertTrue(html.contains("&lt;img src=x onerror=&#39;alert(1)&#39;&gt; &amp; &quot;q&quot;, 1.png"), html);
        assertTrue(
                rows.stream().anyMatch(r -> r.contains("\"" + (set + "/" + name).replace("\"", "\"\"") + "\"")),
                rows.toString());
        assertEquals(2, html.split("<input type=\"checkbox\"", -1).length - 1);
        assertEquals(2, html.split("src=\"data:image/jpeg;base64,", -1).length - 1);
        assertEquals(html.split(" src=\"", -1).length, html.split(" src=\"data:", -1).length);
        assertFalse(html.matches("(?s).*(https?:|//[a-z]|@import|url\\().*"), "nothing is loaded");
        assertTrue(html.contains("default-src 'none'") && html.contains("prefers-color-scheme: dark"));
        assertTrue(
                html.contains("data-header=\"rank,path,score\"") && html.contains("data-file=\"outliers-ticked.csv\""));
        assertEquals(
                report.toString(),
                json(dir.resolve("outliers.json")).get("report").getAsString());
    }

    @Test
    void aReportThatCantBeWrittenLeavesTheTableBeforeInItsPlace() throws IOException {
        Path device = Path.of("/dev/full");
        assumeTrue(Files.exists(device) && !Files.isRegularFile(device), "skipped: this system has no /dev/full");
        Path full = Files.createSymbolicLink(dir.resolve("full.html"), device);
        Path table = Files.writeString(dir.resolve("duplicates.csv"), "before\n");
        Run run = explore("duplicates", images, "--report", full);
        assertEquals(1, run.code());
        assertTrue(run.err().contains("Can't write " + full) && run.err().contains("free some space"), run.err());
        assertEquals("before\n", Files.readString(table));
        Files.delete(table);
    }
}
