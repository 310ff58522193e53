// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Files that ONNX's checker passes ({@code check_files.py}): none of them is called unsound. */
class SoundFilesTest {
    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(f -> f.toString().endsWith(".onnx")).sorted().toList();
        }
    }

    private static List<String> unsound(List<Path> files) throws IOException {
        List<String> wrong = new ArrayList<>();
        for (Path f : files) {
            List<String> problems = ModelInspector.check(f).problems();
            if (!problems.isEmpty()) {
                wrong.add(f + ": " + problems);
            }
        }
        return wrong;
    }

    @Test
    void everyEncoderInTheTestsIsSound() throws IOException {
        List<Path> all = new ArrayList<>();
        for (String module : List.of("../onnx/src", "../plugin/src", "../src", "../cli/src")) {
            Path resources = Path.of(module, "test/resources");
            if (Files.isDirectory(resources)) {
                all.addAll(files(resources));
            }
        }
        assertTrue(all.size() >= 30, "found " + all.size());
        // Made to be refused: its loops multiply.
        assertEquals(
                List.of(),
                unsound(all.stream()
                        .filter(f -> !f.endsWith("nested_loop_4.onnx"))
                        .toList()));
    }

    /**
     * What is refused on purpose: what ONNX Runtime 1.28 does not have (IR version 14, opset 27, domains), files without the
     * default domain, loops that nothing bounds, and an attribute that this version of the format's classes does not know.
     */
    private static final Pattern REFUSED =
            Pattern.compile("IR version 14|has opset 27|which is not part of ONNX Runtime"
                    + "|imports no opset of the default domain|an unknown number of times|its type, TYPE_PROTO");

    private static void soundOrRefused(String folder) throws IOException {
        assumeTrue(folder != null, "the folder is not given");
        List<Path> all = files(Path.of(folder));
        assertTrue(all.size() >= 100, "found " + all.size());
        List<String> wrong = new ArrayList<>();
        for (Path f : all) {
            for (String p : ModelInspector.check(f).problems()) {
                if (!REFUSED.matcher(p).find() && !p.contains("no opset of ONNX's operators")) {
                    wrong.add(f + ": " + p);
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    /** -Donnx.data=FOLDER, what {@code check_files.py --data} prints. */
    @Test
    void theModelsInsideOnnxsOwnPackageAreSound() throws IOException {
        soundOrRefused(System.getProperty("onnx.data"));
    }

    /** -Donnx.nodes=FOLDER, where {@code check_files.py --nodes} wrote a model of each of ONNX's tests of operators. */
    @Test
    void theModelsOfOnnxsOwnTestsAreSound() throws IOException {
        soundOrRefused(System.getProperty("onnx.nodes"));
    }
}
