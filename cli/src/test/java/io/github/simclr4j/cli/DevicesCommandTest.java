// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code simclr devices} on this machine, whatever it has, with the CPU libtorch that tests run on. */
class DevicesCommandTest {
    @TempDir
    Path dir;

    private String out;
    private String err;

    private int run(String... args) {
        PrintStream stdout = System.out;
        PrintStream stderr = System.err;
        ByteArrayOutputStream o = new ByteArrayOutputStream();
        ByteArrayOutputStream e = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(o, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(e, true, StandardCharsets.UTF_8));
            return Main.run(args);
        } finally {
            System.setOut(stdout);
            System.setErr(stderr);
            out = o.toString(StandardCharsets.UTF_8);
            err = e.toString(StandardCharsets.UTF_8);
        }
    }

    @Test
    void saysWhatIsUsedAndWhyNoGpu() throws IOException {
        Path json = dir.resolve("d.json");
        assertEquals(0, run("devices", "--json", json.toString()), () -> err);
        assertEquals("", err, "none of DJL's warnings");
        JsonObject found = JsonParser.parseString(Files.readString(json)).getAsJsonObject();
        assertEquals("cpu", found.get("device").getAsString());
        assertEquals("cpu", found.getAsJsonObject("libtorch").get("flavour").getAsString());
        assertEquals(
                found.get("binding").getAsString(),
                found.getAsJsonObject("libtorch").get("version").getAsString());
        assertTrue(Files.isDirectory(
                Path.of(found.getAsJsonObject("libtorch").get("folder").getAsString())));
        assertFalse(found.get("fix").getAsString().isEmpty());
        assertTrue(out.contains(found.get("why").getAsString()), out);
    }

    @Test
    void whatCantBeHadIsAnError() {
        assertEquals(1, run("devices", "--device", "gpu:99"));
        assertTrue(err.startsWith("simclr: --device gpu:99 is not available: "), err);
        assertTrue(out.contains("to do"), out);
        assertEquals(2, run("devices", "--device", "tpu"));
    }

    @Test
    void aLibtorchThatWouldNotBeUsedIsNotFetched() {
        assertEquals(1, run("devices", "--fetch"));
        assertTrue(err.contains("The class path has a libtorch"), err);
    }
}
