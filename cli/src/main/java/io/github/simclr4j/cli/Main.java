// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.util.LibraryVersion;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Runs the commands of {@code simclr}. The exit code is 0 (success), 1 (the work failed), 2 (bad usage) or 130
 * (interrupted); a process that a signal ended has the signal's code.
 *
 * @since 0.1.0
 */
@CommandLine.Command(
        name = "simclr",
        description = "Trains image encoders without labels, evaluates them and computes features.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            QuickstartCommand.class,
            PretrainCommand.class,
            WatchCommand.class,
            FinetuneCommand.class,
            ViewsCommand.class,
            EmbedCommand.class,
            NeighboursCommand.class,
            DuplicatesCommand.class,
            SelectCommand.class,
            OutliersCommand.class,
            MislabelledCommand.class,
            EvaluateCommand.class,
            CompareCommand.class,
            InspectCommand.class,
            DevicesCommand.class,
            ExportCommand.class,
            VerifyCommand.class,
            StudyCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Main {
    private static final int INTERRUPTED = 130;

    // Strong references: loggers are held weakly, and a collected logger loses its level.
    private static final Logger[] QUIET = {
        Logger.getLogger("ai.djl"), Logger.getLogger("org.tribuo"), Logger.getLogger("com.oracle.labs.mlrg.olcut"),
    };

    private final Launcher launcher;

    private Main(Launcher launcher) {
        this.launcher = launcher;
    }

    /** Returns the launcher that finds a libtorch for the commands, or null if they use the one on the class path. */
    Launcher launcher() {
        return launcher;
    }

    /** Provides the version that the build recorded. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"simclr4j " + LibraryVersion.current()};
        }
    }

    /** Returns all commands and their options. */
    static CommandLine commands() {
        return commands(null);
    }

    private static CommandLine commands(Launcher launcher) {
        // A path may begin with @: picocli must not read it as a file of options.
        return new CommandLine(new Main(launcher))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExpandAtFiles(false);
    }

    /** Runs a command with the libtorch on the class path, and returns its exit code. */
    public static int run(String... args) {
        return run(null, args);
    }

    /** Runs a command with the libtorch that a launcher finds for it, and returns its exit code. */
    static int run(Launcher launcher, String... args) {
        System.setProperty("java.util.logging.SimpleFormatter.format", "%4$s: %5$s%6$s%n");
        LogManager.getLogManager();
        for (Logger l : QUIET) {
            l.setLevel(Level.SEVERE);
        }
        CommandLine line = commands(launcher);
        line.setParameterExceptionHandler((e, a) -> {
            String command = e.getCommandLine().getCommandSpec().qualifiedName();
            List<String> near = e instanceof UnmatchedArgumentException u ? u.getSuggestions() : List.of();
            System.err.println("simclr: " + e.getMessage()
                    + (near.isEmpty() ? "" : ", did you mean " + String.join(" or ", near) + "?") + " (see " + command
                    + " --help)");
            return 2;
        });
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            Object user = command.getCommand();
            boolean debug = user instanceof Command c && c.common.debug;
            if (debug) {
                e.printStackTrace();
            }
            if (ShutdownGuard.isTooLate()) {
                return INTERRUPTED;
            }
            String message = e.getMessage() == null ? e.toString() : e.getMessage();
            System.err.println("simclr: "
                    + OptionNames.all(
                            message.replaceAll("\\s*\\R\\s*", " "),
                            command.getCommandSpec().optionsMap().keySet()));
            return e instanceof IllegalArgumentException ? 2 : e instanceof InterruptedIOException ? INTERRUPTED : 1;
        });
        // A missing command is bad usage.
        line.setExecutionStrategy(parsed -> {
            if (!parsed.hasSubcommand() && !parsed.isUsageHelpRequested() && !parsed.isVersionHelpRequested()) {
                parsed.commandSpec().commandLine().usage(System.err);
                return 2;
            }
            return new CommandLine.RunLast().execute(parsed);
        });
        int code = 1;
        try {
            code = line.execute(args);
            if (code == 0 && ShutdownGuard.requested()) {
                System.err.println("simclr: interrupted at the end, but the result was written");
            }
        } catch (LinkageError e) {
            // A native library can't be loaded.
            if (List.of(args).contains("--debug")) {
                e.printStackTrace();
            }
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            if (!ShutdownGuard.isTooLate()) {
                System.err.println("simclr: can't load a library: "
                        + String.valueOf(cause).replaceAll("\\s*\\R\\s*", " ")
                        + " (--debug prints the stack trace)");
            }
        } finally {
            code = ShutdownGuard.finished(code);
        }
        return code;
    }

    /** Runs a command with the libtorch on the class path, and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(run(args));
    }
}
