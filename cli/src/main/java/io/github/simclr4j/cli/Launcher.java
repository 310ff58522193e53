// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.train.device.Devices.LibtorchSource;
import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * Starts a command with the libtorch that it needs; the main class of {@code ./simclr} and {@code java -jar}.
 *
 * <p>DJL prefers a CPU libtorch on the class path even if there is a GPU. Therefore the CPU libtorch of the command
 * line is not on the class path of the process but in a folder beside it, and is added only for commands that compute
 * on the CPU. DJL finds the library as a resource of the thread's context class loader, so a class loader that contains
 * nothing else is sufficient: all classes, and with them the native libraries of DJL and ONNX Runtime, stay in the
 * application's class loader.
 *
 * @since 0.1.0
 */
public final class Launcher {
    private final Devices devices;
    private final Path cpuLibraries;
    private final BooleanSupplier fetch;

    /**
     * Creates a launcher for a machine.
     *
     * @param devices devices of the machine
     * @param cpuLibraries folder of the jars with the CPU libtorch
     * @param fetch downloads the CUDA libtorch, and returns whether it succeeded
     */
    Launcher(Devices devices, Path cpuLibraries, BooleanSupplier fetch) {
        this.devices = devices;
        this.cpuLibraries = cpuLibraries;
        this.fetch = fetch;
    }

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        Path home = home();
        System.exit(Main.run(new Launcher(Devices.here(), home.resolve("lib-cpu"), () -> fetch(home)), args));
    }

    /** Returns the folder that contains this class's jar. */
    private static Path home() {
        try {
            URI jar = Launcher.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI();
            return Path.of(jar).toAbsolutePath().getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Makes the right libtorch available before a command loads one. For a command that trains on a GPU it downloads
     * the CUDA libtorch if it is missing; if the download fails, the device {@code auto} falls back to the CPU.
     *
     * @throws IllegalStateException if a GPU was requested and its libtorch is not available, or if the command trains
     *     and there is no libtorch
     */
    void prepare(Command command) {
        if (command.downloads()) {
            online();
            return;
        }
        System.setProperty("ai.djl.offline", System.getProperty("ai.djl.offline", "true"));
        System.setProperty(
                "ai.djl.pytorch.cudnn_benchmark", System.getProperty("ai.djl.pytorch.cudnn_benchmark", "true"));
        LibtorchSource source =
                devices.source(command.trains() ? command.devices().get(0) : "cpu");
        if (source == LibtorchSource.DOWNLOAD && command.trains() && !command.reports()) {
            if (fetch.getAsBoolean()) {
                source = LibtorchSource.CACHE;
            } else if (!command.devices().equals(List.of("auto"))) {
                throw new IllegalStateException((command.devices().size() == 1 ? "--device " : "--devices ")
                        + String.join(",", command.devices())
                        + " needs the CUDA libtorch, which could not be downloaded");
            } else {
                System.err.println("simclr: this run falls back to the CPU, because the GPU needs the CUDA libtorch; "
                        + "--device cpu skips the download");
            }
        }
        if (source == LibtorchSource.CLASS_PATH || source == LibtorchSource.DOWNLOAD) {
            List<Path> jars = jars(cpuLibraries);
            if (jars.isEmpty() && command.trains() && !command.reports() && !devices.hasLibtorch()) {
                String[] c = devices.cpuLibtorch().split(":");
                throw new IllegalStateException(
                        "training needs libtorch, which is a separate download: put " + c[1] + "-" + c[2]
                                + "-" + c[3] + ".jar from Maven Central (" + String.join(":", c) + ") into the folder "
                                + cpuLibraries);
            }
            addToClassPath(jars);
        }
    }

    /** Lets DJL use the network, and turns off the usage statistics (telemetry) that DJL then sends. */
    private static void online() {
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("sun.net.client.defaultConnectTimeout", "20000");
        System.setProperty("sun.net.client.defaultReadTimeout", "60000");
    }

    /**
     * Downloads the CUDA libtorch in a separate process, because DJL loads an engine only once per process, even if
     * that fails.
     *
     * @return whether the download succeeded; the reason of a failure is on standard error
     */
    private static boolean fetch(Path home) {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        List<String> own =
                Arrays.asList(ProcessHandle.current().info().arguments().orElse(new String[0]));
        int main = own.indexOf(Launcher.class.getName());
        command.addAll(
                main < 0
                        ? List.of(
                                "-cp",
                                home + File.separator + "*" + File.pathSeparator + home.resolve("lib") + File.separator
                                        + "*")
                        : own.subList(0, main));
        command.addAll(List.of(Launcher.class.getName(), "devices", "--fetch"));
        try {
            // Standard output belongs to the user's command.
            return new ProcessBuilder(command)
                            .inheritIO()
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            System.err.println("simclr: can't start java: " + e.getMessage());
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void addToClassPath(List<Path> files) {
        if (files.isEmpty()) {
            return;
        }
        Thread thread = Thread.currentThread();
        ClassLoader parent = thread.getContextClassLoader();
        thread.setContextClassLoader(
                new URLClassLoader(files.stream().map(Launcher::url).toArray(URL[]::new), parent));
    }

    private static URL url(Path file) {
        try {
            return file.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<Path> jars(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
        } catch (IOException e) {
            // Without the folder, the class path stays unchanged.
            return List.of();
        }
    }
}
