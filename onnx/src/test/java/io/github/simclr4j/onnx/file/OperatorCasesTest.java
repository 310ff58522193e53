// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.onnx.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The check of models against the verdicts of ONNX's own checker, for every operator and version from opset 7 on. */
@Tag("slow")
class OperatorCasesTest {
    private interface Case {
        void of(String name, boolean sound, byte[] model) throws IOException;
    }

    private static void forEach(Case each) throws IOException {
        try (InputStream file = OperatorCasesTest.class.getResourceAsStream("operators.bin.gz");
                DataInputStream in = new DataInputStream(new BufferedInputStream(new GZIPInputStream(file)))) {
            while (true) {
                String name = in.readUTF();
                boolean sound = in.readBoolean();
                byte[] model = new byte[in.readInt()];
                in.readFully(model);
                each.of(name, sound, model);
            }
        } catch (EOFException e) {
            // The last record was read.
            return;
        }
    }

    /** What is told otherwise on purpose, or not told, by name: "stricter OPERATOR/VARIANT" or "laxer OPERATOR/VARIANT". */
    private static Set<String> known() throws IOException {
        try (InputStream file = OperatorCasesTest.class.getResourceAsStream("operator-differences.txt")) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(l -> !l.isEmpty() && !l.startsWith("#"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void theVerdictIsThatOfOnnxsChecker() throws IOException {
        Set<String> known = known();
        Set<String> found = new TreeSet<>();
        List<String> wrong = new ArrayList<>();
        List<String> stricter = new ArrayList<>();
        int[] count = new int[2];
        forEach((name, sound, model) -> {
            count[0]++;
            List<String> problems = ModelInspector.check(ModelProto.parseFrom(model), null, model.length)
                    .problems();
            if (sound == problems.isEmpty()) {
                return;
            }
            count[1]++;
            // Conv-7-0/group-far is Conv/group-far, in whatever opset and form.
            String difference = (sound ? "stricter " : "laxer ") + name.replaceFirst("-[0-9]+(-[0-9]+)?(?=/|$)", "");
            found.add(difference);
            if (sound) {
                stricter.add(name);
            }
            if (!known.contains(difference)) {
                wrong.add(name
                        + (sound ? " is sound by ONNX's checker: " + problems : " is not sound by ONNX's checker"));
            }
        });
        // For operator_runs.py, which tries them in ONNX Runtime.
        Files.write(Path.of("target/stricter.txt"), stricter);
        assertTrue(count[0] > 20_000, "the cases are there");
        assertEquals(List.of(), wrong);
        known.removeAll(found);
        assertEquals(Set.of(), known, "differences that are none any more");
        assertTrue(count[1] < count[0] * 0.07, count[1] + " of " + count[0] + " verdicts differ");
    }
}
