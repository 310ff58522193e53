// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import com.google.gson.JsonObject;
import io.github.simclr4j.cli.report.HtmlPage;
import io.github.simclr4j.images.LeftOut;
import io.github.simclr4j.images.source.ImageSource;
import io.github.simclr4j.onnx.runtime.RuntimeSettings;
import io.github.simclr4j.train.device.Devices;
import io.github.simclr4j.util.AtomicFiles;
import io.github.simclr4j.util.Destination;
import io.github.simclr4j.util.OutputLock;
import io.github.simclr4j.util.TemporaryFile;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Base class of the commands: checks the common options, does the work, and writes the result. */
@CommandLine.Command(mixinStandardHelpOptions = true, sortOptions = false)
abstract class Command implements Callable<Integer> {
    @Mixin
    GlobalOptions common;

    @Spec
    private CommandSpec spec;

    private final long start = System.nanoTime();
    /** Holds the absolute paths that the command writes. */
    private final Set<Path> written = new HashSet<>();
    /** Holds the folders that were created for them. */
    private final List<Path> made = new ArrayList<>();
    /** Holds locks that keep other processes from writing the same files. */
    private final List<OutputLock> locks = new ArrayList<>();

    private ShutdownGuard interruption;
    /** Counts what was left out of all image sets; null if none was opened. */
    private LeftOut leftOut;

    /**
     * Does the work and returns the result for the JSON file.
     *
     * @throws CheckFailed if the command is a check that failed
     */
    abstract Map<String, Object> work() throws IOException;

    /**
     * Returns whether the command uses {@code --device}. A command that does not ignores the environment variable
     * SIMCLR_DEVICE, even if its value is invalid.
     */
    boolean usesDevice() {
        return true;
    }

    /** Returns the requested devices, at least one. */
    List<String> devices() {
        return List.of(common.device);
    }

    /** Returns whether libtorch computes on {@code --device}; other commands use the CPU libtorch, if any. */
    boolean trains() {
        return false;
    }

    /** Returns whether the command only reports what is installed, so that nothing is downloaded for it. */
    boolean reports() {
        return false;
    }

    /** Returns whether the command itself makes DJL download something. */
    boolean downloads() {
        return false;
    }

    /** Returns the file of the command's report, or null if no report is written. */
    Path reportFile() {
        return null;
    }

    /**
     * Returns the command's report.
     *
     * @param record the result as in the JSON file
     */
    HtmlPage page(JsonObject record) throws IOException {
        throw new IllegalStateException("This command has no report");
    }

    /**
     * Reports that a check failed: the command ends with exit code 1 and this message, but its result is still written.
     */
    static final class CheckFailed extends IllegalStateException {
        private static final long serialVersionUID = 1;

        private final transient Map<String, Object> result;

        CheckFailed(String message, Map<String, Object> result) {
            super(message);
            this.result = result;
        }
    }

    @Override
    public final Integer call() throws IOException {
        check();
        if (spec.root().userObject() instanceof Main main && main.launcher() != null) {
            main.launcher().prepare(this);
        }
        try {
            if (common.json != null) {
                writable(common.json);
            }
            if (reportFile() != null) {
                ending("--report", reportFile(), ".html");
                writable(reportFile());
            }
            write(work());
            return 0;
        } catch (CheckFailed e) {
            write(e.result);
            throw e;
        } catch (IOException | RuntimeException e) {
            if (ShutdownGuard.requested() && !(e instanceof InterruptedIOException) && isInterruption(e)) {
                throw (IOException)
                        new InterruptedIOException("interrupted; run the same command again to continue").initCause(e);
            }
            throw e;
        } finally {
            if (interruption != null) {
                interruption.close();
            }
            for (OutputLock lock : locks) {
                lock.close();
            }
            // The deepest folders first; folders that are not empty stay.
            made.sort(Comparator.comparing(Path::getNameCount).reversed());
            made.forEach(folder -> folder.toFile().delete());
        }
    }

