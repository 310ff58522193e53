// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every block of Java on the pages compiles, given the variables that its page takes for granted. */
class DocsJavaTest {
    /** Their blocks are pieces of programs, which tests of the modules compare: examples/ and spark/. */
    private static final Set<String> PIECES =
            Set.of("docs/java.md", "docs/extending.md", "docs/serving.md", "docs/spark.md", "docs/hand-over.md");
    /** What the blocks of all pages take for granted. */
    private static final String VARIABLES = """
            Path encoder, folder, path, table, image, trainPath, testPath;
            List<Path> files;
            List<RgbImage> images;
            Dataset<Label> dataset, features, pixels, test;
            ConfigurableDataSource<Label> unlabelled, photos;
            SimCLRFeatureExtractor<Label> extractor;
            LabelFactory labels;
            FineTuneTrainer trainer;
            EncodedModel<Label> model;
            java.util.logging.Logger log;
            """;
    /** Variables of single pages that have another type there. */
    private static final Map<String, String> OTHERS = Map.of(
            "docs/explore.md", "List<String> labels;\nPath photos;",
            "docs/studies.md", "ImageSource images, train, test;");
    /** Packages of the libraries that the blocks use. */
    private static final String IMPORTS = """
            import ai.onnxruntime.*;
            import java.io.*;
            import java.nio.file.*;
            import java.util.*;
            import org.tribuo.*;
            import org.tribuo.classification.*;
            import org.tribuo.classification.evaluation.*;
            import org.tribuo.classification.sgd.linear.*;
            import org.tribuo.data.columnar.*;
            import org.tribuo.data.columnar.processors.field.*;
            import org.tribuo.data.columnar.processors.response.*;
            import org.tribuo.data.csv.*;
            """;

    /** The full names of the public classes of this project by their simple names, without old names. */
    private static Map<String, String> publicClasses() throws IOException {
        Map<String, String> names = new HashMap<>();
        DocsPages.sources().forEach((name, source) -> {
            String simple = name.substring(name.lastIndexOf('.') + 1);
            if (!source.contains("@Deprecated\npublic")
                    && !name.startsWith("io.github.simclr4j.spark")
                    && Pattern.compile("(?m)^public .*\\b(?:class|interface|record|enum) " + simple + "\\b")
                            .matcher(source)
                            .find()) {
                names.put(simple, name);
            }
        });
        return names;
    }

    /** Imports of this project's classes that a text names. */
    private static String imports(String text, Map<String, String> classes) {
        Set<String> used = new TreeSet<>();
        Matcher m = Pattern.compile("(?<![\\w.])[A-Z]\\w+").matcher(text);
        while (m.find()) {
            if (classes.containsKey(m.group())) {
                used.add("import " + classes.get(m.group()) + ";\n");
            }
        }
        return String.join("", used);
    }

    @Test
    void everyBlockCompiles(@TempDir Path out) throws IOException {
        Map<String, String> classes = publicClasses();
        List<JavaFileObject> units = new ArrayList<>();
        Map<String, String> origin = new HashMap<>();
        for (Path page : DocsPages.all()) {
            String name = DocsPages.name(page);
            if (PIECES.contains(name)) {
                continue;
            }
            for (DocsPages.Fence fence : DocsPages.fences(Files.readString(page))) {
                // A module's declaration needs a module path: ExperimentTest has it.
                if (fence.language().equals("java") && !fence.text().startsWith("module ")) {
                    String unit = "Block" + units.size();
                    origin.put(unit, name + ":\n" + fence.text());
                    units.add(unit(unit, OTHERS.getOrDefault(name, ""), fence.text(), classes));
                }
            }
        }
        assertTrue(units.size() > 12, "only " + units.size() + " blocks found");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        compiler.getTask(
                        null,
                        null,
                        diagnostics,
                        List.of(
                                "-proc:none",
                                "-nowarn",
                                "-d",
                                out.toString(),
                                "-cp",
                                System.getProperty("java.class.path")),
                        null,
                        units)
                .call();
        List<String> wrong = new ArrayList<>();
        for (Diagnostic<? extends JavaFileObject> d : diagnostics.getDiagnostics()) {
            if (d.getKind() == Diagnostic.Kind.ERROR) {
                String unit =
                        d.getSource() == null ? "" : d.getSource().getName().replaceAll(".*/|\\.java", "");
                wrong.add(d.getMessage(Locale.ENGLISH) + "\n" + origin.getOrDefault(unit, unit));
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static JavaFileObject unit(String name, String others, String block, Map<String, String> classes) {
        // Fields, since a block may declare a variable of its own by the same name.
        String source = imports(VARIABLES + others + block, classes) + IMPORTS + "class " + name + " {\n"
                + "  static class Given {\n" + VARIABLES + "  }\n  static class Here extends Given {\n" + others
                + "    static <T> void use(Object... any) {}\n    void run() throws Exception {\n" + block
                + "\n    }\n  }\n}\n";
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
    }
}
