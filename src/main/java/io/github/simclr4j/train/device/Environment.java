// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.train.device;

import ai.djl.util.ClassLoaderUtils;
import ai.djl.util.Utils;
import io.github.simclr4j.train.torch.Torch;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The parts of a machine that {@link Devices} inspects; tests simulate them.
 *
 * @since 0.1.0
 */
public interface Environment {
    /**
     * The output of a program.
     *
     * @param code exit code; 1 if the program did not finish in time, -1 if it does not exist, -2 if it could not be run
     * @param text standard output and error together, or the failure
     */
    record Output(int code, String text) {}

    /** Returns an environment variable or, as in DJL, the system property with the same name; null if unset. */
    String variable(String name);

    /** Returns a variable that is set and not empty, or null. */
    default String value(String name) {
        String v = variable(name);
        return v == null || v.isEmpty() ? null : v;
    }

    /** Returns operating system and processor as DJL names them, such as {@code linux-x86_64}. */
    String system();

    /** Returns the names of a folder's files; empty if it cannot be read. */
    List<String> list(Path folder);

    /** Returns the content of a small text file, or null if it cannot be read. */
    String read(Path file);

    /** Deletes a folder of files if it exists. */
    void delete(Path folder);

    /** Runs a program with a time limit. */
    Output run(String... command);

    /** Returns the properties files with a name on the class path, by URL. */
    Map<String, Properties> resources(String name);

    /** Returns the folder where DJL keeps fetched libraries. */
    Path cache();

    /** Tells whether DJL is in offline mode. */
    boolean offline();

    /** Sets the flavour of libtorch that DJL will load. */
    void flavour(String flavour);

    /**
     * Loads the engine, which is possible once per process.
     *
     * @throws RuntimeException if there is no libtorch, or it cannot be loaded
     */
    Torch.Library load();

    /** Computes on a GPU; returns null on success, else the error. */
    String probe(int gpu);

    /** This machine and process. */
    final class Machine implements Environment {
        private static final int SECONDS = 20;

        private final Path temporary;

        Machine() {
            this(Path.of(System.getProperty("java.io.tmpdir")));
        }

        /** Uses a folder for the output of programs, which need not exist in tests. */
        Machine(Path temporary) {
            this.temporary = temporary;
        }

        @Override
        public String variable(String name) {
            return Utils.getEnvOrSystemProperty(name);
        }

        @Override
        public String system() {
            String os = System.getProperty("os.name");
            String arch = System.getProperty("os.arch");
            return (os.startsWith("Win") ? "win" : os.startsWith("Mac") ? "osx" : os.toLowerCase(Locale.ROOT)) + "-"
                    + (arch.equals("amd64") ? "x86_64" : arch);
        }

        @Override
        public List<String> list(Path folder) {
            try (Stream<Path> files = Files.list(folder)) {
                return files.map(f -> f.getFileName().toString()).sorted().toList();
            } catch (IOException | UncheckedIOException e) {
                return List.of();
            }
        }

        @Override
        public String read(Path file) {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                return null;
            }
        }

        @Override
        public void delete(Path folder) {
            try {
                for (String file : list(folder)) {
                    Files.delete(folder.resolve(file));
                }
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public Output run(String... command) {
            Process p = null;
            Path out = null;
            try {
                out = Files.createTempFile(temporary, "simclr", ".out");
                try {
                    p = new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(out.toFile())
                            .start();
                    boolean ended = p.waitFor(SECONDS, TimeUnit.SECONDS);
                    String text = Files.readString(out, StandardCharsets.ISO_8859_1);
                    return ended
                            ? new Output(p.exitValue(), text)
                            : new Output(1, command[0] + " gave no answer in " + SECONDS + " s");
                } finally {
                    Files.delete(out);
                }
            } catch (IOException e) {
                // Java reports the system's error as a number in the message: 2 means that the file does not exist.
                boolean missing = out != null
                        && p == null
                        && String.valueOf(e.getMessage()).contains("error=2,");
                return new Output(missing ? -1 : -2, missing ? e.getMessage() : e.toString());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return new Output(1, command[0] + " was interrupted");
            } finally {
                if (p != null) {
                    p.destroyForcibly();
                }
            }
        }

        @Override
        public Map<String, Properties> resources(String name) {
            Map<String, Properties> all = new LinkedHashMap<>();
            try {
                // The class loader that DJL uses.
                for (URL url : Collections.list(ClassLoaderUtils.getResources(name))) {
                    Properties p = new Properties();
                    try (InputStream in = url.openStream()) {
                        p.load(in);
                    }
                    all.put(url.toString(), p);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return all;
        }

        @Override
        public Path cache() {
            return Utils.getEngineCacheDir("pytorch");
        }

        @Override
        public boolean offline() {
            return Utils.isOfflineMode();
        }

        @Override
        public void flavour(String flavour) {
            System.setProperty("PYTORCH_FLAVOR", flavour);
        }

        @Override
        public Torch.Library load() {
            return Torch.library();
        }

        @Override
        public String probe(int gpu) {
            return Torch.probe(gpu);
        }
    }
}
