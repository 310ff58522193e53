package io.github.simclr4j.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
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

    private static final Gson JSON = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping()
            .registerTypeAdapter(Double.class, new Finite())
            .registerTypeAdapter(double.class, new Finite())
            .registerTypeAdapter(Float.class, new Finite())
            .registerTypeAdapter(float.class, new Finite())
            .create();

    private final long start = System.nanoTime();

    /**
     * Does the work and returns the result as it goes into the JSON file.
     *
     * @throws CheckFailed if the work is a check that found something wrong
     */
    abstract Map<String, Object> work() throws IOException;

    /** What a check found wrong: the command fails with this message (exit code 1), and its result is written all the same. */
    static final class CheckFailed extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private final transient Map<String, Object> result;

        CheckFailed(String message, Map<String, Object> result) {
            super(message);
            this.result = result;
        }
    }

    /** JSON has no NaN and no infinity: such a number becomes null, and is written where other nulls are left out. */
    private static final class Finite extends TypeAdapter<Number> {
        @Override
        public void write(JsonWriter out, Number value) throws IOException {
            if (value == null) {
                out.nullValue();
            } else if (Double.isFinite(value.doubleValue())) {
                out.value(value);
            } else {
                boolean nulls = out.getSerializeNulls();
                out.setSerializeNulls(true);
                out.nullValue();
                out.setSerializeNulls(nulls);
            }
        }

        @Override
        public Number read(JsonReader in) {
            throw new UnsupportedOperationException("Results are only written");
        }
    }

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
        try {
            write(work());
            return 0;
        } catch (CheckFailed e) {
            write(e.result);
            throw e;
        }
    }

    private void write(Map<String, Object> result) throws IOException {
        if (common.json != null) {
            EncoderWriter.write(common.json, (JSON.toJson(result) + "\n").getBytes(StandardCharsets.UTF_8));
        }
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
