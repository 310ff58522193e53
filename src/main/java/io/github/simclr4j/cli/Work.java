package io.github.simclr4j.cli;

import com.google.gson.GsonBuilder;
import io.github.simclr4j.onnx.EncoderWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** A command: checks the common options, works, and writes the result. */
@Command(mixinStandardHelpOptions = true, sortOptions = false)
abstract class Work implements Callable<Integer> {
    @Mixin
    Common common;

    private final long start = System.nanoTime();

    /** Does the work and returns the result as it goes into the JSON file. */
    abstract Map<String, Object> work() throws IOException;

    @Override
    public final Integer call() throws IOException {
        if (common.threads < 0) {
            throw new IllegalArgumentException("--threads must be at least 0, found " + common.threads);
        }
        if (!common.device.matches("auto|cpu|gpu(:\\d+)?")) {
            throw new IllegalArgumentException(
                    "Unknown --device, expected auto, cpu, gpu or gpu:N, found " + common.device);
        }
        if (common.json != null) {
            writable(common.json);
        }
        Map<String, Object> result = work();
        if (common.json != null) {
            String json = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(result) + "\n";
            EncoderWriter.write(common.json, json.getBytes(StandardCharsets.UTF_8));
        }
        return 0;
    }

    /** Seconds since the command began. */
    final double seconds() {
        return Math.round((System.nanoTime() - start) / 1e7) / 100.0;
    }

    /** Fails now rather than after hours of work. */
    static void writable(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        try {
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, "simclr", ".tmp"));
        } catch (IOException e) {
            throw new IOException("Can't write " + file + ": " + e + "; choose another path", e);
        }
        if (Files.isDirectory(file)) {
            throw new IOException("Can't write " + file + ": it is a folder; name a file");
        }
    }
}
