// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static io.github.simclr4j.cli.CommandLineTest.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.simclr4j.cli.CommandLineTest.Run;
import io.github.simclr4j.train.data.BuiltInImages;
import io.github.simclr4j.train.method.Method;
import io.github.simclr4j.train.method.MethodContext;
import io.github.simclr4j.train.method.MethodFactory;
import io.github.simclr4j.train.method.SimClr;
import io.github.simclr4j.util.Option;
import io.github.simclr4j.util.OptionValues;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A method that another jar brings is one of the command line's: by its name, its options, their help and their checks. */
class OutsideMethodTest {
    @TempDir
    Path dir;

    private ClassLoader before;

    /** SimCLR under another name, with options of its own. */
    public static final class Outside implements MethodFactory {
        private static final Option<Double> SHARPNESS =
                Option.between("sharpness", 0.5, 0, 1, "How sharp the views are, 100% at most", "nobody 1999");
        private static final Option<Boolean> BLUNT = Option.flag("blunt", "Take no sharpness", "");
        /** The command line has an option of this name for all methods. */
        private static final Option<Integer> BATCH = Option.whole("batch", 3, 1, 9, "Batch of another kind", "");

        @Override
        public String name() {
            return "outside";
        }

        @Override
        public String summary() {
            return "As SimCLR";
        }

        @Override
        public String paper() {
            return "https://example.org/outside";
        }

        @Override
        public List<Option<?>> options() {
            return List.of(SHARPNESS, BLUNT, BATCH, SimClr.TEMPERATURE.withDefault(0.9, ""));
        }

        @Override
        public Map<Option<?>, String> withoutEffect(OptionValues values) {
            return values.get(BLUNT) ? Map.of(SHARPNESS, "that are not blunt") : Map.of();
        }

        @Override
        public Method create(MethodContext context) {
            throw new IllegalStateException("made with " + context.options());
        }
    }

    /** Registers it as a jar does. */
    @BeforeEach
    void register() throws IOException {
        before = Thread.currentThread().getContextClassLoader();
        Path services = Files.createDirectories(dir.resolve("META-INF/services"));
        Files.writeString(services.resolve(MethodFactory.class.getName()), Outside.class.getName());
        Thread.currentThread()
                .setContextClassLoader(new URLClassLoader(new URL[] {dir.toUri().toURL()}, before));
    }

    @AfterEach
    void restore() throws IOException {
        ((URLClassLoader) Thread.currentThread().getContextClassLoader()).close();
        Thread.currentThread().setContextClassLoader(before);
    }

    private Run pretrain(String options) throws IOException {
        Path images = dir.resolve("images");
        if (!Files.exists(images)) {
            BuiltInImages.write(images, 1, 1);
        }
        List<Object> args = new ArrayList<>(
                List.of("pretrain", "--images", images, "--out", dir.resolve("x.onnx"), "--device", "cpu"));
        args.addAll(List.of(options.split(" ")));
        return run(args.toArray());
    }

    @Test
    void theHelpNamesItAndItsOptions() {
        String help = run("pretrain", "--help").out().replaceAll("\\s+", " ").replace(". org", ".org");
        for (String part : List.of(
                "outside [example.org/outside]",
                "--sharpness=X",
                "How sharp the views are, 100% at most (default: 0.5, nobody 1999).",
                "--blunt Take no sharpness.",
                "--outside-batch=N Batch of another kind (default: 3).",
                "outside 0.9)")) {
            assertTrue(help.contains(part), part + " in " + help);
        }
        assertFalse(run("views", "--help").out().contains("outside"));
    }

    @Test
    void itsOptionsReachItAndAreChecked() throws IOException {
        Run made = pretrain("--method outside --sharpness 0.25 --outside-batch 4");
        assertEquals(1, made.code(), made.err());
        assertTrue(
                made.err().contains("made with {sharpness=0.25, blunt=false, batch=4, temperature=0.9}"), made.err());
        for (String[] c : new String[][] {
            {"--sharpness 0.25", "--sharpness has an effect only with --method outside"},
            {"--method outside --queue 9", "--queue has an effect only with --method mocov1"},
            {
                "--method outside --blunt --sharpness 0.25",
                "--sharpness has an effect only with settings that are not blunt"
            },
            {"--method outside --sharpness 2", "--sharpness must be from 0 to 1, found 2"},
            {"--method outside --outside-batch 10", "--outside-batch must be from 1 to 9, found 10"},
            {"--method inside", "Unknown --method, expected simclr, mocov1, mocov2, end-to-end, supervised"}
        }) {
            Run run = pretrain(c[0]);
            assertEquals(2, run.code(), run.err());
            assertTrue(run.err().contains(c[1]), run.err());
        }
        assertTrue(
                pretrain("--method inside").err().contains(" or outside, found inside"), "it is the last in the list");
    }
}
