// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The code on these pages of docs/ is that of the examples, which other tests run. */
class JavaPageTest {
    private static final Path EXAMPLES = Path.of("").toAbsolutePath();

    @ParameterizedTest
    @CsvSource({"java.md, 5", "extending.md, 5", "serving.md, 3"})
    void everyFenceIsAPieceOfAnExample(String page, int least) throws IOException {
        List<String> sources = new ArrayList<>(List.of(bare(Files.readString(EXAMPLES.resolve("pom.xml")))));
        try (Stream<Path> files = Files.walk(EXAMPLES.resolve("src/main"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sources.add(bare(Files.readString(file)));
            }
        }
        Matcher fence = Pattern.compile("(?ms)^```(?:java|xml|text)\\R(.*?)^```$")
                .matcher(Files.readString(EXAMPLES.resolveSibling("docs").resolve(page)));
        List<String> strange = new ArrayList<>();
        int found = 0;
        while (fence.find()) {
            found++;
            String text = bare(fence.group(1));
            if (text.startsWith("<dependency>")) { // DocsTest checks them
                continue;
            }
            if (sources.stream().noneMatch(s -> s.contains(text))) {
                strange.add(fence.group(1));
            }
        }
        assertEquals(List.of(), strange);
        assertTrue(found >= least, "only " + found + " fences found");
    }

    /** Line breaks and indentation apart: a page is narrower than the sources, whose lines a formatter breaks. */
    private static String bare(String text) {
        return text.replaceAll("\\s|//", "");
    }
}