    /** Returns whether an interrupt caused a failure, which libraries report by different exceptions. */
    private static boolean isInterruption(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof InterruptedException
                    || cause instanceof InterruptedIOException
                    || cause instanceof CancellationException
                    || cause instanceof ClosedByInterruptException
                    || cause instanceof FileLockInterruptionException) {
                return true;
            }
        }
        return false;
    }

    private void check() {
        once();
        for (ArgSpec a : spec.args()) {
            if (a.getValue() instanceof Double d && !Double.isFinite(d)) {
                throw new IllegalArgumentException(name(a) + " must be a finite number, found " + d);
            }
        }
        threads("--threads", common.threads);
        boolean asked = isGiven("--device");
        if (!asked && (common.device.isEmpty() || !usesDevice())) {
            common.device = "auto";
        }
        if (!common.device.matches("auto|cpu|gpu(:\\d{1,4})?")) {
            throw new IllegalArgumentException("Unknown " + (asked ? "--device" : "SIMCLR_DEVICE in the environment")
                    + ", expected auto, cpu, gpu or gpu:N, found " + common.device);
        }
        Devices.check(devices());
    }

    /**
     * Refuses an option that is given twice. Picocli does so itself, except in a group that it does not validate, where
     * the second option would reset all other options of the group to their defaults.
     */
    private void once() {
        for (ArgGroupSpec group : spec.argGroups()) {
            List<ParseResult.GroupMatch> matches = spec.commandLine().getParseResult().findMatches(group).stream()
                    .flatMap(c -> c.matches().stream())
                    .toList();
            for (OptionSpec o : group.options()) {
                if (matches.stream().filter(m -> !m.matchedValues(o).isEmpty()).count() > 1) {
                    throw new ParameterException(
                            spec.commandLine(), "option '" + o.longestName() + "' should be specified only once");
                }
            }
        }
    }

    /**
     * Checks a number of threads; 0 lets the program choose.
     *
     * @throws IllegalArgumentException if the number is negative, or larger than this machine can use
     */
    static void threads(String option, int number) {
        if (number < 0 || number > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException(
                    option + " must be from 0 to " + RuntimeSettings.maxThreads() + " on this machine, which has "
                            + Runtime.getRuntime().availableProcessors() + " processors, found " + number);
        }
    }

    /** Returns whether the command line contains the option; false for a default value. */
    final boolean isGiven(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /**
     * Refuses options that were given but would have no effect, because the result would not be what the user asked
     * for.
     *
     * @param effect whether the options have an effect
     * @param when they have an effect, such as "with --knn"
     */
    final void only(boolean effect, String when, String... options) {
        for (String option : options) {
            if (!effect && isGiven(option)) {
                throw new IllegalArgumentException(option + " has an effect only " + when + ": leave it out");
            }
        }
    }

    private static String name(ArgSpec a) {
        return a instanceof OptionSpec o ? o.longestName() : a.paramLabel();
    }

    /** Opens an image set, and adds what is left out of it to the result. */
    final ImageSource open(Path images, TableOptions tables, Console console) throws IOException {
        ImageSource source = ImageSource.open(images, tables.columns(), console);
        leftOut = (leftOut == null ? LeftOut.NONE : leftOut).plus(source.leftOut());
        return source;
    }

    private void write(Map<String, Object> result) throws IOException {
        if (leftOut != null) {
            result.put("leftOut", leftOut.kinds());
            if (!leftOut.links().isEmpty()) {
                result.put("leftOutLinks", leftOut.links());
            }
        }
        Path report = reportFile();
        if (report != null) {
            result.put("report", report.toString());
        }
        if (common.json != null) {
            AtomicFiles.write(common.json, ResultJson.text(result).getBytes(StandardCharsets.UTF_8));
        }
        // The report comes last: a failure of the page must not lose the result.
        if (report != null) {
            writeReport(ResultJson.tree(result));
            System.out.println("The report is " + report + ": open it in a browser");
        }
    }

    /** Writes the report with the results so far. */
    final void writeReport(JsonObject record) throws IOException {
        AtomicFiles.write(reportFile(), page(record).toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the shell command that repeats this run. */
    final String commandLine() {
        String device = System.getenv("SIMCLR_DEVICE");
        boolean meant = usesDevice() && device != null && !device.isEmpty() && !isGiven("--device");
        return ShellCommand.of(
                meant ? "SIMCLR_DEVICE=" + ShellCommand.quoted(device) + " " : "",
                spec.root().commandLine().getParseResult().originalArgs());
    }

    /**
     * Checks the ending of a file's name.
     *
     * @throws IllegalArgumentException if the name has another ending
     */
    static void ending(String option, Path file, String ending) {
        if (!file.toString().toLowerCase(Locale.ROOT).endsWith(ending)) {
            throw new IllegalArgumentException(option + " must end in " + ending + ", found " + file);
        }
    }

    /** Returns the seconds since the command started, with two decimals. */
    final double seconds() {
        return Math.round((System.nanoTime() - start) / 1e7) / 100.0;
    }

    /** Makes the end of the process wait, from now on, until the command has reported how it ended. */
    final ShutdownGuard interruptible() {
        interruption = new ShutdownGuard();
        return interruption;
    }

    /**
     * Checks that a file can be written, so that the command fails now rather than after hours of work. A folder that
     * is created for the file is deleted if nothing is written. No other process may write the file until the command
     * ends.
     *
     * @throws IllegalArgumentException if the command reads the file, or writes something else to it
     * @throws IOException if the file can't be written, or another process is writing it
     */
    final void writable(Path file) throws IOException {
        unread(file);
        replaceable(file);
    }

    /** Does the same as {@link #writable}, for a file that the command may also read, completely, before it writes. */
    final void replaceable(Path file) throws IOException {
        claim(file);
        probe(file);
        locks.add(OutputLock.of(file));
    }

    /** Does the same as {@link #writable}, for a file that several processes may append to. */
    final void appendable(Path file) throws IOException {
        unread(file);
        claim(file);
        probe(file);
    }

    /** Does the same as {@link #writable}, for a folder. */
    final void writableFolder(Path folder) throws IOException {
        unread(folder);
        claim(folder);
        probe(folder, folder.toAbsolutePath());
    }

    private void probe(Path file) throws IOException {
        Destination destination;
        try {
            destination = Destination.of(file);
        } catch (IOException e) {
            throw new IOException("Can't write " + file + ": " + e.getMessage(), e);
        }
        if (destination.replaced()) {
            probe(file, destination.path().getParent());
        } else if (!destination.isWritable()) {
            throw new IOException("Can't write " + file + ": permission denied; choose another path");
        }
    }

    private void probe(Path what, Path folder) throws IOException {
        try {
            for (Path p = folder; p != null && !Files.exists(p); p = p.getParent()) {
                made.add(p);
            }
            TemporaryFile.probe(folder);
        } catch (IOException e) {
            throw new IOException("Can't write " + what + ": " + e + "; choose another path", e);
        }
    }

    private List<String> namesOf(Path path) {
        return spec.args().stream()
                .filter(a -> a.getValue() instanceof Path p && place(p).equals(place(path)))
                .map(Command::name)
                .toList();
    }

    /** Returns the same path for all names of a file: links are followed, as in reading and writing. */
    private static Path place(Path path) {
        Path place = path.toAbsolutePath().normalize();
        try {
            Path end = Files.isDirectory(path) ? place : Destination.of(path).path();
            return Files.exists(end)
                    ? end.toRealPath()
                    : end.getParent().toRealPath().resolve(end.getFileName());
        } catch (IOException e) {
            // The folder does not exist yet, or is not readable.
            return place;
        }
    }

    /** Checks that an output does not replace an input that is still to be read. */
    private void unread(Path path) {
        List<String> names = namesOf(path);
        if (names.size() > 1) {
            throw new IllegalArgumentException(String.join(" and ", names) + " name the same file, " + path
                    + ": choose another path for one of them");
        }
    }

    /** Checks that two results do not go to the same file, where the later would replace the earlier. */
    private void claim(Path path) {
        if (!written.add(place(path))) {
            throw new IllegalArgumentException(String.join(" and ", namesOf(path)) + " names " + path
                    + ", where the command writes something else: choose another path");
        }
    }
}
