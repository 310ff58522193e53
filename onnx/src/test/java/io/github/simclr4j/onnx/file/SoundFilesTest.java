package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        for (String module : List.of("../onnx", "../plugin", "../src", "../cli")) {
            Path resources = Path.of(module, "src/test/resources");
            if (Files.isDirectory(resources)) {
                all.addAll(files(resources));
            }
        }
        assertTrue(all.size() >= 23, "found " + all.size());
        // Made to be refused: its loops multiply.
        assertEquals(List.of(), unsound(all.stream().filter(f -> !f.endsWith("nested_loop_4.onnx")).toList()));
    }

    /** Refused by name: ONNX Runtime has no operator for gradients. */
    private static final String REFUSED = "test_gradient_";

    /** -Donnx.data=FOLDER, what {@code check_files.py --data} prints. */
    @Test
    void theModelsInsideOnnxsOwnPackageAreSound() throws IOException {
        String data = System.getProperty("onnx.data");
        assumeTrue(data != null, "-Donnx.data is not given");
        List<Path> all = files(Path.of(data));
        assertTrue(all.size() >= 100, "found " + all.size());
        assertEquals(List.of(), unsound(all.stream().filter(f -> !f.toString().contains(REFUSED)).toList()));
    }
}
