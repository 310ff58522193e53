// SPDX-License-Identifier: Apache-2.0
package io.github.simclr4j.cli;

import io.github.simclr4j.cli.watch.LoopbackServer;
import io.github.simclr4j.cli.watch.RunFolder;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs {@code simclr watch}. */
@CommandLine.Command(
        name = "watch",
        description = "Shows a pretraining run in a browser on this machine, while it runs and afterwards: the"
                + " page that pretrain --report writes, kept up to date. Ctrl-C stops watching; the"
                + " training is not affected.")
final class WatchCommand extends Command {
    @Parameters(paramLabel = "DIR", description = "Folder that pretrain writes the encoder and its metrics to.")
    Path folder;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "6016",
            description = "Port on 127.0.0.1; 0 for any free port (default: ${DEFAULT-VALUE}).")
    int port;

    @Option(
            names = "--metrics",
            paramLabel = "NAME",
            defaultValue = "metrics.jsonl",
            description = "Name of the metrics file in DIR (default: ${DEFAULT-VALUE}).")
    String metrics;

    @Override
    boolean usesDevice() {
        return false;
    }

    @Override
    Map<String, Object> work() throws IOException {
        only(false, "with commands that have a result", "--json");
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("--port must be from 0 to 65535, found " + port);
        }
        RunFolder run = new RunFolder(folder, metrics);
        interruptible();
        try (LoopbackServer server = new LoopbackServer(port, run, LoopbackServer.Limits.USUAL)) {
            System.out.println("Watching " + folder + " at " + server.address() + " (Ctrl-C stops watching)");
            System.out.flush();
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            // An interrupt is the normal end of a watch.
        }
        throw new InterruptedIOException("the watch of " + folder + " has ended; a running training continues");
    }
}
