// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.tribuo.extraction.SimCLRFeatureExtractor;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The pages of docs/ and those beside the README against the command line, the code and the files of the project. */
class DocsTest {
    private static final Path ROOT = DocsPages.ROOT;
    /** Options of other programs that the pages show. */
    private static final Pattern OTHER_PROGRAMS =
            Pattern.compile("(?:docker|optimum-cli|tensorboard|ssh|mlflow|java|curl|python3?|\\./mvnw) .*");
    /** In backticks and written as a class: functions of C and Python, tags of TIFF, and what is not on the class path. */
    private static final Set<String> NO_CLASSES = Set.of(
            "WebPGetDecoderVersion",
            "MaxSampleValue",
            "ReproUtil",
            "Reproducibility",
            "TimmWrapperImageProcessor",
            "BERTFeatureExtractor",
            "ImageOps");

    private static final String PACKAGE = "io.github.simclr4j.";

    /** Looks at every page, and expects that nothing is wrong with any. */
    private static void check(Check check) throws IOException {
        List<String> wrong = new ArrayList<>();
        for (Path page : DocsPages.all()) {
            for (String fault : check.faults(page, Files.readString(page))) {
                wrong.add(DocsPages.name(page) + ": " + fault);
            }
        }
        assertEquals(List.of(), wrong);
    }

    private interface Check {
        List<String> faults(Path page, String text) throws IOException;
    }

