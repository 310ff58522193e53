// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The Markdown pages of the project, taken apart: fenced code blocks, code within text, and shell commands. */
final class DocsPages {
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    /** The folders of modules that have Java sources. */
    static final List<String> MODULES = modules();
    /** The start of a fence, which may be indented in a list, its language, its lines and its end. */
    private static final Pattern FENCE = Pattern.compile("(?ms)^( *)```(\\w*)[^\\n]*\\R(.*?)^\\1```$");

    private static final Pattern SPAN = Pattern.compile("(?s)`([^`]+)`");

    /** A fenced block: its language, empty if it has none, and its lines without their indentation. */
    record Fence(String language, String text) {}

    private DocsPages() {}

    /** Returns the pages of docs/ and those beside the README. */
    static List<Path> all() throws IOException {
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
                Stream<Path> front = Files.list(ROOT)) {
            return Stream.concat(docs, front)
                    .filter(p -> p.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    /** Returns a page's path from the project's folder, as messages show it. */
    static String name(Path page) {
        return ROOT.relativize(page).toString().replace(File.separatorChar, '/');
    }

    static List<Fence> fences(String page) {
        List<Fence> fences = new ArrayList<>();
        Matcher m = FENCE.matcher(page);
        while (m.find()) {
            fences.add(new Fence(m.group(2), m.group(3).replaceAll("(?m)^" + m.group(1), "")));
        }
        return fences;
    }

    /** Returns the text of all fenced blocks of a page in a language, in their order. */
    static List<String> fences(String page, String language) {
        return fences(page).stream()
                .filter(f -> f.language().equals(language))
                .map(Fence::text)
                .toList();
    }

    /** Returns the page without its fenced blocks. */
    static String prose(String page) {
        return FENCE.matcher(page).replaceAll("");
    }

    /** Returns what stands between backticks in the text, each in one line. */
    static List<String> spans(String page) {
        List<String> spans = new ArrayList<>();
        Matcher m = SPAN.matcher(prose(page));
        while (m.find()) {
            spans.add(m.group(1).replace("\\|", "|").replaceAll("\\s+", " ").strip());
        }
        return spans;
    }

    /** Returns the words behind {@code ./simclr} of every command in the fenced blocks of a page. */
    static List<List<String>> commands(String page) {
        List<List<String>> commands = new ArrayList<>();
        for (Fence fence : fences(page)) {
            for (String line : fence.text().replaceAll("\\\\\\R\\s*", " ").split("\\R")) {
                List<String> words = words(line.replaceFirst("^(?:\\$ |RUN )", ""));
                int start = words.indexOf("./simclr");
                if (start >= 0 && words.subList(0, start).stream().allMatch(w -> w.matches("\\w+=.*"))) {
                    commands.add(words.subList(start + 1, words.size()));
                }
            }
        }
        return commands;
    }

    /** Splits a line as a shell does, up to a comment, a pipe or a redirection; of quotes only those around whole words are known. */
    static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        Matcher m = Pattern.compile("'([^']*)'|\"([^\"]*)\"|(\\S+)").matcher(line);
        while (m.find()) {
            if (m.group(3) != null && m.group(3).matches("#.*|\\||>+.*|&&")) {
                break;
            }
            words.add(m.group(1) != null ? m.group(1) : m.group(2) != null ? m.group(2) : m.group(3));
        }
        return words;
    }

    private static List<String> modules() {
        try (Stream<Path> folders = Files.list(ROOT)) {
            return folders.filter(f -> Files.exists(f.resolve("pom.xml"))
                            && (Files.isDirectory(f.resolve("src")) || Files.isDirectory(f.resolve("main"))))
                    .map(f -> f.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns where a module's main sources are. */
    static Path mainSources(String module) {
        Path folder = ROOT.resolve(module);
        return folder.resolve(Files.isDirectory(folder.resolve("src")) ? "src/main/java" : "main/java");
    }

    /** Returns the sources of all modules, tests too, by the full name of their class. */
    static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        for (String module : MODULES) {
            Path main = mainSources(module).getParent().getParent();
            try (Stream<Path> files = Files.walk(main)) {
                for (Path file :
                        files.filter(f -> f.toString().endsWith(".java")).toList()) {
                    String[] path =
                            file.toString().replace(File.separatorChar, '/').split("/java/");
                    sources.put(path[path.length - 1].replace(".java", "").replace('/', '.'), Files.readString(file));
                }
            }
        }
        return sources;
    }
}
