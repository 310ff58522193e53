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

/** {@code simclr watch}. */
@CommandLine.Command(
        name = "watch",
        description =
                "Shows a pretraining in a browser of this machine while it goes on, and when it is"
                        + " over: the page that pretrain --report writes, kept up to date. Ctrl-C ends it; the training does not notice.")
final class WatchCommand extends Command {
    @Parameters(paramLabel = "DIR", description = "The folder that pretrain writes the encoder and its metrics to.")
    Path folder;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "6016",
            description = "Port on 127.0.0.1; 0 for any that is free (default: ${DEFAULT-VALUE}).")
    int port;

    @Option(
            names = "--metrics",
            paramLabel = "NAME",
            defaultValue = "metrics.jsonl",
            description = "Name of the file of metrics in DIR (default: ${DEFAULT-VALUE}).")
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
            System.out.println("Watching " + folder + " at " + server.address() + " (Ctrl-C ends it)");
            System.out.flush();
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            // It is how a watch ends.
        }
        throw new InterruptedIOException("the watch of " + folder + " has ended; a training goes on");
    }
}