    @Test
    void everyCommandIsUnderstood() throws IOException {
        int[] commands = new int[1];
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            for (List<String> command : DocsPages.commands(text)) {
                commands[0]++;
                try {
                    assertTrue(Main.commands()
                            .parseArgs(command.toArray(String[]::new))
                            .hasSubcommand());
                } catch (CommandLine.ParameterException e) {
                    wrong.add("./simclr " + String.join(" ", command) + ": " + e.getMessage());
                }
            }
            return wrong;
        });
        assertTrue(commands[0] > 60, "only " + commands[0] + " commands found");
    }

    @Test
    void everyOptionWithinTheTextExists() throws IOException {
        Map<String, CommandLine> commands = Main.commands().getSubcommands();
        Set<String> all =
                new HashSet<>(Main.commands().getCommandSpec().optionsMap().keySet());
        commands.values()
                .forEach(c -> all.addAll(c.getCommandSpec().optionsMap().keySet()));
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            for (String span : DocsPages.spans(text)) {
                String[] words = span.replaceFirst("^(?:\\w+=\\S+ )*(?:\\./simclr )?", "")
                        .split(" ");
                // Behind the name of a command only that command's options are right.
                Set<String> known = words.length > 1 && commands.containsKey(words[0])
                        ? commands.get(words[0]).getCommandSpec().optionsMap().keySet()
                        : all;
                Matcher m = Pattern.compile("(?<![\\w.-])--[a-z][a-z0-9-]*").matcher(span);
                while (!OTHER_PROGRAMS.matcher(span).matches() && m.find()) {
                    if (!known.contains(m.group())) {
                        wrong.add(m.group() + " in " + span);
                    }
                }
                if (span.startsWith("./simclr ")
                        && !commands.containsKey(words[0])
                        && !words[0].matches("[A-Z]+|help")) {
                    wrong.add(span);
                }
            }
            return wrong;
        });
    }

    @Test
    void everyClassWithItsPackageIsWhereItIsSaidToBe() throws IOException {
        Map<String, String> sources = DocsPages.sources();
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            Matcher m = Pattern.compile("io\\.github\\.simclr4j(?:\\.[a-z0-9]+)*\\.[A-Z]\\w*")
                    .matcher(text);
            while (m.find()) {
                // An old name, under which configuration files find a class that has moved, is none to learn.
                if (!sources.containsKey(m.group()) || sources.get(m.group()).contains("@Deprecated\npublic")) {
                    wrong.add(m.group());
                }
            }
            // Short for io.github.simclr4j: train.method.MethodFactory.
            for (String span : DocsPages.spans(text)) {
                if (span.matches("(?:images|onnx|tribuo|train|spark|cli|util)(?:\\.[a-z]\\w*)*\\.[A-Z]\\w*")
                        && !sources.containsKey(PACKAGE + span)) {
                    wrong.add(span);
                }
            }
            return wrong;
        });
    }

    /** The simple names of all classes on the class path and of the JDK. */
    private static Set<String> namesOfLibraries() throws IOException {
        Set<String> names = new HashSet<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (entry.endsWith(".jar") && Files.exists(Path.of(entry))) {
                try (JarFile jar = new JarFile(entry)) {
                    jar.stream().forEach(e -> addName(names, e.getName()));
                }
            }
        }
        Path jdk = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules");
        for (String module : List.of("java.base", "java.desktop", "jdk.httpserver")) {
            try (Stream<Path> files = Files.walk(jdk.resolve(module))) {
                files.forEach(f -> addName(names, f.toString()));
            }
        }
        return names;
    }

    private static void addName(Set<String> names, String file) {
        if (file.endsWith(".class")) {
            String name = file.substring(file.lastIndexOf('/') + 1, file.length() - 6);
            names.add(name.substring(name.lastIndexOf('$') + 1));
        }
    }

    /** What a source declares: the words in it, by the simple name of each of its classes, also of those inside others. */
    private static Map<String, Set<String>> wordsByClass() throws IOException {
        Map<String, Set<String>> all = new HashMap<>();
        for (String source : DocsPages.sources().values()) {
            Set<String> words = new HashSet<>();
            Matcher word = Pattern.compile("\\w+").matcher(source);
            while (word.find()) {
                words.add(word.group());
            }
            Matcher type =
                    Pattern.compile("\\b(?:class|interface|record|enum) (\\w+)").matcher(source);
            while (type.find()) {
                all.computeIfAbsent(type.group(1), k -> new HashSet<>()).addAll(words);
            }
            // Classes of optional libraries are not on this module's class path, but some module is compiled with them.
            Matcher imported = Pattern.compile("(?m)^import (?:static )?[a-z0-9.]+\\.([A-Z]\\w*)")
                    .matcher(source);
            while (imported.find()) {
                all.computeIfAbsent(imported.group(1), k -> new HashSet<>());
            }
        }
        return all;
    }

    @Test
    void everyClassAndMemberInBackticksExists() throws IOException {
        Map<String, Set<String>> own = wordsByClass();
        Set<String> libraries = namesOfLibraries();
        libraries.addAll(NO_CLASSES);
        Pattern name = Pattern.compile("@?([A-Z]\\w*[a-z]\\w*)(?:<[\\w?<>]+>)?(?:\\.(\\w+))?(?:\\(.*\\))?");
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            for (String span : DocsPages.spans(text)) {
                Matcher m = name.matcher(span);
                // A word such as `Model` with no capital inside may be an ordinary one, unless a member follows.
                if (!m.matches() || !m.group(1).matches(".*[a-z].*[A-Z].*|[A-Z]{2,}.*[a-z].*") && m.group(2) == null) {
                    continue;
                }
                Set<String> words = own.get(m.group(1));
                boolean there = words == null || words.isEmpty()
                        ? words != null || libraries.contains(m.group(1))
                        : m.group(2) == null || words.contains(m.group(2));
                if (!there) {
                    wrong.add(span);
                }
            }
            return wrong;
        });
    }

    @Test
    void everyTestExists() throws IOException {
        Map<String, String> sources = DocsPages.sources();
        check((page, text) -> {
            List<String> missing = new ArrayList<>();
            Matcher m =
                    Pattern.compile("`(\\w+(?:Test|Soak|Bench))(?:\\.(\\w+))?`").matcher(text);
            while (m.find()) {
                List<String> tests = sources.entrySet().stream()
                        .filter(e -> e.getKey().endsWith("." + m.group(1)))
                        .map(Map.Entry::getValue)
                        .toList();
                if (tests.isEmpty()
                        || m.group(2) != null && tests.stream().noneMatch(t -> t.contains(" " + m.group(2) + "("))) {
                    missing.add(m.group());
                }
            }
            return missing;
        });
    }

    @Test
    void everySettingOfAnEncoderIsThatOfTheExtractor() throws IOException {
        Set<String> fields = new HashSet<>();
        for (Field field : SimCLRFeatureExtractor.class.getDeclaredFields()) {
            fields.add(field.getName());
        }
        int rows = 0;
        for (String line : Files.readAllLines(ROOT.resolve("docs/foreign-encoders.md"))) {
            String[] cells = line.split("(?<!\\\\)\\|");
            if (cells.length > 4 && cells[1].contains("`--")) {
                Matcher m = Pattern.compile("`(\\w+)`").matcher(cells[3]);
                while (m.find()) {
                    rows++;
                    assertTrue(fields.contains(m.group(1)), m.group(1) + " is no property of the extractor");
                }
            }
        }
        assertTrue(rows > 10, "only " + rows + " properties found");
    }

    /** Fields are put into results by their names, except for settings, which are options. */
    @Test
    void everyFieldOfTheJsonIsExplained() throws IOException {
        Set<String> explained = new HashSet<>();
        for (String span : DocsPages.spans(Files.readString(ROOT.resolve("docs/json.md")))) {
            explained.add(span);
        }
        Set<String> settings = Set.of("provider", "winograd");
        Set<String> missing = new TreeSet<>();
        try (Stream<Path> files = Files.list(DocsPages.mainSources("cli").resolve("io/github/simclr4j/cli"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java") && !f.endsWith("RunRecord.java"))
                    .toList()) {
                Matcher m = Pattern.compile("(?:put|addProperty|add)\\(\"([a-z]\\w*)\",")
                        .matcher(Files.readString(file));
                while (m.find()) {
                    if (!explained.contains(m.group(1)) && !settings.contains(m.group(1))) {
                        missing.add(file.getFileName() + ": " + m.group(1));
                    }
                }
            }
        }
        assertEquals(Set.of(), missing);
    }

    /** Entries are put into the metadata by constants of one class, and by their names. */
    @Test
    void everyEntryOfTheMetadataIsExplained() throws IOException {
        Set<String> explained = new HashSet<>(DocsPages.spans(Files.readString(ROOT.resolve("docs/metadata.md"))));
        Set<String> missing = new TreeSet<>();
        Map<String, String> sources = DocsPages.sources();
        Matcher constant = Pattern.compile("String \\w+ = \"([\\w.]+)\";")
                .matcher(sources.get(PACKAGE + "onnx.file.EncoderMetadata"));
        while (constant.find()) {
            missing.add(constant.group(1));
        }
        assertTrue(missing.size() > 8, missing.toString());
        sources.forEach((name, source) -> {
            Matcher m = Pattern.compile("put\\(\"((?:training|data)\\.\\w+)\",").matcher(source);
            while (!name.endsWith("Test") && !name.endsWith(".Checkpoint") && m.find()) {
                missing.add(m.group(1));
            }
        });
        missing.removeAll(explained);
        assertEquals(Set.of(), missing);
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        check((page, text) -> {
            List<String> broken = new ArrayList<>();
            Matcher m = Pattern.compile("]\\(([^)\\s]+)\\)|(?:src|srcset)=\"([^\"]+)\"")
                    .matcher(DocsPages.prose(text));
            while (m.find()) {
                String[] link = (m.group(1) != null ? m.group(1) : m.group(2)).split("#", 2);
                if (link[0].matches("https?:.*")) {
                    continue;
                }
                Path target =
                        link[0].isEmpty() ? page : page.resolveSibling(link[0]).normalize();
                boolean there = Files.exists(target)
                        && (link.length == 1 || anchors(target).contains(link[1]));
                if (!there) {
                    broken.add(m.group());
                }
            }
            return broken;
        });
    }

    /** As GitHub makes them of headings. */
    private static Set<String> anchors(Path page) throws IOException {
        Set<String> anchors = new HashSet<>();
        Matcher m = Pattern.compile("(?m)^#+ +(.+)$").matcher(DocsPages.prose(Files.readString(page)));
        while (m.find()) {
            String anchor = m.group(1)
                    .strip()
                    .toLowerCase(Locale.ROOT)
                    .replaceAll("[^\\w\\- ]", "")
                    .replace(' ', '-');
            String numbered = anchor;
            for (int i = 1; !anchors.add(numbered); i++) {
                numbered = anchor + "-" + i;
            }
        }
        return anchors;
    }

    @Test
    void everyFileThatIsNamedExists() throws IOException {
        String folders = String.join("|", DocsPages.MODULES) + "|docs|\\.ci|\\.mvn|bom";
        Pattern file = Pattern.compile("(?:" + folders + ")/[\\w./-]+");
        check((page, text) -> {
            List<String> missing = new ArrayList<>();
            List<String> words = new ArrayList<>();
            DocsPages.spans(text).forEach(s -> words.addAll(List.of(s.split(" "))));
            DocsPages.fences(text).stream()
                    .filter(f -> f.language().equals("sh"))
                    .forEach(f -> words.addAll(List.of(f.text().split("[\\s\"':]+"))));
            for (String word : words) {
                // Files that a build makes, and those of other projects, are not there.
                if (file.matcher(word).matches()
                        && !word.contains("/target/")
                        && !word.startsWith("src/transformers")
                        && !word.startsWith("images/format")
                        && !Files.exists(ROOT.resolve(word))) {
                    missing.add(word);
                }
            }
            return missing;
        });
    }

    @Test
    void everyBlockOfCodeIsFencedAndSaysItsLanguage() throws IOException {
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            DocsPages.fences(text).stream()
                    .filter(f -> f.language().isEmpty())
                    .forEach(f -> wrong.add("no language: " + f.text()));
            Matcher m = Pattern.compile("(?m)^\\R {4,}(?![-*] |\\d+\\. ).*$").matcher(DocsPages.prose(text));
            while (m.find()) {
                wrong.add("indented: " + m.group().strip());
            }
            return wrong;
        });
    }

    @Test
    void everyPageIsInTheIndexAndShortEnough() throws IOException {
        Path index = ROOT.resolve("docs/README.md");
        String links = Files.readString(index);
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            String link = index.getParent().relativize(page).toString().replace(File.separatorChar, '/');
            if (link.matches("[\\w-]+\\.md") && !page.equals(index) && !links.contains("](" + link + ")")) {
                wrong.add("not in docs/README.md");
            }
            long lines = text.lines().count();
            if (lines > 210) {
                wrong.add(lines + " lines");
            }
            return wrong;
        });
    }

    /** A dependency on a page can be copied as it is into a project that has nothing to do with this one's poms. */
    @Test
    void everyDependencyIsCompleteAndHasTheVersionOfThisProject() throws IOException {
        String parent = Files.readString(ROOT.resolve("pom.xml"));
        String bom = Files.readString(ROOT.resolve("bom/pom.xml"));
        String ours = element("version", bom.substring(bom.indexOf("<artifactId>simclr4j-bom")));
        AtomicInteger found = new AtomicInteger();
        check((page, text) -> {
            List<String> wrong = new ArrayList<>();
            for (String fence : DocsPages.fences(text, "xml")) {
                Matcher m = Pattern.compile("(?s)<dependency>.*?</dependency>").matcher(fence);
                while (m.find()) {
                    found.incrementAndGet();
                    String artifact = element("artifactId", m.group());
                    boolean known = element("groupId", m.group()).equals("io.github.simclr4j")
                            ? bom.contains("<artifactId>" + artifact + "</artifactId>")
                                    && ours.equals(element("version", m.group()))
                            : artifact.equals("pytorch-native-cpu")
                                    && element("libtorch.version", parent).equals(element("version", m.group()));
                    if (!known) {
                        wrong.add(m.group());
                    }
                }
            }
            return wrong;
        });
        assertTrue(found.get() >= 4, "only " + found + " found");
    }

    private static String element(String name, String xml) {
        Matcher m = Pattern.compile("<" + Pattern.quote(name) + ">([^<]*)<").matcher(xml);
        return m.find() ? m.group(1) : "";
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
}
