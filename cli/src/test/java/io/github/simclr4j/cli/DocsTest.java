package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The pages of docs/ and those beside the README against the command line and the code. */
class DocsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static List<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs")); Stream<Path> front = Files.list(ROOT)) {
            return Stream.concat(docs, front).filter(p -> p.toString().endsWith(".md")).sorted().toList();
        }
    }

    @Test
    void everyCommandIsUnderstood() throws IOException {
        int commands = 0;
        for (Path page : pages()) {
            String text = Files.readString(page).replaceAll("\\\\\\R\\s*", " ");
            // A line of an example, with or without a prompt, a comment behind it or a variable before it.
            Matcher m = Pattern.compile("(?m)^(?: {4}|\\$ |)(?:\\$ |RUN |\\w+=\\S+ )*\\./simclr +([^#\\n`|>]+)").matcher(text);
            while (m.find()) {
                String[] args = m.group(1).strip().split("\\s+");
                try {
                    assertTrue(Main.commands().parseArgs(args).hasSubcommand());
                } catch (CommandLine.ParameterException e) {
                    throw new AssertionError(page.getFileName() + ": ./simclr " + m.group(1) + ": " + e.getMessage(), e);
                }
                commands++;
            }
        }
        assertTrue(commands > 20, "only " + commands + " commands found");
    }

    @Test
    void everyOptionExists() throws IOException {
        Set<String> known = new HashSet<>(Main.commands().getCommandSpec().optionsMap().keySet());
        Main.commands().getSubcommands().values().forEach(c -> known.addAll(c.getCommandSpec().optionsMap().keySet()));
        List<String> unknown = new ArrayList<>();
        for (Path page : pages()) {
            Matcher m = Pattern.compile("`(--[a-z][a-z0-9-]*)").matcher(Files.readString(page));
            while (m.find()) {
                if (!known.contains(m.group(1))) {
                    unknown.add(page.getFileName() + ": " + m.group(1));
                }
            }
        }
        assertEquals(List.of(), unknown);
    }

    /** The sources of all modules, tests too, by the full name of their class. */
    private static Map<String, String> sources() throws IOException {
        Map<String, String> sources = new HashMap<>();
        for (String module : List.of("images", "onnx", "plugin", "src", "spark", "cli", "examples")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(module))) {
                for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                    String[] path = file.toString().replace(File.separatorChar, '/').split("/java/");
                    sources.put(path[path.length - 1].replace(".java", "").replace('/', '.'), Files.readString(file));
                }
            }
        }
        return sources;
    }

    @Test
    void everyClassIsWhereItIsSaidToBe() throws IOException {
        Map<String, String> sources = sources();
        List<String> wrong = new ArrayList<>();
        for (Path page : pages()) {
            Matcher m = Pattern.compile("io\\.github\\.simclr4j(?:\\.[a-z0-9]+)*\\.[A-Z]\\w*").matcher(Files.readString(page));
            while (m.find()) {
                // An old name, under which configuration files find a class that has moved, is none to learn.
                if (!sources.containsKey(m.group()) || sources.get(m.group()).contains("@Deprecated\npublic")) {
                    wrong.add(page.getFileName() + ": " + m.group());
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    /** Whoever imports the BOM gets the version of every module that is published. */
    @Test
    void theBomHasEveryPublishedModule() throws IOException {
        String bom = Files.readString(ROOT.resolve("bom/pom.xml"));
        String parent = Files.readString(ROOT.resolve("pom.xml"));
        Pattern artifact = Pattern.compile("</parent>\\s*<artifactId>([^<]+)</artifactId>");
        List<String> missing = new ArrayList<>();
        Matcher module = Pattern.compile("<module>([^<]+)</module>").matcher(parent);
        while (module.find()) {
            String pom = Files.readString(ROOT.resolve(module.group(1)).resolve("pom.xml"));
            Matcher m = artifact.matcher(pom);
            if (m.find() && !pom.contains("<maven.deploy.skip>true") && !bom.contains(">" + m.group(1) + "<")) {
                missing.add(m.group(1));
            }
        }
        assertEquals(List.of(), missing);
        Pattern version = Pattern.compile("(?s)<artifactId>simclr4j-\\w+</artifactId>\\s*<version>([^<$]+)</version>");
        Matcher ours = version.matcher(parent);
        Matcher theirs = version.matcher(bom);
        assertTrue(ours.find() && theirs.find());
        assertEquals(ours.group(1), theirs.group(1));
    }

    @Test
    void everyClassThatContributorsAreShownExists() throws IOException {
        Set<String> names = new HashSet<>();
        sources().keySet().forEach(n -> names.add(n.substring(n.lastIndexOf('.') + 1)));
        Matcher m = Pattern.compile("`([A-Z]\\w*[a-z]\\w*)`").matcher(Files.readString(ROOT.resolve("CONTRIBUTING.md")));
        List<String> missing = new ArrayList<>();
        while (m.find()) {
            if (!names.contains(m.group(1)) && !m.group(1).equals("AutoCloseable")) {
                missing.add(m.group(1));
            }
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void everyTestExists() throws IOException {
        Map<String, String> sources = sources();
        List<String> missing = new ArrayList<>();
        for (Path page : pages()) {
            Matcher m = Pattern.compile("`(\\w+Test)(?:\\.(\\w+))?`").matcher(Files.readString(page));
            while (m.find()) {
                List<String> tests = sources.entrySet().stream().filter(e -> e.getKey().endsWith("." + m.group(1)))
                        .map(Map.Entry::getValue).toList();
                if (tests.isEmpty() || m.group(2) != null && tests.stream().noneMatch(t -> t.contains(" " + m.group(2) + "("))) {
                    missing.add(page.getFileName() + ": " + m.group());
                }
            }
        }
        assertEquals(List.of(), missing);
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path page : pages()) {
            Matcher m = Pattern.compile("]\\(([^)\\s]+)\\)").matcher(Files.readString(page));
            while (m.find()) {
                String[] link = m.group(1).split("#", 2);
                if (link[0].matches("https?:.*")) {
                    continue;
                }
                Path target = link[0].isEmpty() ? page : page.resolveSibling(link[0]).normalize();
                boolean there = Files.exists(target) && (link.length == 1 || anchors(target).contains(link[1]));
                if (!there) {
                    broken.add(page.getFileName() + ": " + m.group(1));
                }
            }
        }
        assertEquals(List.of(), broken);
    }

    /** As GitHub makes them of headings. */
    private static Set<String> anchors(Path page) throws IOException {
        Set<String> anchors = new HashSet<>();
        Matcher m = Pattern.compile("(?m)^#+ +(.+)$").matcher(Files.readString(page));
        while (m.find()) {
            anchors.add(m.group(1).strip().toLowerCase(Locale.ROOT).replaceAll("[^\\w\\- ]", "").replace(' ', '-'));
        }
        return anchors;
    }
}
