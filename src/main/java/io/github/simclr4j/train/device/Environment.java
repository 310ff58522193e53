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

/** What {@link Devices} looks at. Tests put a made-up machine in its place. */
public interface Environment {
    /**
     * What a program said.
     *
     * @param code its exit code, 1 when it gave no answer in time, -1 when there is no such program, -2 when it could not be run
     * @param text standard output and error together, or what went wrong
     */
    record Output(int code, String text) {}

    /** An environment variable or, as DJL reads them, the system property of that name; null when unset. */
    String variable(String name);

    /** A variable that is set and not empty, or null. */
    default String value(String name) {
        String v = variable(name);
        return v == null || v.isEmpty() ? null : v;
    }

    /** Operating system and processor as DJL names them, such as {@code linux-x86_64}. */
    String system();

    /** Names of a folder's files; none when it can't be read. */
    List<String> list(Path folder);

    /** A small text file's content, or null when it can't be read. */
    String read(Path file);

    /** Deletes a folder of files, if it is there. */
    void delete(Path folder);

    /** Runs a program for at most some seconds. */
    Output run(String... command);

    /** The properties files of this name on the class path, each by its address. */
    Map<String, Properties> resources(String name);

    /** Where DJL keeps the libraries it fetched. */
    Path cache();

    /** Whether DJL must not use the network. */
    boolean offline();

    /** Has DJL take this flavour of libtorch, when it loads one. */
    void flavour(String flavour);

    /**
     * Loads the engine, once a process.
     *
     * @throws RuntimeException if there is no libtorch, or it can't be loaded
     */
    Torch.Library load();

    /** Computes on a GPU; returns null, or what went wrong. */
    String probe(int gpu);

    /** This machine and this process. */
    final class Machine implements Environment {
        private static final int SECONDS = 20;

        private final Path temporary;

        Machine() {
            this(Path.of(System.getProperty("java.io.tmpdir")));
        }

        /** With a folder for what programs say; a test names one that is not there. */
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
            return (os.startsWith("Win") ? "win" : os.startsWith("Mac") ? "osx" : os.toLowerCase(Locale.ROOT))
                    + "-" + (arch.equals("amd64") ? "x86_64" : arch);
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
                    p = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
                    boolean ended = p.waitFor(SECONDS, TimeUnit.SECONDS);
                    String text = Files.readString(out, StandardCharsets.ISO_8859_1);
                    return ended
                            ? new Output(p.exitValue(), text)
                            : new Output(1, command[0] + " gave no answer in " + SECONDS + " s");
                } finally {
                    Files.delete(out);
                }
            } catch (IOException e) {
                // Java tells the system's error as a number in the text: 2 is that there is no such file.
                boolean missing = out != null && p == null && String.valueOf(e.getMessage()).contains("error=2,");
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
                // The loader that DJL asks.
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
