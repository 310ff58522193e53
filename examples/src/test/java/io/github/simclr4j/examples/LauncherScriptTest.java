// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./simclr}, which builds if need be, starts Java, and passes its arguments and the exit code through. */
@Tag("slow")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a shell script")
class LauncherScriptTest {
    private static final Path ROOT = Path.of(System.getProperty("simclr.root"));

    @TempDir
    Path dir;

    private static List<String> run(Path script, Map<String, String> variables, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(script.toString()));
        command.addAll(List.of(args));
        ProcessBuilder p = new ProcessBuilder(command).redirectErrorStream(true);
        if (variables != null) {
            p.environment().clear();
            p.environment().putAll(variables);
        }
        Process process = p.start();
        List<String> lines = new ArrayList<>(
                new String(process.getInputStream().readAllBytes()).lines().toList());
        lines.add("exit " + process.waitFor());
        return lines;
    }

    @Test
    void argumentsAndExitCodePassThrough() throws IOException, InterruptedException {
        Path libraries = ROOT.resolve("cli/target/lib");
        Assumptions.assumeTrue(Files.isDirectory(libraries), "skipped: the launcher's libraries come with 'package'");
        // What it would build is what this very build has just packaged.
        Files.writeString(libraries.resolve(".built"), "");
        Path simclr = ROOT.resolve("simclr");
        List<String> version = run(simclr, null, "--version");
        assertTrue(version.get(0).startsWith("simclr4j "), version.toString());
        assertEquals("exit 0", version.get(1));
        Path link = Files.createSymbolicLink(dir.resolve("link"), simclr);
        assertEquals(version, run(link, null, "--version"), "from elsewhere");
        assertTrue(run(simclr, null, "inspect", "no such file.onnx").contains("exit 1"));
        assertTrue(run(simclr, null, "inspect").contains("exit 2"));
    }

    /** A copy of the launcher beside a java that prints what it was given. */
    @Nested
    class Copy {
        private Path simclr;
        private final Map<String, String> variables = new HashMap<>();

        private void script(Path file, String... lines) throws IOException {
            Files.createDirectories(file.getParent());
            Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
            assertTrue(file.toFile().setExecutable(true));
        }

        @BeforeEach
        void copy() throws IOException {
            simclr = dir.resolve("simclr");
            Files.createFile(
                    Files.createDirectories(dir.resolve("cli/target/lib")).resolve(".built"));
            Files.copy(ROOT.resolve("simclr"), simclr, StandardCopyOption.COPY_ATTRIBUTES);
            script(
                    dir.resolve("jdk/bin/java"),
                    "for a in \"$@\"; do echo \"$a\"; done",
                    "echo \"env ${PYTORCH_LIBRARY_PATH-unset} ${PYTORCH_FLAVOR-unset} ${LC_ALL-unset} $MALLOC_ARENA_MAX\"",
                    "exit 3");
            variables.put("JAVA_HOME", dir.resolve("jdk").toString());
            variables.put("PATH", "/usr/bin:/bin");
        }

        @Test
        void javaIsStartedWithAShortClassPath() throws IOException, InterruptedException {
            Path real = dir.toRealPath();
            variables.put("SIMCLR_JAVA_OPTS", "-Xmx1g -Dhttps.proxyHost=proxy");
            List<String> lines = run(simclr, variables, "pretrain", "--images", "a  b;$(exit 3)*'");
            assertEquals(
                    List.of(
                            "-XX:MaxRAMPercentage=60",
                            "-Xms32m",
                            "-XX:MinHeapFreeRatio=10",
                            "-XX:MaxHeapFreeRatio=30",
                            "-XX:+UseSerialGC",
                            "-Dsimclr.terminal=false",
                            "-Xmx1g",
                            "-Dhttps.proxyHost=proxy",
                            "-cp",
                            real + "/cli/target/*:" + real + "/cli/target/lib/*",
                            "io.github.simclr4j.cli.Launcher",
                            "pretrain",
                            "--images",
                            "a  b;$(exit 3)*'",
                            "env unset unset C.UTF-8 1",
                            "exit 3"),
                    lines);
        }

        /** A jar of the user's own may have methods, encoders, augmentations, formats or protocols. */
        @Test
        void jarsOfTheUsersOwnComeLast() throws IOException, InterruptedException {
            variables.put("CLASSPATH", "/home/ann/my method.jar:more/*");
            List<String> lines = run(simclr, variables);
            assertTrue(
                    lines.contains(dir.toRealPath() + "/cli/target/*:" + dir.toRealPath()
                            + "/cli/target/lib/*:/home/ann/my method.jar:more/*"),
                    lines.toString());
        }

        @Test
        void anEmptyVariableDoesNotHideTheRightChoice() throws IOException, InterruptedException {
            variables.putAll(Map.of(
                    "PYTORCH_LIBRARY_PATH", "", "PYTORCH_FLAVOR", "", "LANG", "de_DE.UTF-8", "MALLOC_ARENA_MAX", "4"));
            assertTrue(run(simclr, variables).contains("env unset unset unset 4"));
            variables.put("PYTORCH_LIBRARY_PATH", "/opt/libtorch/lib");
            assertTrue(run(simclr, variables).contains("env /opt/libtorch/lib unset unset 4"));
        }

        @Test
        void aChangedSourceIsBuiltAndNothingElseIsDeleted() throws IOException, InterruptedException {
            Path jar = Files.writeString(dir.resolve("cli/target/lib/old.jar"), "");
            Files.delete(dir.resolve("cli/target/lib/.built"));
            List<String> stray = run(simclr, variables, "--version");
            assertTrue(stray.get(0).contains("is not the project's folder") && Files.exists(jar), stray.toString());
            Files.writeString(dir.resolve("cli/pom.xml"), "");
            project(dir);
            script(dir.resolve("mvnw"), "echo \"mvnw $*\"", "mkdir -p '" + dir + "/cli/target/lib'");
            // Through links, one of them relative, from another folder.
            Path other = Files.createDirectories(dir.resolve("other/cli/target/lib"));
            Path theirs = Files.writeString(other.resolve("theirs.jar"), "");
            Files.createSymbolicLink(dir.resolve("other/link"), Path.of("../simclr"));
            Path link = Files.createSymbolicLink(dir.resolve("other/simclr"), dir.resolve("other/link"));
            List<String> built = run(link, variables, "--version");
            assertEquals("simclr: building (the first time downloads the libraries)", built.get(0), built.toString());
            assertTrue(built.get(1).startsWith("mvnw ") && built.get(1).endsWith(" package"), built.toString());
            assertEquals("exit 3", built.get(built.size() - 1));
            assertTrue(Files.exists(theirs));
            assertFalse(Files.exists(jar), "a library of an earlier build would stay on the class path");
            assertEquals(
                    "-XX:MaxRAMPercentage=60", run(link, variables, "--version").get(0), "it is built already");
        }

        private void project(Path root) throws IOException {
            Path folder = Files.createDirectories(root.resolve("cli/src/main/java/io/github/simclr4j/cli"));
            Files.writeString(folder.resolve("Launcher.java"), "");
        }

        /** Called through links in any way, the script builds in its own folder; beside each link stands a project of the same shape. */
        @Test
        void nothingIsDeletedBesideALink() throws IOException, InterruptedException {
            Path root = Files.createDirectories(dir.resolve("the project; rm -rf *"));
            Path own = Files.createDirectories(root.resolve("cli/target/lib"));
            Files.writeString(root.resolve("cli/pom.xml"), "");
            project(root);
            Files.copy(ROOT.resolve("simclr"), root.resolve("simclr"), StandardCopyOption.COPY_ATTRIBUTES);
            script(root.resolve("mvnw"), "echo \"mvnw $*\"", "mkdir -p \"${0%/*}/cli/target/lib\"");
            // A relative link, a link to it by an absolute path, a link to that through a link to its folder, one named
            // like an option.
            Path bin = decoy(dir.resolve("my bin"));
            Files.createSymbolicLink(bin.resolve("simclr"), Path.of("../the project; rm -rf */simclr"));
            Path second = decoy(dir.resolve("second"));
            Files.createSymbolicLink(second.resolve("to bin"), bin);
            Files.createSymbolicLink(second.resolve("simclr"), second.resolve("to bin/simclr"));
            Path third = decoy(dir.resolve("third"));
            Files.createSymbolicLink(third.resolve("-n"), Path.of("../second/simclr"));
            Files.createSymbolicLink(dir.resolve("whole"), root);
            for (Path link : List.of(
                    bin.resolve("simclr"),
                    second.resolve("simclr"),
                    second.resolve("to bin/simclr"),
                    third.resolve("-n"),
                    dir.resolve("whole/simclr"))) {
                Path old = Files.writeString(Files.createDirectories(own).resolve("old.jar"), "");
                Files.deleteIfExists(own.resolve(".built"));
                List<String> built = run(link, variables, "--version");
                assertTrue(built.get(1).startsWith("mvnw ") && built.contains("exit 3"), link + " " + built);
                assertTrue(
                        built.contains(root.toRealPath() + "/cli/target/*:" + root.toRealPath() + "/cli/target/lib/*"),
                        built.toString());
                assertFalse(Files.exists(old), link.toString());
                for (Path folder : List.of(bin, second, third)) {
                    assertTrue(Files.exists(folder.resolve("cli/target/lib/theirs.jar")), link.toString());
                }
            }
        }

        /** A folder of the same shape in which nothing may be deleted. */
        private Path decoy(Path folder) throws IOException {
            Files.writeString(
                    Files.createDirectories(folder.resolve("cli/target/lib")).resolve("theirs.jar"), "");
            Files.writeString(folder.resolve("cli/pom.xml"), "");
            script(folder.resolve("mvnw"), "echo \"wrong mvnw\"");
            project(folder);
            return folder;
        }

        @Test
        void aCopyInAnotherMavenProjectDeletesNothing() throws IOException, InterruptedException {
            Path jar = Files.writeString(dir.resolve("cli/target/lib/theirs.jar"), "");
            Files.delete(dir.resolve("cli/target/lib/.built"));
            Files.writeString(dir.resolve("cli/pom.xml"), "");
            script(dir.resolve("mvnw"), "echo \"mvnw $*\"");
            List<String> lines = run(simclr, variables, "--version");
            assertTrue(lines.get(0).contains("is not the project's folder"), lines.toString());
            assertTrue(Files.exists(jar));
        }
    }
}
