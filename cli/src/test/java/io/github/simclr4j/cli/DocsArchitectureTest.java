// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The diagram and the table of docs/architecture.md against the modules' pom.xml files and the sources. */
class DocsArchitectureTest {
    private static final Path PAGE = DocsPages.ROOT.resolve("docs/architecture.md");
    private static final String PACKAGE = "io.github.simclr4j.";

    /** Adds to the modules that each uses those that these use. */
    private static Map<String, Set<String>> closure(Map<String, Set<String>> direct) {
        Map<String, Set<String>> all = new TreeMap<>();
        direct.keySet().forEach(m -> all.put(m, reach(m, direct, new TreeSet<>())));
        return all;
    }

    private static Set<String> reach(String module, Map<String, Set<String>> direct, Set<String> found) {
        for (String next : direct.getOrDefault(module, Set.of())) {
            if (found.add(next)) {
                reach(next, direct, found);
            }
        }
        return found;
    }

    @Test
    void theDiagramHasTheModulesAndTheirDependencies() throws IOException {
        Map<String, String> artifacts = new TreeMap<>();
        for (String module : DocsPages.MODULES) {
            Matcher m = Pattern.compile("</parent>\\s*<artifactId>([^<]+)<")
                    .matcher(Files.readString(DocsPages.ROOT.resolve(module).resolve("pom.xml")));
            assertTrue(m.find(), module);
            artifacts.put(m.group(1), module);
        }
        Map<String, Set<String>> built = new TreeMap<>();
        for (String module : DocsPages.MODULES) {
            built.put(module, new TreeSet<>());
            Matcher m = Pattern.compile("(?s)<dependency>(.*?)</dependency>")
                    .matcher(Files.readString(DocsPages.ROOT.resolve(module).resolve("pom.xml")));
            while (m.find()) {
                Matcher artifact =
                        Pattern.compile("<artifactId>(simclr4j-[^<]+)<").matcher(m.group(1));
                if (artifact.find() && !m.group(1).contains("<scope>test<")) {
                    built.get(module).add(artifacts.get(artifact.group(1)));
                }
            }
        }
        Map<String, Set<String>> drawn = new TreeMap<>();
        DocsPages.MODULES.forEach(m -> drawn.put(m, new TreeSet<>()));
        String diagram = DocsPages.fences(Files.readString(PAGE)).stream()
                .filter(f -> f.language().equals("mermaid"))
                .findFirst()
                .orElseThrow()
                .text();
        Matcher arrow = Pattern.compile("(?m)^\\s*(\\w+) --> (\\w+)$").matcher(diagram);
        while (arrow.find()) {
            assertTrue(drawn.containsKey(arrow.group(1)), arrow.group());
            drawn.get(arrow.group(1)).add(arrow.group(2));
        }
        assertEquals(closure(built), closure(drawn));
    }

    /** Packages of the table by module, in its order. */
    private static Map<String, List<String>> listed() throws IOException {
        Map<String, List<String>> packages = new LinkedHashMap<>();
        String module = null;
        for (String line : Files.readString(PAGE)
                .replaceAll("(?s).*## Packages(.*?)\\n## .*", "$1")
                .split("\\R")) {
            String[] cells = line.split("\\|");
            if (cells.length < 4 || !cells[2].contains("`")) {
                continue;
            }
            Matcher m = Pattern.compile("`([\\w-]+)/`").matcher(cells[1]);
            module = m.find() ? m.group(1) : module;
            Matcher name = Pattern.compile("`([\\w.]+)`").matcher(cells[2]);
            while (name.find()) {
                packages.computeIfAbsent(module, k -> new ArrayList<>()).add(PACKAGE + name.group(1));
            }
        }
        return packages;
    }

    /** Packages of a module with the sources in each. */
    private static Map<String, List<String>> packages(String module) throws IOException {
        Map<String, List<String>> packages = new TreeMap<>();
        Path main = DocsPages.mainSources(module);
        try (Stream<Path> files = Files.walk(main)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java") && !f.endsWith("package-info.java"))
                    .toList()) {
                packages.computeIfAbsent(
                                main.relativize(file.getParent()).toString().replaceAll("[/\\\\]", "."),
                                k -> new ArrayList<>())
                        .add(Files.readString(file));
            }
        }
        return packages;
    }

    /** Whether a class is named outside of imports and comments, which may link to classes of other packages. */
    private static boolean isUsed(String name, String source) {
        String code = source.replaceAll("(?s)/\\*.*?\\*/", "").replaceAll("(?m)^import .*$", "");
        return Pattern.compile("\\b" + name + "\\b").matcher(code).find();
    }

    @Test
    void theTableHasEveryPackageAndNoneUsesOneBelowIt() throws IOException {
        Map<String, List<String>> listed = listed();
        assertEquals(new TreeSet<>(DocsPages.MODULES), new TreeSet<>(listed.keySet()));
        List<String> wrong = new ArrayList<>();
        for (String module : listed.keySet()) {
            Map<String, List<String>> packages = packages(module);
            List<String> order = listed.get(module);
            assertEquals(packages.keySet(), new TreeSet<>(order), module);
            for (String name : order) {
                List<String> below = order.subList(order.indexOf(name) + 1, order.size());
                for (String source : packages.get(name)) {
                    // Old names of trainers are kept in a package for the configuration files that have them.
                    Matcher m = Pattern.compile("(?m)^import (?:static )?([a-z0-9.]+)\\.([A-Z]\\w*).*;$")
                            .matcher(source);
                    while (!source.contains("@Deprecated\npublic") && m.find()) {
                        if (below.contains(m.group(1)) && isUsed(m.group(2), source)) {
                            wrong.add(name + " uses " + m.group(1) + "." + m.group(2));
                        }
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
    }
}
