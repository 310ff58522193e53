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
 * What {@code ./simclr} and {@code java -jar} start: runs a command with the libtorch that it needs.
 *
 * <p>DJL takes a CPU libtorch that it finds on the class path even where there is a GPU. So the one that comes with the command
 * line is not on the class path of the process, but in a folder beside it, and is added where a command is to compute on the CPU.
 * DJL finds the library as a resource of the thread's class loader, so that a class loader which has nothing else does: all
 * classes, and with them the native libraries of DJL and of ONNX Runtime, stay in the one of the application.
 */
public final class Launcher {
    private final Devices devices;
    private final Path cpuLibraries;
    private final BooleanSupplier fetch;

    /**
     * Prepares commands on a machine.
     *
     * @param devices what the machine has
     * @param cpuLibraries folder of the jars with the CPU libtorch
     * @param fetch fetches the CUDA libtorch, and returns whether it is there
     */
    Launcher(Devices devices, Path cpuLibraries, BooleanSupplier fetch) {
        this.devices = devices;
        this.cpuLibraries = cpuLibraries;
        this.fetch = fetch;
    }

    /** Runs a command and ends the process. */
    public static void main(String[] args) {
        Path home = home();
        System.exit(Main.run(new Launcher(Devices.here(), home.resolve("lib-cpu"), () -> fetch(home)), args));
    }

    /** Returns the folder of the jar that this class is in. */
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
     * Sees to it that a command finds its libtorch, before it loads one. A command that trains on a GPU has the CUDA libtorch
     * fetched first where it is not there yet; if that fails, a choice of {@code auto} goes on on the CPU.
     *
     * @throws IllegalStateException if a GPU is asked for and its libtorch can't be had, or if the command trains and there is none
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
                        + String.join(",", command.devices()) + " can't be had without the CUDA libtorch");
            } else {
                System.err.println(
                        "simclr: so the GPU can't be used, and this run is on the CPU; --device cpu does so without asking");
            }
        }
        if (source == LibtorchSource.CLASS_PATH || source == LibtorchSource.DOWNLOAD) {
            List<Path> jars = jars(cpuLibraries);
            if (jars.isEmpty() && command.trains() && !command.reports() && !devices.hasLibtorch()) {
                String[] c = devices.cpuLibtorch().split(":");
                throw new IllegalStateException("training needs libtorch, which comes apart: put " + c[1] + "-" + c[2]
                        + "-" + c[3] + ".jar from Maven Central (" + String.join(":", c) + ") into the folder "
                        + cpuLibraries);
            }
            addToClassPath(jars);
        }
    }

    /** Lets DJL use the network; it then also reports its use to its makers, unless it is told not to. */
    private static void online() {
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("sun.net.client.defaultConnectTimeout", "20000");
        System.setProperty("sun.net.client.defaultReadTimeout", "60000");
    }

    /**
     * Fetches in a process of its own: an engine that was loaded, or could not be, is what it is until the process ends.
     *
     * @return whether it was fetched; why it was not is on standard error
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
            // What the command prints is the command's own.
            return new ProcessBuilder(command)
                            .inheritIO()
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            System.err.println("simclr: java can't be started: " + e.getMessage());
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
            // Where there is no such folder, the class path is as it is.
            return List.of();
        }
    }
}
