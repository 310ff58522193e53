// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.images.source;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.source.Archives.Link;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Links in a tar are read as what they lead to, as if the archive was unpacked. */
class TarLinksTest {
    @TempDir
    Path dir;

    private static void is(int image, ImageSource source, String name) throws IOException {
        for (int i = 0; i < source.size(); i++) {
            if (source.name(i).endsWith("!" + name)) {
                assertArrayEquals(Samples.expected(image, 8, 8), source.read(i).rgb(), name);
                return;
            }
        }
        throw new AssertionError("no " + name);
    }

    private List<Path> both(byte[] tar) throws IOException {
        return List.of(
                Samples.write(dir.resolve("a.tar"), tar), Samples.write(dir.resolve("a.tgz"), Samples.gzip(tar)));
    }

    @Test
    void theSampleHasSevenImages() throws IOException {
        byte[] tar = Files.readAllBytes(Path.of("src/test/resources/images/links.tar"));
        for (Path file : both(tar)) {
            try (ImageSource source = ImageSource.open(file)) {
                assertEquals(
                        List.of(
                                "c/0.png",
                                "c/1.png",
                                "c/2.png",
                                "c/hard0.png",
                                "c/hard1.png",
                                "c/sym0.png",
                                "c/sym1.png"),
                        Archives.names(source, file + "!"));
                assertArrayEquals(source.read(0).rgb(), source.read(3).rgb());
                assertArrayEquals(source.read(1).rgb(), source.read(6).rgb());
                assertEquals(LeftOut.NONE, source.leftOut());
            }
        }
    }

    @Test
    void linksLeadToWhatIsInTheArchive() throws IOException {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("a/late.png", new Link("../b/1.png", true));
        m.put("a/hard.png", new Link("./b/1.png", false));
        m.put("a/chain1.png", new Link("chain2.png", true));
        m.put("a/chain2.png", new Link("late.png", true));
        m.put("b/1.png", Samples.png(1, 8, 8));
        m.put("store/k7", Samples.png(2, 8, 8));
        m.put("a/annex.png", new Link("../store/k7", true));
        m.put("c", new Link("b", true));
        m.put("a/through.png", new Link("../c/1.png", true));
        m.put("b/self.png", new Link("b/self.png", false));
        m.put("./d/2.png", Samples.png(3, 8, 8));
        m.put("d/3.png", new Link("d/2.png", false));
        for (Path file : both(Archives.tar(m))) {
            try (ImageSource source = ImageSource.open(file)) {
                assertEquals(
                        List.of(
                                "./d/2.png",
                                "a/annex.png",
                                "a/chain1.png",
                                "a/chain2.png",
                                "a/hard.png",
                                "a/late.png",
                                "a/through.png",
                                "b/1.png",
                                "c/1.png",
                                "d/3.png"),
                        Archives.names(source, file + "!"));
                for (String one : List.of("a/late.png", "a/hard.png", "a/chain1.png", "a/through.png", "c/1.png")) {
                    is(1, source, one);
                }
                is(2, source, "a/annex.png");
                is(3, source, "d/3.png");
                // The file in the store has no ending, and is an image.
                assertEquals(Map.of(LeftOut.NO_ENDING, 1), source.leftOut().kinds());
                assertEquals("b", Archives.classes(source).get(7));
            }
        }
    }

    @Test
    void whatLeadsNowhereIsLeftOutByName() throws IOException {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("a/1.png", Samples.png(1, 8, 8));
        m.put("a/absolute.png", new Link("/etc/passwd.png", true));
        m.put("a/above.png", new Link("../../1.png", true));
        m.put("a/missing.png", new Link("2.png", true));
        m.put("a/round1.png", new Link("round2.png", true));
        m.put("a/round2.png", new Link("round1.png", true));
        m.put("a/README.md", new Link("../README.md", true));
        m.put("a/a", new Link("../a", true));
        m.put("hard.png", new Link("gone.png", false));
        for (Path file : both(Archives.tar(m))) {
            Archives.Warnings warnings = new Archives.Warnings();
            try (ImageSource source = ImageSource.open(file, warnings)) {
                assertEquals(List.of("a/1.png"), Archives.names(source, file + "!"));
                assertEquals(Map.of(LeftOut.LINK, 7), source.leftOut().kinds());
                assertEquals(
                        List.of(
                                        "a/a",
                                        "a/above.png",
                                        "a/absolute.png",
                                        "a/missing.png",
                                        "a/round1.png",
                                        "a/round2.png",
                                        "hard.png")
                                .stream()
                                .sorted()
                                .toList(),
                        source.leftOut().links());
                assertEquals(1, warnings.all.size());
                assertTrue(
                        warnings.all.get(0).contains("7 link without a target (a/a, a/above.png, "),
                        warnings.all.get(0));
            }
        }
    }

    @Test
    void ofSeveralMembersOfOneNameTheLastCounts() throws IOException {
        Map<String, Object> linkLast = new LinkedHashMap<>();
        linkLast.put("1.png", Samples.png(1, 8, 8));
        linkLast.put("./2.png", Samples.png(2, 8, 8));
        linkLast.put("2.png", new Link("1.png", true));
        try (ImageSource source = ImageSource.open(Samples.write(dir.resolve("l.tar"), Archives.tar(linkLast)))) {
            is(1, source, "2.png");
        }
    }
}
