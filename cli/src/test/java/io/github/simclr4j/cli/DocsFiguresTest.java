// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Figures that stand on several pages are the same on all of them. */
class DocsFiguresTest {
    /** A page and a pattern of the figure there, then another page and pattern; the groups must be equal. */
    private static final List<List<String>> QUOTES = List.of(
            List.of(
                    "docs/estimates.md",
                    "(\\d+) views of 32x32 a second",
                    "docs/performance.md",
                    "\\| width 1, 64 views, float32 \\| (\\d+)"),
            List.of(
                    "docs/estimates.md",
                    "full width in float32, (\\d+) in bfloat16",
                    "docs/performance.md",
                    "\\| width 1, 64 views, bfloat16 \\| (\\d+)"),
            List.of(
                    "docs/estimates.md",
                    "at ([\\d,]+) of 224x224 a second on each core",
                    "docs/performance.md",
                    "\\| 256x256 -> 224x224, with blur \\| ([\\d,]+)"),
            List.of(
                    "docs/estimates.md",
                    "encodes (\\d+) images of 224x224",
                    "docs/onnx.md",
                    "\\| ResNet-50 \\| 224x224 \\| (\\d+)"),
            List.of(
                    "docs/estimates.md",
                    "in float32, (\\d+) in 8-bit integers",
                    "docs/onnx.md",
                    "\\| ResNet-50 \\| 224x224 \\| \\d+ \\| \\d+ \\| (\\d+)"),
            List.of(
                    "docs/estimates.md",
                    "(\\d+) with a ResNet-18",
                    "docs/onnx.md",
                    "\\| ResNet-18 \\| 224x224 \\| (\\d+)"),
            List.of(
                    "docs/estimates.md",
                    "float32 encodes (\\d+) images a second",
                    "docs/onnx.md",
                    "\\| ResNet-50 \\| 224x224 \\| (\\d+)"),
            List.of(
                    "README.md",
                    "all tests \\(about (\\w+) minutes on two cores\\)",
                    "CONTRIBUTING.md",
                    "all tests, in about (\\w+) minutes on two cores"));

    private static String text(String page) throws IOException {
        return Files.readString(DocsPages.ROOT.resolve(page)).replaceAll("\\s+", " ");
    }

    @Test
    void quotedFiguresAreThoseOfTheirSource() throws IOException {
        for (List<String> quote : QUOTES) {
            Matcher here = Pattern.compile(quote.get(1)).matcher(text(quote.get(0)));
            Matcher there = Pattern.compile(quote.get(3)).matcher(text(quote.get(2)));
            // The README is rewritten now and then, and need not have each figure.
            if (!here.find() && quote.get(0).equals("README.md")) {
                continue;
            }
            assertTrue(there.find(), quote.toString());
            assertEquals(there.group(1), here.group(1), quote.toString());
        }
    }

    @Test
    void everyPercentageAndRateOfTheReadmeIsExplainedOnAPage() throws IOException {
        StringBuilder pages = new StringBuilder();
        for (Path page : DocsPages.all()) {
            if (!DocsPages.name(page).equals("README.md")) {
                pages.append(Files.readString(page));
            }
        }
        List<String> unknown = new ArrayList<>();
        Matcher m = Pattern.compile(
                        "(?<![\\w.])(\\d+\\.\\d+)(?: ?%| points)|(?<![\\w.])(\\d[\\d,]*) (?:views|images) a second")
                .matcher(DocsPages.prose(Files.readString(DocsPages.ROOT.resolve("README.md"))));
        while (m.find()) {
            String figure = m.group(1) != null ? m.group(1) : m.group(2);
            if (!Pattern.compile("(?<![\\w.,])" + Pattern.quote(figure) + "(?![\\d,.]\\d)")
                    .matcher(pages)
                    .find()) {
                unknown.add(m.group());
            }
        }
        assertEquals(List.of(), unknown);
    }
}
