// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.teacher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of a teacher's features, shared by processes. */
class FeatureFileTest {
    private static final String KEY = "ab".repeat(32);
    private static final int ROWS = 5;

    @TempDir
    Path dir;

    private static FeatureFile open(Path path) throws IOException {
        return new FeatureFile(path, KEY, ROWS, 2);
    }

    /** Another process that writes rows for as long as it is told to. */
    public static void main(String[] args) throws IOException {
        try (FeatureFile file = open(Path.of(args[0]))) {
            System.out.println("opened");
            while (System.in.read() == '+') {
                file.append(new float[] {file.whole(), -file.whole()});
                System.out.println(file.whole());
            }
        }
    }

    @Test
    void aFileThatAnotherProcessWritesIsRefusedAndKeepsItsRows() throws Exception {
        Path path = dir.resolve("t.features");
        // A part of a file from before, whose rows are counted before they are continued.
        try (FeatureFile file = open(path)) {
            file.append(new float[] {0, 0});
        }
        ProcessBuilder command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                FeatureFileTest.class.getName(),
                path.toString());
        command.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process other = command.redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader says =
                new BufferedReader(new InputStreamReader(other.getInputStream(), StandardCharsets.US_ASCII))) {
            assertEquals("opened", says.readLine());
            for (int row = 2; row <= 4; row++) {
                other.getOutputStream().write('+');
                other.getOutputStream().flush();
                assertEquals("" + row, says.readLine());
                byte[] before = Files.readAllBytes(path);
                IOException e = assertThrows(IOException.class, () -> open(path).close());
                assertEquals(
                        "Another process (" + other.pid() + ") is writing to " + path
                                + ": wait until it has ended, or choose another path",
                        e.getMessage());
                assertArrayEquals(before, Files.readAllBytes(path));
            }
        } finally {
            other.destroyForcibly().waitFor();
        }
        try (FeatureFile file = open(path)) {
            assertEquals(4, file.whole(), "the killed process's rows");
            file.append(new float[] {4, -4});
            for (int row = 0; row < ROWS; row++) {
                assertArrayEquals(new float[] {row, row == 0 ? 0 : -row}, file.read(row));
            }
        }
    }
}
