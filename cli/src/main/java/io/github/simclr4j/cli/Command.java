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

/** A command: checks what holds for the options of all commands, works, and writes the result. */
@CommandLine.Command(mixinStandardHelpOptions = true, sortOptions = false)
abstract class Command implements Callable<Integer> {
    @Mixin
    GlobalOptions common;

    @Spec
    private CommandSpec spec;

    private final long start = System.nanoTime();
    /** Absolute paths that the command writes. */
    private final Set<Path> written = new HashSet<>();
    /** Folders that were made for them. */
    private final List<Path> made = new ArrayList<>();
    /** Keep other processes from writing the same files. */
    private final List<OutputLock> locks = new ArrayList<>();

    private ShutdownGuard interruption;
    /** What was left out of all sets of images; null if none was opened. */
    private LeftOut leftOut;

    /**
     * Does the work and returns the result as it goes into the JSON file.
     *
     * @throws CheckFailed if the work is a check that found something wrong
     */
    abstract Map<String, Object> work() throws IOException;

    /**
     * Returns whether something runs on {@code --device}. A SIMCLR_DEVICE that is meant for other commands does not stop one for
     * which this is false.
     */
    boolean usesDevice() {
        return true;
    }

    /** Returns the devices that are asked for, one or more. */
    List<String> devices() {
        return List.of(common.device);
    }

    /** Returns whether libtorch computes on {@code --device}; other commands have the CPU's at most. */
    boolean trains() {
        return false;
    }

    /** Returns whether the command says what there is, and so has nothing fetched for it. */
    boolean reports() {
        return false;
    }

    /** Returns whether the command itself has DJL fetch something. */
    boolean downloads() {
        return false;
    }

    /** Returns the file of the command's report, or null if there is none to write. */
    Path reportFile() {
        return null;
    }

    /**
     * Returns the command's report.
     *
     * @param record the result as it stands in the JSON file
     */
    HtmlPage page(JsonObject record) throws IOException {
        throw new IllegalStateException("This command has no report");
    }

    /** What a check found wrong: the command fails with this message (exit code 1), and its result is written all the same. */
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
                        new InterruptedIOException("interrupted; run the same command again to go on").initCause(e);
            }
            throw e;
        } finally {
            if (interruption != null) {
                interruption.close();
            }
            for (OutputLock lock : locks) {
                lock.close();
            }
            // The deepest first; what has something in it stays.
            made.sort(Comparator.comparing(Path::getNameCount).reversed());
            made.forEach(folder -> folder.toFile().delete());
        }
    }

    /** Returns whether an interrupt is what made something fail; libraries say so in many ways. */
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
     * Refuses an option that is given twice, as picocli does, but not in a group that it does not validate: there the second one
     * would put all others of the group back to their defaults.
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
     * Checks a number of threads; 0 leaves it to the program.
     *
     * @throws IllegalArgumentException if it is negative, or more than a machine like this can use
     */
    static void threads(String option, int number) {
        if (number < 0 || number > RuntimeSettings.maxThreads()) {
            throw new IllegalArgumentException(
                    option + " must be from 0 to " + RuntimeSettings.maxThreads() + " on this machine, which has "
                            + Runtime.getRuntime().availableProcessors() + " processors, found " + number);
        }
    }

    /** Whether the command line has the option; false for a default. */
    final boolean isGiven(String option) {
        return spec.commandLine().getParseResult().hasMatchedOption(option);
    }

    /**
     * Refuses options that were given and would have no effect: what comes out would not be what was asked for.
     *
     * @param effect whether they have one
     * @param when they have one, such as "with --knn"
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

    /** Opens a set of images; what is left out of it goes into the result. */
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
        // Last of all: the result is there, whatever becomes of the page.
        if (report != null) {
            writeReport(ResultJson.tree(result));
        }
    }

    /** Writes the report on what is known by now. */
    final void writeReport(JsonObject record) throws IOException {
        AtomicFiles.write(reportFile(), page(record).toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Returns the command that does the same again, to be given to a shell. */
    final String commandLine() {
        String device = System.getenv("SIMCLR_DEVICE");
        boolean meant = usesDevice() && device != null && !device.isEmpty() && !isGiven("--device");
        return ShellCommand.of(
                meant ? "SIMCLR_DEVICE=" + ShellCommand.quoted(device) + " " : "",
                spec.root().commandLine().getParseResult().originalArgs());
    }

    /**
     * Checks how a file's name ends.
     *
     * @throws IllegalArgumentException if it ends otherwise
     */
    static void ending(String option, Path file, String ending) {
        if (!file.toString().toLowerCase(Locale.ROOT).endsWith(ending)) {
            throw new IllegalArgumentException(option + " must end in " + ending + ", found " + file);
        }
    }

    /** Seconds since the command began. */
    final double seconds() {
        return Math.round((System.nanoTime() - start) / 1e7) / 100.0;
    }

    /** From now on, until the command has said how it ended, the end of the process waits for that. */
    final ShutdownGuard interruptible() {
        interruption = new ShutdownGuard();
        return interruption;
    }

    /**
     * Fails now rather than after hours of work. A folder that is made for the file goes again if nothing is written. Until the
     * command ends no other process may write the file.
     *
     * @throws IllegalArgumentException if the command reads the file, or has been told of it before
     * @throws IOException if it can't be written, or another process is writing it
     */
    final void writable(Path file) throws IOException {
        unread(file);
        replaceable(file);
    }

    /** The same for a file that may be one that the command has read whole before it writes. */
    final void replaceable(Path file) throws IOException {
        claim(file);
        probe(file);
        locks.add(OutputLock.of(file));
    }

    /** The same for a file that several processes may add to. */
    final void appendable(Path file) throws IOException {
        unread(file);
        claim(file);
        probe(file);
    }

    /** The same for a folder. */
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
            Files.createDirectories(folder);
            Files.delete(Files.createTempFile(folder, "simclr", ".tmp"));
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

    /** The same for all names of a file: links are followed, as they are in reading and writing. */
    private static Path place(Path path) {
        Path place = path.toAbsolutePath().normalize();
        try {
            Path end = Files.isDirectory(path) ? place : Destination.of(path).path();
            return Files.exists(end)
                    ? end.toRealPath()
                    : end.getParent().toRealPath().resolve(end.getFileName());
        } catch (IOException e) {
            // There is no folder yet, or no right to look into it.
            return place;
        }
    }

    /** What is written may not replace what is still to be read. */
    private void unread(Path path) {
        List<String> names = namesOf(path);
        if (names.size() > 1) {
            throw new IllegalArgumentException(String.join(" and ", names) + " name the same file, " + path
                    + ": choose another path for one of them");
        }
    }

    /** Of two results in one file the later would replace the earlier. */
    private void claim(Path path) {
        if (!written.add(place(path))) {
            throw new IllegalArgumentException(String.join(" and ", namesOf(path)) + " names " + path
                    + ", where the command writes something else: choose another path");
        }
    }
}
